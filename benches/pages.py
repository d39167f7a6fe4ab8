"""How fast pages and lists are over a long history, on PostgreSQL.

    python benches/pages.py [--runs 100000] [--times 40] [--database URL]

Fills a database of its own with runs and 100 metric rows each, serves the portal by
daphne and asks every page and list, one after the other, as a browser does. Prints the
median, the 95th percentile, and what is transferred with scripts and styles; then, of
pages with charts, how long Chromium takes to draw them. The last line is JSON. Ends
with 1 where a page is too slow or too large, or its charts are.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import quote, urljoin, urlsplit

import requests

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benches import postgres
from benches.drawn import Drawn, drawn
from vcbench_site.embedded.portal import Portal

MOST_MS, MOST_KB = 150.0, 300.0
PARTS = re.compile(r'<(?:script[^>]* src|link[^>]*stylesheet[^>]* href)="([^"]+)"')


@dataclass(frozen=True, slots=True)
class Found:
    """Milliseconds, and kilobytes (1000) of the answer alone and with its parts.

    `work` is the CPU time of the web server and the time that the database executes: an
    answer's time on a machine that has nothing else to do.
    """

    name: str
    work: float
    median: float
    p95: float
    answer_kb: float
    whole_kb: float

    @property
    def is_good(self) -> bool:
        return self.p95 <= MOST_MS and self.whole_kb <= MOST_KB


@contextmanager
def database(url: str) -> Iterator[str]:
    """The one that is named, as it is; else that of a server of its own."""
    if url:
        yield url
        return
    with postgres.serving() as server:
        yield server.url


def fill(runs: int) -> str:
    """Make the history unless it is there; returns a session of an operator."""
    from django.contrib.auth.models import Group, User
    from django.test import Client

    from benches import history
    from runs.models import Run

    user, _made = User.objects.get_or_create(username="bench")
    user.groups.set(Group.objects.filter(name="Operators"))
    if not Run.objects.exists():
        history.fill(runs, user.pk, say=print)
    client = Client()
    client.force_login(user)
    return client.cookies["sessionid"].value


def addresses() -> dict[str, str]:
    """Every page and list, at the ends and in the middle of the history."""
    from runs.models import Run

    newest = list(Run.objects.filter(status="completed").order_by("-created_at")[:8])
    run, sample = newest[0], newest[0].sample
    old = Run.objects.order_by("created_at")[1000]
    place = quote(f"{old.created_at.isoformat()}~{old.pk}")
    several = "&".join(f"run={each.uuid}" for each in newest)
    recall = quote("small|INDEL|PASS|*|recall")
    metric = quote("Mapping metric 9")
    api = "/api/v1"
    return {
        "overview": "/",
        "runs": "/runs/",
        "runs, an old page": f"/runs/?before={place}",
        "runs of an individual": "/runs/?individual=HG004",
        "runs by part of a sample id": "/runs/?sample=lib77",
        "runs that failed": "/runs/?status=error",
        "run": run.get_absolute_url(),
        "run, results": f"{run.get_absolute_url()}results/",
        "run, report": f"{run.get_absolute_url()}report/",
        "sample": sample.get_absolute_url(),
        "compare 2": f"/compare/?run={newest[0].uuid}&run={newest[1].uuid}",
        "compare 8": f"/compare/?{several}",
        "over time": f"/over-time/?individual=HG004&metric={recall}",
        "over time, QC": "/over-time/?individual=HG004&group=Mapping",
        "over time, one sample": f"/over-time/?individual={sample.individual}"
        f"&sample={sample.name}",
        "over time, against a version": "/over-time/?individual=HG004"
        "&baseline=pipeline&base_pipeline=DRAGEN%204.2.4",
        "over time, old": f"/over-time/?individual=HG004&before={place}",
        "QC": "/qc/",
        "QC, two metrics": "/qc/?category=Mapping&other=small"
        f"&other_metric={recall}&individual=HG002",
        "monitoring": "/monitoring/",
        "references": "/references/",
        "new run": "/runs/new/",
        "API runs": f"{api}/runs",
        "API runs of an individual": f"{api}/runs?individual=HG004",
        "API runs of a sample": f"{api}/runs?sample={sample.name}",
        "API run": f"{api}/runs/{run.uuid}",
        "API log": f"{api}/runs/{run.uuid}/logs",
        "API metrics of a run": f"{api}/runs/{run.uuid}/metrics",
        "API small variants": f"{api}/metrics/small-variants?type=SNP&filter=PASS",
        "API small variants of a run": f"{api}/metrics/small-variants?run={run.uuid}",
        "API small variants of an individual": f"{api}/metrics/small-variants"
        "?individual=HG004&type=SNP&filter=PASS&subset=*",
        "API structural variants": f"{api}/metrics/structural-variants",
        "API QC of a run": f"{api}/metrics/qc?run={run.uuid}",
        "API QC, one metric": f"{api}/metrics/qc?metric={metric}",
        "API QC of an individual": f"{api}/metrics/qc?metric={metric}&individual=HG004",
        "API status of a sample": f"{api}/download/status/{sample.name}",
        "API samples": f"{api}/samples",
        "API references": f"{api}/references",
        "API engines": f"{api}/engines",
    }


TICKS = os.sysconf("SC_CLK_TCK")


def spent(server: int) -> float:
    """Milliseconds of work so far, of the web server and in the database."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT active_time FROM pg_stat_database "
            "WHERE datname = current_database()"
        )
        [[executing]] = cursor.fetchall()
    fields = Path(f"/proc/{server}/stat").read_text().rpartition(")")[2].split()
    ticks = int(fields[11]) + int(fields[12])
    return float(executing) + 1000 * ticks / TICKS


def measure(
    browser: requests.Session, portal: Portal, name: str, path: str, times: int
) -> Found:
    took = []
    base, server = portal.address, web_server(portal)
    browser.get(base + path, timeout=60)
    before = spent(server)
    for _ in range(times):
        started = time.perf_counter()
        answer = browser.get(base + path, timeout=60)
        took.append((time.perf_counter() - started) * 1000)
        if answer.status_code != 200:
            log = (portal.logs / "web.log").read_text()[-3000:]
            raise SystemExit(f"{name}: {path} answers {answer.status_code}.\n{log}")
    work = (spent(server) - before) / times
    p95 = statistics.quantiles(took, n=20)[-1] if len(took) > 1 else took[0]
    alone = len(answer.content) / 1000
    whole = alone + sum(parts(browser, answer)) / 1000
    return Found(name, work, statistics.median(took), p95, alone, whole)


def parts(browser: requests.Session, answer: requests.Response) -> Iterator[int]:
    """Bytes of the scripts and styles of a page, as they are sent."""
    for address in set(PARTS.findall(answer.text)):
        with browser.get(urljoin(answer.url, address), stream=True, timeout=60) as part:
            yield len(part.raw.read(decode_content=False))


def show(found: Found) -> None:
    sign = "" if found.is_good else "  <- too much"
    print(
        f"{found.name:38} {found.work:6.0f} {found.median:7.0f} {found.p95:7.0f} ms "
        f"{found.answer_kb:7.0f} {found.whole_kb:7.0f} kB{sign}",
        flush=True,
    )


def measure_charts(portal: Portal, session: str, only: str, times: int) -> list[Drawn]:
    """Of pages alone: lists of the REST interface have none."""
    pages = {
        name: path
        for name, path in addresses().items()
        if name.startswith(only) and not name.startswith("API")
    }
    print(f"{'':38}  charts  points    work  median     p95      sent")
    found = []
    for each in drawn(pages, portal.address, session, times):
        sign = "" if each.is_good else "  <- too much"
        print(
            f"{each.name:38} {each.charts:7} {each.points:7} {each.work:7.0f} "
            f"{each.median:7.0f} {each.p95:7.0f} ms {each.sent_kb:6.0f} kB{sign}",
            flush=True,
        )
        found.append(each)
    return found


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--runs", type=int, default=100_000)
    arguments.add_argument("--times", type=int, default=40)
    arguments.add_argument("--only", default="", help="names that begin so")
    arguments.add_argument("--database", default="", help="kept as it is; filled once")
    asked = arguments.parse_args()
    with (
        database(asked.database) as url,
        tempfile.TemporaryDirectory(prefix="vcbench-bench-") as folder,
    ):
        environment = {**os.environ, "VCBENCH_DATABASE_URL": url}
        with Portal(Path(folder), environment, workers=0, port=0) as portal:
            os.environ.update(portal.environment)
            import django

            django.setup()
            portal.manage("migrate", "--noinput")
            session = fill(asked.runs)
            portal.serve()
            browser = browser_of(session, portal)
            print(f"{'':38}    work  median     p95      answer   whole")
            found = []
            for name, path in addresses().items():
                if name.startswith(asked.only):
                    found.append(measure(browser, portal, name, path, asked.times))
                    show(found[-1])
            charts = measure_charts(portal, session, asked.only, asked.times)
    result = {
        "runs": asked.runs,
        "pages": [asdict(each) for each in found],
        "charts": [asdict(each) for each in charts],
    }
    print(json.dumps(result))
    return int(not all(each.is_good for each in (*found, *charts)))


def web_server(portal: Portal) -> int:
    """The process id of its daphne."""
    processes = [child.process for child in portal.children if "web" in child.name]
    return next(process.pid for process in processes if process is not None)


def browser_of(session: str, portal: Portal) -> requests.Session:
    browser = requests.Session()
    host = urlsplit(portal.address).hostname or ""
    browser.cookies.set("sessionid", session, domain=host)
    return browser


if __name__ == "__main__":
    sys.exit(main())
