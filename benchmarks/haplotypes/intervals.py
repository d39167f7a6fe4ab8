"""Jeffreys' confidence interval of a proportion, with hap.py's corrections at the ends.

Brown, Cai and DasGupta: Interval Estimation for a Binomial Proportion. Statistical
Science 16 (2001), doi:10.1214/ss/1009213286.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def jeffreys(
    successes: NDArray[np.int64], trials: NDArray[np.int64] | Floats, alpha: float
) -> tuple[Floats, Floats]:
    """(lower, upper) bounds of the 1 - alpha interval; (0, 1) without a trial."""
    from scipy.special import betaincinv  # slow to import, wanted with --ci-alpha only

    x, n = successes.astype(np.float64), trials.astype(np.float64)
    some = np.maximum(n, 1)
    a, b = x + 0.5, np.maximum(n - x, 0) + 0.5
    lower, upper = betaincinv(a, b, alpha / 2), betaincinv(a, b, 1 - alpha / 2)
    lower = np.where(x <= 1, 0.0, lower)
    lower = np.where(x == n, (alpha / 2) ** (1 / some), lower)
    upper = np.where(x >= n - 1, 1.0, upper)
    upper = np.where(x == 0, 1 - (alpha / 2) ** (1 / some), upper)
    none = n == 0
    lower, upper = np.where(none, 0.0, lower), np.where(none, 1.0, upper)
    return np.clip(lower, 0, 1), np.clip(upper, 0, 1)
