"""Levey-Jennings charts: limits from a baseline, and Westgard's rules.

Rules and their names: Westgard JO, Barry PL, Hunt MR, Groth T. A multi-rule Shewhart
chart for quality control in clinical chemistry. Clin Chem 1981;27:493-501. A value's
z score is its distance from the baseline's mean in standard deviations.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

Rule = Literal["1-2s", "1-3s", "2-2s", "R-4s", "4-1s", "10x"]
WARNING: Rule = "1-2s"
"""Only a reason to look; the others are reasons to reject."""
LONGEST = 10
"""Values that the rule that looks back furthest needs."""
FEWEST = 5
"""Values that a baseline needs before it can be drawn."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """Mean and standard deviation (n - 1) of the values that were chosen as good."""

    mean: float
    sd: float
    count: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Baseline | None:
        """None where the values are too few, or all the same, for limits."""
        if len(values) < FEWEST:
            return None
        sd = statistics.stdev(values)
        if not sd or math.isnan(sd):
            return None
        return cls(statistics.fmean(values), sd, len(values))

    def z(self, value: float) -> float:
        return (value - self.mean) / self.sd

    def limit(self, deviations: float) -> float:
        """The value that lies so many standard deviations above the mean."""
        return self.mean + deviations * self.sd


def broken_rules(baseline: Baseline, values: Sequence[float]) -> list[tuple[Rule, ...]]:
    """For each value, oldest first, the rules that it breaks with those before it."""
    scores = [baseline.z(value) for value in values]
    return [
        tuple(_rules(scores[max(0, at + 1 - LONGEST) : at + 1]))
        for at in range(len(scores))
    ]


def _rules(scores: Sequence[float]) -> Iterator[Rule]:
    """The rules that the last score breaks."""
    last = scores[-1]
    if abs(last) > 3:
        yield "1-3s"
    elif abs(last) > 2:
        yield "1-2s"
    if _same_side(scores, 2, 2):
        yield "2-2s"
    if len(scores) > 1 and _opposite(scores[-2], last):
        yield "R-4s"
    if _same_side(scores, 4, 1):
        yield "4-1s"
    if _same_side(scores, LONGEST, 0):
        yield "10x"


def _same_side(scores: Sequence[float], count: int, beyond: float) -> bool:
    """Whether the last `count` scores all lie beyond that on one side."""
    some = scores[-count:]
    return len(some) == count and (
        all(score > beyond for score in some) or all(score < -beyond for score in some)
    )


def _opposite(before: float, last: float) -> bool:
    return min(before, last) < -2 and max(before, last) > 2
