"""A portal without web server on the demo's synthetic laboratory, for the benches.

Everything is real: Valkey, the database (VCBENCH_DATABASE_URL, else SQLite), an S3
service and a file server on loopback, worker processes.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from demo import giab, lab, s3
from vcbench_site.embedded.portal import Portal

ANALYSIS = "20250122_4.2.4"


@dataclass(frozen=True, slots=True)
class Laboratory:
    """The portal, and the samples that its bucket holds."""

    portal: Portal
    samples: list[str]
    bucket: s3.Bucket
    expected: dict[str, lab.Expected]


def ends_on_sigterm() -> None:
    """SIGTERM ends this process as Ctrl-C does: what was started is ended with it."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))


@contextmanager
def laboratory(*, samples: int = 2, **settings: str) -> Iterator[Laboratory]:
    """Serve the laboratory; this process becomes a part of the portal (Django)."""
    ends_on_sigterm()
    with (
        tempfile.TemporaryDirectory(prefix="vcbench-bench-") as folder,
        s3.serving(Path(folder)) as bucket,
    ):
        made = lab.build(Path(folder, "lab"))
        names = sorted(path.name for path in made.samples.iterdir())[-samples:]
        for sample in names:
            bucket.put_folder(sample, made.samples / sample, id=ANALYSIS)
        with giab.serving(made.site) as site:
            environment = {
                **os.environ,
                **bucket.settings,
                "VCBENCH_CATALOG": str(made.catalog),
                "VCBENCH_GIAB_URLS": site,
                "VCBENCH_RUNS_PER_USER": "0",
                **settings,
            }
            with Portal(Path(folder, "data"), environment, workers=0) as portal:
                _become_part_of(portal)
                portal.manage("migrate", "--noinput")
                yield Laboratory(portal, names, bucket, dict(made.expected))


def _become_part_of(portal: Portal) -> None:
    import django

    os.environ.update(portal.environment)
    django.setup()
