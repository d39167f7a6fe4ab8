"""The false positives and negatives of a run, in one columnar file beside it.

The annotated VCF that hap.py and the built-in engine write has every verdict. From
it the false ones go into a Parquet file, sorted by place, which DuckDB filters and
pages in a few milliseconds, however many there are. Figures: docs/performance.md.

Positions are 1-based, as in the VCF. `size` is the difference in length between the
longest alternative allele and the reference allele, in bases.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import duckdb

NAME = "variants.parquet"
BATCH = 5000
"""Rows that are read at a time when all are wanted."""
COLUMNS = (
    "contig",
    "position",
    "ref",
    "alt",
    "side",
    "verdict",
    "reason",
    "type",
    "subtype",
    "genotype",
    "size",
    "quality",
    "filter",
    "strata",
)
SORTS = {
    "place": ("place", "place DESC"),
    "-place": ("place DESC", "place"),
    "quality": ("quality NULLS LAST, place", "quality DESC NULLS FIRST, place DESC"),
    "-quality": ("quality DESC NULLS LAST, place", "quality NULLS FIRST, place DESC"),
    "size": ("size, place", "size DESC, place DESC"),
    "-size": ("size DESC, place", "size, place DESC"),
}
"""Orders by name: forwards, and the same backwards."""
COUNTED = ("verdict", "type", "reason", "contig", "filter", "stratum")
"""Filters whose rows are counted once; genotypes are compared without their phase."""
REASONS = {"no match": ".", "genotype": "am", "allele": "lm"}
"""Why a variant is false, by hap.py's BK: what did not agree."""

# FORMAT may have its fields in any order from record to record. A call without a
# filter passes, as in hap.py.
_SIDE = """
    SELECT
        row_number() OVER () AS line, chrom AS contig, pos AS position, ref, alt,
        '{side}' AS side,
        {side}[list_position(format, 'BD')] AS verdict,
        CASE coalesce({side}[list_position(format, 'BK')], '.')
            WHEN 'am' THEN 'genotype' WHEN 'lm' THEN 'allele' ELSE 'no match' END
            AS reason,
        {side}[list_position(format, 'BVT')] AS type,
        {side}[list_position(format, 'BI')] AS subtype,
        {side}[list_position(format, 'GT')] AS genotype,
        list_max(list_transform(
                string_split(alt, ','), lambda a: abs(len(a) - len(ref))))
            * CASE WHEN len(ref) > len(string_split(alt, ',')[1]) THEN -1 ELSE 1 END
            AS size,
        TRY_CAST({side}[list_position(format, 'QQ')] AS DOUBLE) AS quality,
        CASE WHEN '{side}' = 'query' AND filter = '.' THEN 'PASS' ELSE filter END
            AS filter,
        coalesce(string_split(regexp_extract(info, '(?:^|;)Regions=([^;]*)', 1), ','),
            []) AS strata
    FROM records"""


class VariantsError(Exception):
    """The variants cannot be read or written; the message says why."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to show of a run's false variants; empty means all."""

    verdict: str = ""
    type: str = ""
    reason: str = ""
    stratum: str = ""
    contig: str = ""
    start: int | None = None
    end: int | None = None
    genotype: str = ""
    min_size: int | None = None
    max_size: int | None = None
    min_quality: float | None = None
    max_quality: float | None = None
    filter: str = ""

    def conditions(self) -> tuple[str, list[Any]]:
        """A WHERE clause and its parameters."""
        tests: list[tuple[str, Any]] = [
            ("verdict = ?", self.verdict),
            ("type = ?", self.type),
            ("reason = ?", self.reason),
            ("list_contains(strata, ?)", self.stratum),
            ("contig = ?", self.contig),
            ("position >= ?", self.start),
            ("position <= ?", self.end),
            ("replace(genotype, '|', '/') = ?", self.genotype.replace("|", "/")),
            ("abs(size) >= ?", self.min_size),
            ("abs(size) <= ?", self.max_size),
            ("quality >= ?", self.min_quality),
            ("quality <= ?", self.max_quality),
            ("filter = ?", self.filter),
        ]
        used = [(test, value) for test, value in tests if value not in ("", None)]
        where = " AND ".join(test for test, _value in used) or "true"
        return where, [value for _test, value in used]


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the rows, as dicts by `COLUMNS`, and how many there are in all."""

    rows: Sequence[Mapping[str, Any]]
    total: int


@dataclass(frozen=True, slots=True)
class Choices:
    """Values that occur, with how often, for the filters of a page."""

    by: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


def extract(vcf: Path, parquet: Path, *, threads: int = 2) -> int:
    """Write the false variants of an annotated VCF; returns how many they are.

    Raises `VariantsError` when the VCF has no TRUTH and QUERY samples.
    """
    with duckdb.connect(config={"threads": threads}) as database:
        try:
            view_records(database, vcf)
            sides = " UNION ALL ".join(
                f"SELECT * FROM ({_SIDE.format(side=side)}) AS {side} "
                "WHERE verdict IN ('FP', 'FN')"
                for side in ("truth", "query")
            )
            database.execute(
                f"COPY (SELECT row_number() OVER (ORDER BY line, side DESC) AS place, "
                f"* EXCLUDE (line) FROM ({sides}) AS both_sides ORDER BY place) "
                f"TO {quoted(parquet)} "
                "(FORMAT parquet, ROW_GROUP_SIZE 20000)"
            )
            count = _one(database, f"SELECT count(*) FROM {quoted(parquet)}")
        except duckdb.Error as error:
            raise VariantsError(f"{vcf.name} cannot be read: {error}") from error
    choices(parquet)
    return count


def view_records(database: duckdb.DuckDBPyConnection, vcf: Path) -> None:
    """Make the view `records` of an annotated VCF. Raises `VariantsError`."""
    database.execute(
        f"""
        CREATE TEMP VIEW records AS
        SELECT chrom, pos, ref, alt, filter, info,
            string_split(format, ':') AS format,
            string_split(truth, ':') AS truth,
            string_split(query, ':') AS query
        FROM read_csv({quoted(vcf)}, delim='\t', skip={_header_lines(vcf)},
            header=false, quote='', escape='', comment='',
            auto_detect=false, max_line_size=4194304, columns={{
            'chrom': 'VARCHAR', 'pos': 'BIGINT', 'id': 'VARCHAR',
            'ref': 'VARCHAR', 'alt': 'VARCHAR', 'qual': 'VARCHAR',
            'filter': 'VARCHAR', 'info': 'VARCHAR', 'format': 'VARCHAR',
            'truth': 'VARCHAR', 'query': 'VARCHAR'}})
        """
    )


def read(
    parquet: Path, wanted: Wanted, *, offset: int, limit: int, sort: str = "place"
) -> Page:
    """A page of the rows that are wanted. Raises `VariantsError`."""
    where, values = wanted.conditions()
    source = quoted(parquet)
    with _reading(parquet) as database:
        total = _known_total(parquet, wanted)
        if total is None:
            count = f"SELECT count(*) FROM {source} WHERE {where}"
            total = _one(database, count, values)
        limit = max(0, min(limit, total - offset))
        # A deep page is read from the end, which is nearer.
        backwards = offset > total // 2
        # First the narrow column that is sorted by, then the few rows whole.
        rows = database.execute(
            f"SELECT {', '.join(COLUMNS)} FROM {source} WHERE place IN ("
            f"SELECT place FROM {source} WHERE {where} "
            f"ORDER BY {SORTS[sort][backwards]} LIMIT ? OFFSET ?) "
            f"ORDER BY {SORTS[sort][0]}",
            [*values, limit, max(0, total - offset - limit) if backwards else offset],
        ).fetchall()
    return Page([dict(zip(COLUMNS, row, strict=True)) for row in rows], total)


def _known_total(parquet: Path, wanted: Wanted) -> int | None:
    """How many rows there are, where counts that are kept say so."""
    asked = {name: v for name, v in asdict(wanted).items() if v not in ("", None)}
    by = choices(parquet).by
    if not asked:
        return sum(by["verdict"].values())
    if len(asked) > 1:
        return None
    [(name, value)] = asked.items()
    return by[name].get(value, 0) if name in COUNTED else None


def only_in(
    parquet: Path, other: Path, wanted: Wanted, *, offset: int, limit: int
) -> Page:
    """False variants of one run that are not false in another, by place and alleles.

    With the same truth set these are what the other run gets right: a variant that it
    finds, a call that it does not make or makes right.
    """
    where, values = wanted.conditions()
    mine = (
        f"FROM {quoted(parquet)} AS mine ANTI JOIN {quoted(other)} AS theirs "
        f"USING (contig, position, ref, alt, verdict) WHERE {where}"
    )
    with _reading(parquet, other) as database:
        total = _one(database, f"SELECT count(*) {mine}", values)
        rows = database.execute(
            f"SELECT {', '.join(COLUMNS)} {mine} ORDER BY place LIMIT ? OFFSET ?",
            [*values, limit, offset],
        ).fetchall()
    return Page([dict(zip(COLUMNS, row, strict=True)) for row in rows], total)


def every(
    parquet: Path, wanted: Wanted, *, sort: str = "place"
) -> Iterator[Mapping[str, Any]]:
    """All rows that are wanted, a batch at a time. Raises `VariantsError`."""
    where, values = wanted.conditions()
    with _reading(parquet) as database:
        database.execute(
            f"SELECT {', '.join(COLUMNS)} FROM {quoted(parquet)} WHERE {where} "
            f"ORDER BY {SORTS[sort][0]}",
            values,
        )
        while rows := database.fetchmany(BATCH):
            yield from (dict(zip(COLUMNS, row, strict=True)) for row in rows)


def choices(parquet: Path) -> Choices:
    """Which contigs, reasons, genotypes, filters and strata occur, and how often.

    Counted once and kept beside the file: a million rows take a quarter of a second.
    """
    kept = parquet.with_suffix(".choices.json")
    if (
        parquet.is_file()
        and kept.is_file()
        and kept.stat().st_mtime >= parquet.stat().st_mtime
    ):
        return Choices(json.loads(kept.read_text()))
    with _reading(parquet) as database:
        found = _count_choices(database, quoted(parquet))
    partial = kept.with_suffix(".part")
    try:
        partial.write_text(json.dumps(found))
        partial.replace(kept)
    except OSError:
        # A folder that may only be read: counted anew each time.
        return Choices(found)
    return Choices(found)


def _count_choices(
    database: duckdb.DuckDBPyConnection, source: str
) -> dict[str, dict[str, int]]:
    plain = ("verdict", "type", "reason", "contig", "genotype", "filter")
    by = {
        name: dict(
            database.execute(
                f"SELECT {name}, count(*) FROM {source} "
                f"WHERE {name} IS NOT NULL GROUP BY {name} ORDER BY min(place)"
            ).fetchall()
        )
        for name in plain
    }
    by["stratum"] = dict(
        database.execute(
            "SELECT s, count(*) FROM (SELECT unnest(strata) AS s "
            f"FROM {source}) WHERE s <> '' GROUP BY s ORDER BY s"
        ).fetchall()
    )
    return by


@cache
def _shared() -> duckdb.DuckDBPyConnection:
    """One DuckDB for all reading of this process; starting one takes longer than most
    questions."""
    return duckdb.connect(config={"threads": 2})


def _reading(*files: Path) -> duckdb.DuckDBPyConnection:
    for parquet in files:
        if not parquet.is_file():
            raise VariantsError(
                f"{parquet.name} is not there; it may have been removed."
            )
    return _shared().cursor()


def _one(
    database: duckdb.DuckDBPyConnection, query: str, values: Sequence[Any] = ()
) -> int:
    row = database.execute(query, list(values)).fetchone()
    return int(row[0]) if row else 0


def quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def _header_lines(vcf: Path) -> int:
    """How many lines come before the records. Raises `VariantsError`."""
    with gzip.open(vcf, "rt", encoding="utf-8") as lines:
        for count, line in enumerate(lines, 1):
            if line.startswith("#CHROM"):
                if line.split()[9:11] != ["TRUTH", "QUERY"]:
                    raise VariantsError(
                        f"{vcf.name} has no samples TRUTH and QUERY, so it is no "
                        "annotated result of a comparison."
                    )
                return count
    raise VariantsError(f"{vcf.name} has no header line.")
