"""Places of a genome as people write them: `chr20`, `chr20:1,000`, `chr20:1000-2000`.

Positions are 1-based and inclusive.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

PLACE = re.compile(
    r"(?P<contig>[^\s:]+)(?::(?P<start>[\d,]+)(?:[-–](?P<end>[\d,]+))?)?"
)
WORDS = "Write a contig, chr20, a position, chr20:1,000, or a range, chr20:1000-2000."


class BadPlace(ValueError):
    """What was written is no place; the message says what one looks like."""


@dataclass(frozen=True, slots=True)
class Place:
    """A contig, or a range of it; one position when start and end are the same."""

    contig: str
    start: int | None = None
    end: int | None = None

    def __str__(self) -> str:
        if self.start is None:
            return self.contig
        return f"{self.contig}:{self.start}-{self.end}"

    @classmethod
    def read(cls, text: str) -> Place:
        """Raises `BadPlace`."""
        match = PLACE.fullmatch(text.strip())
        if match is None:
            raise BadPlace(WORDS)
        start, end = (_number(match[name]) for name in ("start", "end"))
        if start is not None and end is not None and end < start:
            raise BadPlace("The range ends before it begins.")
        return cls(match["contig"], start, start if end is None else end)


def _number(text: str | None) -> int | None:
    if text is None:
        return None
    digits = text.replace(",", "")
    if not digits or len(digits) > 12:
        raise BadPlace(WORDS)
    return int(digits)
