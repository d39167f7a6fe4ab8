"""The table of false variants with a million of them: page and REST, p50 and p95.

make bench-variants [ARGS="--rows 1000000 --times 40"]
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

QUERIES = {
    "first page": "",
    "page in the middle": "page=10000",
    "last page": "page=20000",
    "FP, INDEL, page 2000": "verdict=FP&type=INDEL&page=2000",
    "a stratum, by quality": "stratum=TR&sort=-quality",
    "a place": "place=chr7:100000-200000",
    "large ones": "min_size=15&sort=-size",
}
ROWS = """
    SELECT i AS place, 'chr' || (i * 22 // {rows} + 1) AS contig,
        (i % ({rows} // 22)) * 40 + 1 AS position,
        'A' AS ref, CASE WHEN i % 3 = 0 THEN 'ATT' ELSE 'G' END AS alt,
        CASE WHEN i % 2 = 0 THEN 'truth' ELSE 'query' END AS side,
        CASE WHEN i % 2 = 0 THEN 'FN' ELSE 'FP' END AS verdict,
        ['no match', 'genotype', 'allele'][(hash(i) % 3)::BIGINT + 1] AS reason,
        CASE WHEN i % 3 = 0 THEN 'INDEL' ELSE 'SNP' END AS type, 'ti' AS subtype,
        ['0/1', '1/1', '1|0'][(hash(i + 1) % 3)::BIGINT + 1] AS genotype,
        CASE WHEN i % 3 = 0 THEN hash(i) % 20 ELSE 0 END::BIGINT AS size,
        (hash(i + 2) % 9900 / 100)::DOUBLE AS quality, 'PASS' AS filter,
        ['CONF', ['TR', 'SD', 'HP'][(hash(i + 3) % 3)::BIGINT + 1]] AS strata
    FROM range({rows}) AS rows(i) ORDER BY place"""


@contextmanager
def portal() -> Iterator[None]:
    """Django on a data folder and database of its own."""
    with tempfile.TemporaryDirectory(prefix="vcbench-bench-") as folder:
        os.environ |= {
            "VCBENCH_DATA_DIR": folder,
            "DJANGO_SETTINGS_MODULE": "vcbench_site.settings",
            "VCBENCH_HOSTS": "testserver",
        }
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", "--noinput", verbosity=0)
        yield


def write(parquet: Path, rows: int) -> None:
    parquet.parent.mkdir(parents=True)
    with duckdb.connect() as database:
        database.execute(
            f"COPY ({ROWS.format(rows=rows)}) TO '{parquet}' "
            "(FORMAT parquet, ROW_GROUP_SIZE 20000)"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--times", type=int, default=40)
    asked = parser.parse_args()
    with portal():
        measure(asked.rows, asked.times)


def measure(rows: int, times: int) -> None:
    from django.contrib.auth.models import User
    from django.test import Client

    from benchmarks import variants
    from runs.models import Run, Sample
    from runs.results import variants_of

    run = Run.objects.create(sample=Sample.objects.create(name="big"), source="path")
    write(variants_of(run), rows)
    variants.choices(variants_of(run))
    client = Client()
    client.force_login(User.objects.create_superuser("bench"))
    print(f"{rows:,} rows, {variants_of(run).stat().st_size / 1e6:.1f} MB")
    for name, query in QUERIES.items():
        rest = query.replace("page=", "limit=50&offset=5")
        pages = {
            "page": f"/runs/{run.uuid}/variants/?{query}",
            "REST": f"/api/v1/runs/{run.uuid}/variants?{rest}",
        }
        figures = [f"{kind} {told(client, url, times)}" for kind, url in pages.items()]
        print(f"{name:24}{'   '.join(figures)}")


def told(client: object, url: str, times: int) -> str:
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        answer = client.get(url)  # type: ignore[attr-defined]
        taken.append(1000 * (time.perf_counter() - start))
        if answer.status_code != 200:
            raise SystemExit(f"{url}: {answer.status_code} {answer.content[:300]!r}")
    p95 = statistics.quantiles(taken, n=20)[-1]
    return f"p50 {statistics.median(taken):4.0f} ms, p95 {p95:4.0f} ms"


if __name__ == "__main__":
    main()
