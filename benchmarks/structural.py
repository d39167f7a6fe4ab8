"""Truvari's false positives and negatives, in the same columnar file as small ones.

`variants.read` and its like serve both. `subtype` is the class of size, `reason`
whether Truvari found anything near: `no match`, or `allele` where it weighed another
variant and found it too unlike.
"""

from __future__ import annotations

import gzip
import json
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb

from benchmarks import variants
from benchmarks.parsers.errors import ParseError
from benchmarks.parsers.truvari_classes import FILES, read_record, size_class
from benchmarks.variants import VariantsError

SIDES = {"fn": ("FN", "truth"), "fp": ("FP", "query")}
LOSING = ("DEL",)
COLUMNS = {
    "rank": "BIGINT",
    "contig": "VARCHAR",
    "position": "BIGINT",
    "ref": "VARCHAR",
    "alt": "VARCHAR",
    "side": "VARCHAR",
    "verdict": "VARCHAR",
    "reason": "VARCHAR",
    "type": "VARCHAR",
    "subtype": "VARCHAR",
    "genotype": "VARCHAR",
    "size": "BIGINT",
    "quality": "DOUBLE",
    "filter": "VARCHAR",
    "strata": "VARCHAR[]",
}


def extract(folder: Path, parquet: Path) -> int:
    """Write the false variants of a folder of `truvari bench`; returns how many.

    Raises `VariantsError` for a file that cannot be read.
    """
    with tempfile.NamedTemporaryFile("w", suffix=".json", dir=parquet.parent) as rows:
        for key, (verdict, side) in SIDES.items():
            path = folder / FILES[key]
            try:
                for row in _rows(path, verdict, side):
                    rows.write(json.dumps(row) + "\n")
            except (ParseError, OSError, EOFError, zlib.error) as error:
                raise VariantsError(f"{path.name} cannot be read: {error}") from error
        rows.flush()
        _write(Path(rows.name), parquet)
    return sum(variants.choices(parquet).by["verdict"].values())


def _write(rows: Path, parquet: Path) -> None:
    columns = ", ".join(f"'{name}': '{kind}'" for name, kind in COLUMNS.items())
    source, target = variants.quoted(rows), variants.quoted(parquet)
    order = "rank, position, side DESC"
    with duckdb.connect(config={"threads": 1}) as database:
        database.execute(
            f"COPY (SELECT row_number() OVER (ORDER BY {order}) AS place, "
            "* EXCLUDE (rank) "
            f"FROM read_json({source}, format='newline_delimited', "
            f"columns={{{columns}}}) ORDER BY place) "
            f"TO {target} (FORMAT parquet)"
        )


def _rows(path: Path, verdict: str, side: str) -> Iterator[dict[str, Any]]:
    contigs: dict[str, int] = {}
    with gzip.open(path, "rt", encoding="utf-8", errors="replace") as file:
        for line in file:
            if line.startswith("##contig=<ID="):
                name = line[13:].split(",")[0].rstrip(">\n")
                contigs.setdefault(name, len(contigs))
            elif not line.startswith("#"):
                row = _row(path, line, verdict, side)
                row["rank"] = contigs.setdefault(row["contig"], len(contigs))
                yield row


def _row(path: Path, line: str, verdict: str, side: str) -> dict[str, Any]:
    record = read_record(path, line)
    columns = record.columns
    return {
        "contig": columns[0],
        "position": int(columns[1]),
        "ref": columns[3],
        "alt": columns[4],
        "side": side,
        "verdict": verdict,
        "reason": "allele" if "TruScore" in record.info else "no match",
        "type": record.type,
        "subtype": size_class(record.size),
        "genotype": _genotype(columns),
        "size": -record.size if record.type in LOSING else record.size,
        "quality": _number(columns[5]),
        "filter": columns[6],
        "strata": [],
    }


def _genotype(columns: Sequence[str]) -> str | None:
    if len(columns) < 10 or "GT" not in (names := columns[8].split(":")):
        return None
    values = columns[9].rstrip("\n").split(":")
    return values[names.index("GT")]


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
