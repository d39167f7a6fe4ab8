"""A long history, made by PostgreSQL itself: runs of 700 samples with their metrics.

Every run has 100 metric rows: 4 of the whole, 20 of strata, 5 of structural variants
and 71 QC values. Numbers are noise around a level; INDEL recall of DRAGEN 4.3.6 is
lower.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from django.db import connection

SAMPLES = 700
PER_RUN = 100
QC = 71
STEP = 10_000
"""Runs of one statement."""
CATEGORIES = (
    ("Summary", "time_metrics", "RUN TIME"),
    ("SV", "sv_metrics", "SV SUMMARY"),
    ("VC", "vc_metrics", "VARIANT CALLER POSTFILTER"),
    ("CNV", "cnv_metrics", "CNV SUMMARY"),
    ("ROH", "roh_metrics", "VARIANT CALLER"),
    ("HetHom", "vc_hethom_ratio_metrics", "VARIANT CALLER POSTFILTER"),
    ("Ploidy", "ploidy_estimation_metrics", "PLOIDY ESTIMATION"),
    ("Bed coverage", "coverage_metrics", "COVERAGE SUMMARY"),
    ("Contig coverage", "overall_mean_cov", ""),
    ("Mapping", "mapping_metrics", "MAPPING/ALIGNING SUMMARY"),
)

SAMPLE_ROWS = """
INSERT INTO runs_sample (name, individual, note, created_at)
SELECT p.name || '_Lib' || (i / 7 + 1) || '_Rep1', p.individual, '', '2015-01-01'
FROM generate_series(0, %(samples)s - 1) AS i
JOIN (VALUES (0, 'NA12878', 'HG001'), (1, 'NA24385', 'HG002'),
    (2, 'NA24149', 'HG003'), (3, 'NA24143', 'HG004'), (4, 'NA24631', 'HG005'),
    (5, 'NA24694', 'HG006'), (6, 'NA24695', 'HG007')) AS p(n, name, individual)
    ON p.n = i %% 7"""
RUN_ROWS = """
INSERT INTO runs_run (uuid, sample_id, created_by_id, source, location, options,
    auto_process, priority, status, reason, details, pipeline, attempt, tries, retries,
    worker, created_at, queued_at, started_at, finished_at, stage, bytes_done,
    bytes_total, last_sequence, provenance)
SELECT gen_random_uuid(), s.id, %(user)s, 's3', '{}', '{}', true, 'default',
    CASE WHEN i %% 50 = 0 THEN 'error' ELSE 'completed' END, '', '',
    'DRAGEN ' || (ARRAY['4.0.3', '4.2.4', '4.2.7', '4.3.6', '4.4.4'])[
        (i * 5 / %(runs)s) + 1],
    1, 0, 0, '', t.at, t.at, t.at, t.at + interval '40 minutes', '', 1e9, 1e9, 200,
    jsonb_build_object('reference', jsonb_build_object('build', 'GRCh38', 'small',
        s.individual || '-v4.2.1'), 'happy', jsonb_build_object('engine', 'builtin'))
FROM generate_series(0, %(runs)s - 1) AS i
JOIN (SELECT id, individual, row_number() OVER (ORDER BY id) - 1 AS n
    FROM runs_sample) AS s ON s.n = i %% %(samples)s
CROSS JOIN LATERAL (SELECT now() - (%(runs)s - i) * interval '50 minutes' AS at) AS t
ORDER BY i"""
SMALL_ROWS = """
INSERT INTO benchmarks_smallvariantmetric (run_id, engine, type, subtype, subset,
    filter, genotype, truth_total, truth_tp, truth_fn, query_total, query_tp, query_fp,
    query_unk, fp_gt, fp_al, recall, recall_lower, recall_upper, precision,
    precision_lower, precision_upper, frac_na, f1, columns)
SELECT r.id, 'builtin', k.type, '*', k.subset, k.filter, '*', k.total,
    (k.total * v.recall)::bigint, (k.total * (1 - v.recall))::bigint, k.total * 1.2,
    (k.total * v.recall)::bigint, (k.total * (1 - v.precision))::bigint, k.total * 0.2,
    9, 3, v.recall, v.recall - 0.0002, v.recall + 0.0002, v.precision,
    v.precision - 0.0002, v.precision + 0.0002, 0.16,
    2 * v.recall * v.precision / (v.recall + v.precision), '{}'
FROM runs_run AS r
CROSS JOIN (
    SELECT type, '*' AS subset, filter, CASE type WHEN 'SNP' THEN 3327496 ELSE 504501
        END AS total
    FROM (VALUES ('SNP'), ('INDEL')) AS a(type), (VALUES ('PASS'), ('ALL')) AS b(filter)
    UNION ALL
    SELECT type, 'stratum-' || n, 'PASS', 20000
    FROM (VALUES ('SNP'), ('INDEL')) AS a(type), generate_series(1, 10) AS n) AS k
CROSS JOIN LATERAL (SELECT
    0.9955 + 0.0003 * (random() + random() - random() - r.id * 0) - CASE
        WHEN k.type = 'INDEL' AND r.pipeline = 'DRAGEN 4.3.6' THEN 0.0025 ELSE 0 END
        AS recall,
    0.998 + 0.0002 * (random() + random() - r.id * 0) AS precision) AS v
WHERE r.id >= %(first)s AND r.id < %(last)s"""
STRUCTURAL_ROWS = """
INSERT INTO benchmarks_structuralvariantmetric (run_id, source, preset, type,
    size_class, tp_base, tp_comp, fp, fn, precision, recall, f1, gt_concordance,
    columns)
SELECT r.id, 'bench', 'default', k.type, '*', 9300, 9300, 420, 340, 0.957, 0.965,
    0.961 + 0.001 * (random() - r.id * 0), 0.97, '{}'
FROM runs_run AS r
CROSS JOIN (VALUES ('*'), ('DEL'), ('INS'), ('DUP'), ('INV')) AS k(type)
WHERE r.id >= %(first)s AND r.id < %(last)s"""
QC_ROWS = """
INSERT INTO benchmarks_qcmetric (run_id, category, file, kind, line, section, scope,
    metric, text, value)
SELECT r.id, c.category, s.name || '.' || c.kind || '.csv', c.kind, n, c.section, '',
    c.category || ' metric ' || n, v.value::text, v.value
FROM runs_run AS r
JOIN runs_sample AS s ON s.id = r.sample_id
CROSS JOIN generate_series(1, %(qc)s) AS n
JOIN unnest(%(categories)s::text[], %(kinds)s::text[], %(sections)s::text[])
    WITH ORDINALITY AS c(category, kind, section, at) ON c.at = n %% 10 + 1
CROSS JOIN LATERAL (SELECT round((100 + 3 * (random() + random() - r.id * 0))::numeric,
    4)::float AS value) AS v
WHERE r.id >= %(first)s AND r.id < %(last)s
ORDER BY r.id, n"""


def fill(runs: int, user: int, *, say: Callable[[str], None]) -> None:
    """Make the history in the database of the settings, which must be PostgreSQL."""
    started = time.monotonic()
    names = [list(column) for column in zip(*CATEGORIES, strict=True)]
    about: dict[str, Any] = {
        "samples": SAMPLES,
        "runs": runs,
        "user": user,
        "qc": QC,
        "categories": names[0],
        "kinds": names[1],
        "sections": names[2],
    }
    with connection.cursor() as cursor:
        cursor.execute(SAMPLE_ROWS, about)
        cursor.execute(RUN_ROWS, about)
        cursor.execute("SELECT min(id) FROM runs_run")
        [[first]] = cursor.fetchall()
        for start in range(first, first + runs, STEP):
            span = about | {"first": start, "last": start + STEP}
            for rows in (SMALL_ROWS, STRUCTURAL_ROWS, QC_ROWS):
                cursor.execute(rows, span)
            done = min(runs, start + STEP - first)
            say(f"{done:,} runs after {time.monotonic() - started:.0f} s")
        cursor.execute("VACUUM ANALYZE")
