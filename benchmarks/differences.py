"""How far two shares are apart, and whether that is more than chance.

Intervals of a share: Wilson EB. J Am Stat Assoc 1927;22:209-212. Intervals of a
difference: Newcombe RG. Interval estimation for the difference between independent
proportions. Stat Med 1998;17:873-890, method 10. All are of 95 %.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

Z = 1.959963984540054
"""The 97.5th percentile of the normal distribution."""


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
