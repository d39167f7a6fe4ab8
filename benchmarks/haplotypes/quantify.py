"""Counts of TP, FP, FN and UNK by type, subtype, stratum and filter, as in hap.py.

Each row of the comparison gives at most one observation of the truth and one of the
query. An observation's *kind* is all that the tables ask of it (decision, type,
filters, genotype, match level, subtypes), so that a stratum is counted in one pass over
the rows, whatever the number of its table rows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from benchmarks.haplotypes.classify import SUBTYPES, LocationType, VariantType
from benchmarks.haplotypes.records import Match
from benchmarks.haplotypes.rows import Decision, Rows, Side


class Column(IntEnum):
    """Decision columns of the tables, and of `Tally.counts`."""

    TRUTH_TP = 0
    TRUTH_FN = 1
    QUERY_TP = 2
    QUERY_FP = 3
    QUERY_UNK = 4


COLUMN_NAMES = ("TRUTH.TP", "TRUTH.FN", "QUERY.TP", "QUERY.FP", "QUERY.UNK")
TYPES = ("INDEL", "SNP")
FILTERS = ("ALL", "PASS", "SEL")
INDEL_SUBTYPES = (
    "*",
    "C16_PLUS",
    "C1_5",
    "C6_15",
    "D16_PLUS",
    "D1_5",
    "D6_15",
    "I16_PLUS",
    "I1_5",
    "I6_15",
)
SNP_SUBTYPES = ("*",)
NOTHING = 0
"""Kind of a row side that is not counted."""

_DECISION_BITS, _TYPE_BIT, _FAIL_BIT, _SELECT_BIT = 0, 3, 4, 5
_GENOTYPE_BITS, _MATCH_BITS, _SUBTYPE_BITS = 6, 8, 10
_GENOTYPES = ("other", "het", "homalt", "hetalt")
_NEVER_ZERO = 1 << (_SUBTYPE_BITS + len(SUBTYPES))
"""A bit above all others: tells a counted record's code from none until it is used."""


@dataclass(frozen=True)
class Kinds:
    """The kinds that occur. Kind 0 is `NOTHING`.

    `code` holds one bit pattern a kind; `truth` and `query` the kind of each row.
    """

    code: NDArray[np.uint32]
    truth: NDArray[np.uint16]
    query: NDArray[np.uint16]

    def __len__(self) -> int:
        return len(self.code)

    def bits(self, first: int, count: int) -> NDArray[np.uint32]:
        mask = np.uint32((1 << count) - 1)
        held: NDArray[np.uint32] = self.code >> np.uint32(first) & mask
        return held


@dataclass(frozen=True)
class TableRow:
    """Counts of one row of the tables. `qq` None: all calls (`*`).

    `of_filter`: the row counts what one filter removes, so it has no totals or metrics.
    """

    type: str
    subtype: str
    subset: str
    filter: str
    counts: NDArray[np.int64]
    """Shape (columns, 5): all, ti, tv, het, homalt."""
    fp_gt: int
    fp_al: int
    size: float = 0.0
    confident_size: float | None = None
    level: int = 0
    qq: float | None = None
    of_filter: bool = False

    def of(self, column: Column) -> int:
        return int(self.counts[column, 0])


@dataclass
class Subset:
    """A part of the genome and its counts by kind; sizes in bases."""

    label: str
    counts: NDArray[np.int64]
    size: float
    confident_size: float | None
    level: int = 0
    always: bool = True
    """Whether its table rows stand even when nothing lies in it."""


def kinds_of(
    rows: Rows,
    truth: Side,
    query: Side,
    fails: tuple[NDArray[np.bool_], NDArray[np.bool_]],
    fails_selected: tuple[NDArray[np.bool_], NDArray[np.bool_]],
) -> Kinds:
    """Kinds of all rows; `fails` are rows failing a filter, by side."""
    codes = [
        _codes(rows.truth, rows.truth_decision, truth, fails[0], fails_selected[0], 0),
        _codes(rows.query, rows.query_decision, query, fails[1], fails_selected[1], 1),
    ]
    space = 1 << (_SUBTYPE_BITS + len(SUBTYPES))
    present = np.zeros(space, dtype=np.bool_)
    present[0] = True
    for code in codes:
        present[code] = True
    code = np.flatnonzero(present).astype(np.uint32)
    number = np.zeros(space, dtype=np.uint16)
    number[code] = np.arange(len(code), dtype=np.uint16)
    return Kinds(code, number[codes[0]], number[codes[1]])


def _codes(
    records: NDArray[np.int32],
    decision: NDArray[np.uint8],
    side: Side,
    fails: NDArray[np.bool_],
    fails_selected: NDArray[np.bool_],
    is_query: int,
) -> NDArray[np.uint32]:
    column = np.zeros(len(Decision), dtype=np.uint32)
    if is_query:
        column[[Decision.TP, Decision.FP, Decision.UNK]] = (3, 4, 5)
    else:
        column[[Decision.TP, Decision.FN]] = (1, 2)
    of_record = _record_codes(side)
    code = np.zeros(len(records), dtype=np.uint32)
    there = records >= 0
    code[there] = of_record[records[there]]
    counted = column[decision]
    counted[code == 0] = 0
    code &= np.uint32(_NEVER_ZERO - 1)
    code |= counted
    code |= fails.astype(np.uint32) << _FAIL_BIT
    code |= fails_selected.astype(np.uint32) << _SELECT_BIT
    code[counted == 0] = NOTHING
    return code


def _record_codes(side: Side) -> NDArray[np.uint32]:
    """Type, genotype, match level and subtypes; 0 for records of no counted type."""
    classes = side.classes
    genotype = np.zeros(len(LocationType), dtype=np.uint32)
    genotype[[LocationType.HET, LocationType.HOMALT, LocationType.HETALT]] = (1, 2, 3)
    level = np.zeros(len(Match), dtype=np.uint32)
    level[[Match.ALLELE, Match.LOCAL]] = (1, 2)
    snp = classes.variant == VariantType.SNP
    code: NDArray[np.uint32] = snp.astype(np.uint32) << _TYPE_BIT
    code |= genotype[classes.location] << _GENOTYPE_BITS
    code |= level[side.verdicts.match] << _MATCH_BITS
    code |= classes.subtypes.astype(np.uint32) << _SUBTYPE_BITS
    code |= np.uint32(_NEVER_ZERO)
    code[~(snp | (classes.variant == VariantType.INDEL))] = 0
    return code


def count_kinds(
    kinds: Kinds, chosen: NDArray[np.bool_] | None = None
) -> NDArray[np.int64]:
    """How many observations of each kind, in all rows or the chosen ones."""
    if chosen is None:
        return _count(kinds, kinds.truth, kinds.query)
    return _count(kinds, kinds.truth[chosen], kinds.query[chosen])


def _count(kinds: Kinds, *held: NDArray[np.uint16]) -> NDArray[np.int64]:
    total = np.zeros(len(kinds), dtype=np.int64)
    for kind in held:
        total += np.bincount(kind, minlength=len(kinds))
    total[NOTHING] = 0
    return total


def filter_rows(
    kinds: Kinds,
    failing: dict[str, tuple[NDArray[np.bool_], NDArray[np.bool_]]],
    whole: Subset,
) -> list[TableRow]:
    """What each filter removes: hap.py has a row for each type that it occurs on.

    failing: (truth, query) rows that fail a filter, by what the table calls it.
    """
    selector = Selector(kinds)
    result: list[TableRow] = []
    for name, (truth, query) in failing.items():
        counts = _count(kinds, kinds.truth[truth], kinds.query[query])
        for type_ in TYPES:
            if not counts[selector.chosen(type_, "*")].any():
                continue
            for subtype in INDEL_SUBTYPES if type_ == "INDEL" else SNP_SUBTYPES:
                numbers = counts @ selector.matrix(type_, subtype, "ALL")
                row = _table_row(type_, subtype, whole, name, numbers.astype(np.int64))
                row.counts[Column.TRUTH_FN] = 0
                result.append(replace(row, of_filter=True))
    return result


class Selector:
    """Which kinds a table row counts, in which column; made once for all subsets."""

    def __init__(self, kinds: Kinds) -> None:
        self.column = kinds.bits(_DECISION_BITS, 3).astype(np.int64) - 1
        self.snp = kinds.bits(_TYPE_BIT, 1) == 1
        self.fails = {
            "ALL": np.zeros(len(kinds), dtype=np.bool_),
            "PASS": kinds.bits(_FAIL_BIT, 1) == 1,
            "SEL": kinds.bits(_SELECT_BIT, 1) == 1,
        }
        genotype = kinds.bits(_GENOTYPE_BITS, 2)
        self.match = kinds.bits(_MATCH_BITS, 2)
        subtypes = kinds.bits(_SUBTYPE_BITS, len(SUBTYPES))
        self.subtype = {
            name.upper(): (subtypes >> np.uint32(bit) & 1) == 1
            for bit, name in enumerate(SUBTYPES)
        }
        self.parts = (
            np.ones(len(kinds), dtype=np.bool_),
            self.subtype["TI"],
            self.subtype["TV"],
            genotype == _GENOTYPES.index("het"),
            genotype == _GENOTYPES.index("homalt"),
        )

    def chosen(self, type_: str, subtype: str) -> NDArray[np.bool_]:
        of_type: NDArray[np.bool_] = self.snp == (type_ == "SNP")
        mask = of_type & (self.column >= 0)
        return mask if subtype == "*" else mask & self.subtype[subtype]

    def columns(self, filter_: str) -> NDArray[np.int64]:
        """Column of each kind under a filter; -1 where it is not counted.

        Calls that fail are gone after matching: a TP of the truth becomes FN, and the
        query's TP, FP and UNK drop out.
        """
        column = self.column.copy()
        fails = self.fails[filter_]
        column[fails & (self.column >= Column.QUERY_TP)] = -1
        column[fails & (self.column == Column.TRUTH_TP)] = Column.TRUTH_FN
        return column

    def matrix(self, type_: str, subtype: str, filter_: str) -> NDArray[np.float64]:
        """Shape (kinds, 27): 5 columns x 5 parts, then FP.gt and FP.al.

        A product with counts by kind gives the numbers of a table row; float64 is
        exact below 2**53.
        """
        chosen, column = self.chosen(type_, subtype), self.columns(filter_)
        result = np.zeros((len(column), 27))
        for c in Column:
            held = chosen & (column == c)
            for p, part in enumerate(self.parts):
                result[:, c * 5 + p] = held & part
        wrong = chosen & (column == Column.QUERY_FP)
        result[:, 25] = wrong & (self.match == 1)
        result[:, 26] = wrong & (self.match == 2)
        return result


def table_rows(
    kinds: Kinds, subsets: list[Subset], filters: tuple[str, ...]
) -> list[TableRow]:
    """All rows without thresholds, in hap.py's order."""
    selector = Selector(kinds)
    counts = np.array([subset.counts for subset in subsets], dtype=np.float64)
    result: list[TableRow] = []
    for type_ in TYPES:
        held = counts @ selector.chosen(type_, "*")
        subtypes = INDEL_SUBTYPES if type_ == "INDEL" else SNP_SUBTYPES
        shown = [s for s, subset in enumerate(subsets) if subset.always or held[s] > 0]
        shown.sort(key=lambda s: subsets[s].label)
        for subtype in subtypes:
            tables = {
                f: (counts @ selector.matrix(type_, subtype, f)).astype(np.int64)
                for f in filters
            }
            result += [
                _table_row(type_, subtype, subsets[s], f, tables[f][s])
                for s in shown
                for f in filters
            ]
    return result


def _table_row(
    type_: str, subtype: str, subset: Subset, filter_: str, numbers: NDArray[np.int64]
) -> TableRow:
    return TableRow(
        type=type_,
        subtype=subtype,
        subset=subset.label,
        filter=filter_,
        counts=numbers[:25].reshape(5, 5),
        fp_gt=int(numbers[25]),
        fp_al=int(numbers[26]),
        size=subset.size,
        confident_size=subset.confident_size,
        level=subset.level,
    )
