"""Counts by score threshold: the rows of hap.py's ROC tables.

A row with threshold q counts the calls whose score is q or more; a true positive of the
truth below it becomes FN. (hap.py drops the first call *at* the threshold too, which of
several equal ones is chance; its counts are therefore lower by one here and there.)
Missing scores count as 0.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmarks.haplotypes.compiled import njit
from benchmarks.haplotypes.quantify import (
    INDEL_SUBTYPES,
    SNP_SUBTYPES,
    TYPES,
    Column,
    Kinds,
    Selector,
    Subset,
    TableRow,
)
from benchmarks.haplotypes.rows import Rows

LEVELS = 2_000
"""Most thresholds of one type; with more, the spacing grows until they fit."""


def row_scores(
    rows: Rows, score: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Scores of the truth and of the query observation of each row."""
    return _scores(rows.truth_score, score), _scores(rows.query, score)


def _scores(
    records: NDArray[np.int32], score: NDArray[np.float32]
) -> NDArray[np.float32]:
    values = np.zeros(len(records), dtype=np.float32)
    there = records >= 0
    values[there] = np.nan_to_num(score[records[there]], nan=0.0)
    return values


def thresholds(scores: NDArray[np.float32], delta: float) -> NDArray[np.float64]:
    """Ascending scores at least `delta` apart (hap.py's --roc-delta), lowest first."""
    levels = np.sort(scores)
    levels = levels[np.concatenate(([True], levels[1:] != levels[:-1]))]
    wide = levels.astype(np.float64)
    spaced: NDArray[np.float64] = _spaced(wide, delta)
    while len(spaced) > LEVELS:
        delta = max(delta * 2, float(wide[-1] - wide[0]) / LEVELS)
        spaced = _spaced(wide, delta)
    return spaced


@njit(cache=True, nogil=True)
def _spaced(levels: NDArray[np.float64], delta: float) -> NDArray[np.float64]:
    kept = np.empty(len(levels), dtype=np.float64)
    count = 0
    for level in levels:
        if count == 0 or level - kept[count - 1] > delta:
            kept[count] = level
            count += 1
    return kept[:count].copy()


def roc_rows(
    kinds: Kinds,
    scores: tuple[NDArray[np.float32], NDArray[np.float32]],
    subset: Subset,
    filters: tuple[str, ...],
    delta: float,
    inside: NDArray[np.bool_] | None = None,
) -> list[TableRow]:
    """Rows of all thresholds in a subset, by type, subtype and filter.

    inside: the rows of the subset, where it is not the whole comparison.
    """
    selector = Selector(kinds)
    if inside is not None:
        kinds = Kinds(kinds.code, kinds.truth[inside], kinds.query[inside])
        scores = (scores[0][inside], scores[1][inside])
    result: list[TableRow] = []
    for type_ in TYPES:
        chosen = selector.chosen(type_, "*")
        levels, histogram = _histogram(kinds, scores, chosen, delta)
        subtypes = INDEL_SUBTYPES if type_ == "INDEL" else SNP_SUBTYPES
        for subtype in subtypes:
            tables = {
                filter_: (histogram @ selector.matrix(type_, subtype, filter_)).astype(
                    np.int64
                )
                for filter_ in filters
            }
            some = _observed(tables["ALL"])
            for filter_, at_level in tables.items():
                shown = some if subtype == "*" else _observed(at_level)
                result += _curve(
                    (type_, subtype, filter_), subset, levels, at_level, shown
                )
    return result


def _observed(at_level: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Levels with an observation; what a filter removes keeps its level in `*`."""
    return np.asarray(at_level[:, 0:25:5].any(axis=1))


def _histogram(
    kinds: Kinds,
    scores: tuple[NDArray[np.float32], NDArray[np.float32]],
    chosen: NDArray[np.bool_],
    delta: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(levels, counts of shape (levels, kinds)) of the chosen kinds."""
    held = []
    for kind, score in zip((kinds.truth, kinds.query), scores, strict=True):
        mask = chosen[kind]
        held.append((kind[mask], score[mask]))
    every = np.concatenate([score for _, score in held])
    if not len(every):
        return np.zeros(0), np.zeros((0, len(kinds)))
    levels = thresholds(every, delta)
    total = np.zeros((len(levels), len(kinds)), dtype=np.int64)
    for kind, score in held:
        _add_levels(levels, kind, score, total)
    return levels, total.astype(np.float64)


@njit(cache=True, nogil=True)
def _add_levels(
    levels: NDArray[np.float64],
    kind: NDArray[np.uint16],
    score: NDArray[np.float32],
    total: NDArray[np.int64],
) -> None:
    for i in range(len(kind)):
        low, high = 0, len(levels)
        while high - low > 1:
            middle = (low + high) >> 1
            if levels[middle] <= score[i]:
                low = middle
            else:
                high = middle
        total[low, kind[i]] += 1


def _curve(
    names: tuple[str, str, str],
    subset: Subset,
    levels: NDArray[np.float64],
    at_level: NDArray[np.int64],
    shown: NDArray[np.bool_],
) -> list[TableRow]:
    """Rows of the levels to show; names: type, subtype and filter."""
    if not len(levels):
        return []
    type_, subtype, filter_ = names
    above = at_level[::-1].cumsum(axis=0)[::-1]
    table = above[:, :25].reshape(-1, 5, 5).copy()
    lost = table[0, Column.TRUTH_TP] - table[:, Column.TRUTH_TP]
    table[:, Column.TRUTH_FN] = table[0, Column.TRUTH_FN] + lost
    return [
        TableRow(
            type=type_,
            subtype=subtype,
            subset=subset.label,
            filter=filter_,
            counts=table[i],
            fp_gt=int(above[i, 25]),
            fp_al=int(above[i, 26]),
            size=subset.size,
            confident_size=subset.confident_size,
            level=subset.level,
            qq=float(levels[i]),
        )
        for i in np.flatnonzero(shown)
    ]
