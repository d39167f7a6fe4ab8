"""Which query calls fail which filters, and which of these are to be ignored."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.haplotypes.compiled import njit
from benchmarks.haplotypes.records import Field, Records

FILTER, INFO = Field.FILTER.value, Field.INFO.value
IGNORED = "SEL_IGN_"
"""What hap.py's tables put before the name of a filter that is ignored."""


@dataclass(frozen=True)
class Filters:
    """FILTER of the records that fail one, told apart by their whole text.

    `texts` are the texts that occur; `number` is the text of each record, -1 of those
    that pass.
    """

    texts: list[tuple[str, ...]]
    number: NDArray[np.int32]

    def names(self) -> list[str]:
        return sorted({name for text in self.texts for name in text})

    def only(self, name: str) -> bool:
        """Whether whatever fails, fails this filter."""
        return all(name in text for text in self.texts)

    def fails(self, name: str) -> NDArray[np.bool_]:
        """Records that fail this filter, perhaps among others."""
        return self._of([name in text for text in self.texts])

    def fails_but(self, ignored: frozenset[str]) -> NDArray[np.bool_]:
        """Records that fail a filter which is not ignored; `*` ignores all."""
        if "*" in ignored:
            return np.zeros(len(self.number), dtype=np.bool_)
        return self._of([not ignored.issuperset(text) for text in self.texts])

    def _of(self, wanted: list[bool]) -> NDArray[np.bool_]:
        # the last entry answers for the number -1
        table = np.array([*wanted, False], dtype=np.bool_)
        result: NDArray[np.bool_] = table[self.number]
        return result


def filters_of(records: Records) -> Filters:
    failing = np.flatnonzero(~records.passed)
    number = np.full(len(records), -1, dtype=np.int32)
    if not len(failing):
        return Filters([], number)
    keys = _keys(records.text, records.line, records.fields, failing)
    _, first, which = np.unique(keys, return_index=True, return_inverse=True)
    number[failing] = which
    texts = [records.value(int(failing[at]), Field.FILTER) for at in first]
    return Filters([_split(text) for text in texts], number)


@njit(cache=True, nogil=True)
def _keys(
    text: NDArray[np.uint8],
    line: NDArray[np.int64],
    fields: NDArray[np.uint32],
    rows: NDArray[np.int64],
) -> NDArray[np.uint64]:
    """A number for the FILTER of each row, the same for the same text (FNV-1a)."""
    keys = np.empty(len(rows), dtype=np.uint64)
    for k in range(len(rows)):
        row = rows[k]
        key = np.uint64(14695981039346656037)
        for at in range(line[row] + fields[row, FILTER], line[row] + fields[row, INFO]):
            key = (key ^ np.uint64(text[at])) * np.uint64(1099511628211)
        keys[k] = key
    return keys


def _split(text: str) -> tuple[str, ...]:
    return tuple(name for name in text.split(";") if name not in ("", ".", "PASS"))


def ignored_filters(listed: str) -> frozenset[str]:
    """Names of hap.py's --roc-filter: between commas, semicolons or spaces."""
    return frozenset(listed.replace(";", ",").replace(" ", ",").split(",")) - {""}


def shown_as(name: str, ignored: frozenset[str]) -> str:
    """What hap.py's tables call the filter."""
    return f"{IGNORED}{name}" if name in ignored or "*" in ignored else name
