"""How far two shares are apart, and whether that is more than chance.

Intervals of a share: Wilson EB. J Am Stat Assoc 1927;22:209-212. Intervals of a
difference: Newcombe RG. Interval estimation for the difference between independent
proportions. Stat Med 1998;17:873-890, method 10. All are of 95 %.

F1 is no share of anything counted, but it rises with one: J, the variants that are both
known and called, of all that are known or called. F1 = 2J / (1 + J), so that the bounds
of J, carried through, are those of F1. They are what Goutte and Gaussier find (A
Probabilistic Interpretation of Precision, Recall and F-Score, ECIR 2005, LNCS
3408:345-359), where precision and recall share their true positives and do not vary
independently of each other.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from benchmarks.haplotypes.intervals import jeffreys

Z = 1.959963984540054
"""The 97.5th percentile of the normal distribution."""
ALPHA = 0.05


@dataclass(frozen=True, slots=True)
class Share:
    """A share between 0 and 1 with its interval, where there is one."""

    value: float
    low: float | None = None
    high: float | None = None

    @classmethod
    def of(cls, part: int, whole: int) -> Share | None:
        """`part` of `whole` with Wilson's interval; None of nothing."""
        if not whole:
            return None
        value = part / whole
        middle = value + Z * Z / (2 * whole)
        width = Z * math.sqrt(value * (1 - value) / whole + (Z / (2 * whole)) ** 2)
        by = 1 + Z * Z / whole
        return cls(
            value,
            max(0.0, min(value, (middle - width) / by)),
            min(1.0, max(value, (middle + width) / by)),
        )


@dataclass(frozen=True, slots=True)
class Counted:
    """What F1 is made of. True positives are counted in the truth set's records and
    once more in the calls'."""

    truth_tp: int
    truth_fn: int
    query_tp: int
    query_fp: int

    def f1_bounds(self) -> tuple[float, float] | None:
        """F1's interval, from Jeffreys' of J; None where nothing is known or called.

        False positives are scaled to the truth set's records, which makes J that of
        the F1 which the engines report: 1 / J = 1 + FN / TRUTH.TP + FP / QUERY.TP.
        """
        scale = self.truth_tp / self.query_tp if self.truth_tp and self.query_tp else 1
        whole = self.truth_tp + self.truth_fn + self.query_fp * scale
        if not whole:
            return None
        low, high = jeffreys(np.array([self.truth_tp]), np.array([whole]), ALPHA)
        return _f1_of(float(low[0])), _f1_of(float(high[0]))


def _f1_of(common: float) -> float:
    return 2 * common / (1 + common)


@dataclass(frozen=True, slots=True)
class Difference:
    """Another share less the first; without an interval nothing is said of chance."""

    value: float
    low: float | None = None
    high: float | None = None

    @property
    def beyond(self) -> bool:
        """Whether the interval leaves out zero."""
        return self.low is not None and self.high is not None and not self.within

    @property
    def within(self) -> bool:
        if self.low is None or self.high is None:
            return False
        return self.low <= 0 <= self.high


def difference(base: Share, other: Share) -> Difference:
    """`other` less `base`, with an interval where both have one."""
    value = other.value - base.value
    if base.low is None or base.high is None:
        return Difference(value)
    if other.low is None or other.high is None:
        return Difference(value)
    below = math.hypot(other.value - other.low, base.high - base.value)
    above = math.hypot(other.high - other.value, base.value - base.low)
    return Difference(value, value - below, value + above)
