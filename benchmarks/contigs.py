"""What was found on each contig: a contig without any true positive is suspicious.

Counted from the annotated VCF of a comparison and kept as a small file beside it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import duckdb

from benchmarks.variants import VariantsError, view_records

NAME = "contigs.json"
_COUNTS = """
    SELECT
        chrom,
        count(*) FILTER (truth = 'TP'),
        count(*) FILTER (truth = 'FN'),
        count(*) FILTER (query = 'TP'),
        count(*) FILTER (query = 'FP'),
        count(*) FILTER (query = 'UNK')
    FROM (
        SELECT
            chrom,
            row_number() OVER () AS line,
            truth[list_position(format, 'BD')] AS truth,
            query[list_position(format, 'BD')] AS query
        FROM records
    )
    GROUP BY chrom
    ORDER BY min(line)"""


@dataclass(frozen=True, slots=True)
class ContigCounts:
    """Records by verdict, all calls whatever their filter."""

    contig: str
    truth_tp: int
    fn: int
    query_tp: int
    fp: int
    unk: int

    @property
    def nothing_found(self) -> bool:
        """The truth set has variants here, and none of them was found."""
        return self.fn > 0 and self.truth_tp == 0

    @property
    def recall(self) -> float | None:
        total = self.truth_tp + self.fn
        return self.truth_tp / total if total else None

    @property
    def precision(self) -> float | None:
        total = self.query_tp + self.fp
        return self.query_tp / total if total else None


def count(vcf: Path, target: Path, *, threads: int = 2) -> list[ContigCounts]:
    """Count the records of an annotated VCF by contig, in its order; keep the counts.

    Raises `VariantsError` when the VCF has no TRUTH and QUERY samples.
    """
    with duckdb.connect(config={"threads": threads}) as database:
        try:
            view_records(database, vcf)
            rows = database.execute(_COUNTS).fetchall()
        except duckdb.Error as error:
            raise VariantsError(f"{vcf.name} cannot be read: {error}") from error
    found = [ContigCounts(*row) for row in rows]
    target.write_text(json.dumps([asdict(row) for row in found]))
    return found


def read(path: Path) -> Sequence[ContigCounts]:
    """The counts that were kept; none where there is no such file."""
    try:
        return [ContigCounts(**row) for row in json.loads(path.read_text())]
    except FileNotFoundError:
        return []
