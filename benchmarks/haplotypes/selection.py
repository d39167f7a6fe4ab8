"""Which query calls fail a filter that is not to be ignored (hap.py's --roc-filter)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmarks.haplotypes.records import Field, Records


def fails_selected(records: Records, ignored: str) -> NDArray[np.bool_]:
    """Calls with a filter outside `ignored` (separated by comma, semicolon or space).

    `*` ignores all filters.
    """
    names = set(ignored.replace(";", ",").replace(" ", ",").split(",")) - {""}
    fails = ~records.passed
    if "*" in names:
        return np.zeros_like(fails)
    for i in np.flatnonzero(fails):
        held = records.value(int(i), Field.FILTER).split(";")
        fails[i] = not names.issuperset(held)
    return fails
