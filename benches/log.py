"""`make bench-log`: the live log under load (issue figures for 200 browsers).

One daphne, one Valkey, one worker and one load client share this machine. Prints what
it does, and its figures as one JSON line last; exits 1 when a target is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import Request, urlopen

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benches.laboratory import ends_on_sigterm  # noqa: E402
from benches.log_client import Orders  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runs.models import Run
    from vcbench_site.embedded.processes import Children

CLIENTS = 200
TARGETS = {10: 50, 100: 100, 4_000: 200, 8_000: 300}
"""Lines per second, and the p99 in ms that is allowed."""
SAME = 1.5
"""How much more a window of the longest log may cost than one of the shortest."""
OPEN_MS = 300
PARTS = ("live", "page", "cursor")


@dataclass(frozen=True)
class Scenario:
    name: str
    rate: int
    steady: int = CLIENTS
    reconnecting: int = 0
    slow: int = 0
    restart: bool = False


def scenarios() -> list[Scenario]:
    plain = [Scenario(f"{rate}/s", rate) for rate in TARGETS]
    return [
        *plain,
        Scenario(
            "4000/s, 20 reconnect, 5 read slowly",
            4_000,
            steady=CLIENTS - 25,
            reconnecting=20,
            slow=5,
        ),
        Scenario("100/s, Valkey restarted", 100, restart=True),
    ]


class Bench:
    """The services of one database, and what is measured with them."""

    def __init__(self, children: Children, folder: Path, seconds: float) -> None:
        self.children = children
        self.folder = folder
        self.seconds = seconds
        self.missed: list[str] = []
        self.valkey: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        from vcbench_site.embedded import ports, web

        self.start_valkey()
        server = ports.listen("127.0.0.1", 0)
        self.port = server.getsockname()[1]
        self.web = web.start(self.children, server, self.folder / "web.log", os.environ)
        self.cookie = self.sign_in()

    @property
    def web_pid(self) -> int:
        if self.web.process is None:
            raise SystemExit("The web server has ended.")
        return self.web.process.pid

    def start_valkey(self) -> None:
        from vcbench_site.embedded import valkey

        port = os.environ["VCBENCH_REDIS_URL"].rpartition(":")[2].partition("/")[0]
        self.valkey = subprocess.Popen(
            [valkey.program(), "--port", port, "--save", "", "--bind", "127.0.0.1"],
            stdout=subprocess.DEVNULL,
            cwd=self.folder,
        )
        # The port stays the same when the scenario kills it.
        while not valkey.answers(os.environ["VCBENCH_REDIS_URL"]):
            time.sleep(0.02)

    def stop(self) -> None:
        if self.valkey is not None:
            self.valkey.kill()
            self.valkey.wait()

    def sign_in(self) -> str:
        from django.contrib.auth.models import User
        from django.test import Client

        user = User.objects.create_superuser("bench", password=str(uuid.uuid4()))
        client = Client()
        client.force_login(user)
        return f"sessionid={client.cookies['sessionid'].value}"

    def run(self, **fields: Any) -> Run:
        from django.utils import timezone

        from runs.models import Run, Sample, Status

        sample, _ = Sample.objects.get_or_create(name="NA24385_Lib1_Rep1")
        if fields.get("status") == Status.RUNNING:
            fields |= {"claim": uuid.uuid4(), "beat_at": timezone.now()}
        return Run.objects.create(sample=sample, source="s3", **fields)

    def live(self, scenario: Scenario) -> dict[str, Any]:
        """Write at the scenario's rate while its clients look."""
        run = self.run(status="running")
        path = f"/ws/runs/{run.uuid}/"
        orders = Orders(
            self.port,
            path,
            self.cookie,
            scenario.steady,
            scenario.reconnecting,
            scenario.slow,
        )
        client = subprocess.Popen(
            [sys.executable, "-m", "benches.log_client", json.dumps(asdict(orders))],
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        if client.stdout is None or client.stdout.readline().strip() != "ready":
            raise SystemExit("The load client did not come up.")
        task = [run.pk, str(run.claim), scenario.rate, self.seconds]
        writer = subprocess.Popen(
            [sys.executable, "-m", "benches.log_writer", json.dumps(task)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        if scenario.restart:
            time.sleep(self.seconds / 2)
            self.stop()
            time.sleep(0.5)
            self.start_valkey()
        before = cpu(self.web_pid)
        written = json.loads(writer.communicate()[0])
        found = json.loads(client.communicate(timeout=180)[0])
        found["web_cpu_s"] = round(cpu(self.web_pid) - before, 1)
        return self.judge(scenario, written, found)

    def judge(
        self, scenario: Scenario, written: dict[str, Any], found: dict[str, Any]
    ) -> dict[str, Any]:
        lines = written["written"]
        lost = lines - min(found.pop("lasts"))
        target = TARGETS[scenario.rate]
        if found["p99_ms"] > target:
            self.missed.append(f"{scenario.name}: p99 over {target} ms")
        if lost or found["doubled"] or found["disordered"]:
            self.missed.append(f"{scenario.name}: lines lost, doubled or out of order")
        memory = resident(self.web_pid)
        return {
            "scenario": scenario.name,
            "clients": scenario.steady + scenario.reconnecting + scenario.slow,
            "lines": lines,
            "lost": lost,
            "target_ms": target,
            **found,
            "writer_cpu_s": written["cpu_s"],
            "web_mb": memory,
        }

    def fill(self, lines: int) -> Run:
        """An ended run with that many lines."""
        from django.db import connection
        from django.utils import timezone

        run = self.run(status="completed", last_sequence=lines)
        with connection.cursor() as cursor:
            cursor.execute(
                """
                INSERT INTO runs_logentry
                    (run_id, sequence, time, level, stage, message)
                WITH RECURSIVE lines(i) AS
                    (SELECT 1 UNION ALL SELECT i + 1 FROM lines WHERE i < %s)
                SELECT %s, i, %s, 'info', 'happy',
                    'line ' || i || ': a line about as long as those that tools write'
                FROM lines
                """,
                [lines, run.pk, timezone.now()],
            )
        return run

    def windows(self, run: Run, count: int = 300) -> float:
        """The median of `GET …/logs?since=N` at random places, in ms."""
        times = []
        for _ in range(count):
            since = random.randrange(max(1, run.last_sequence - 500))
            path = f"/api/v1/runs/{run.uuid}/logs?since={since}&limit=500"
            started = time.perf_counter()
            answer = json.loads(self.get(path))
            times.append(time.perf_counter() - started)
            if answer["logs"][0]["sequence"] != since + 1:
                raise SystemExit(f"{path} begins with {answer['logs'][0]}")
        return round(statistics.median(times) * 1000, 2)

    def get(self, path: str) -> bytes:
        request = Request(
            f"http://127.0.0.1:{self.port}{path}", headers={"Cookie": self.cookie}
        )
        with urlopen(request) as answer:  # noqa: S310  our own server
            body: bytes = answer.read()
        return body

    def cursors(self, most: int) -> dict[str, Any]:
        """What a window costs in logs of 1,000 lines and of `most`."""
        short, long = self.fill(1_000), self.fill(most)
        self.windows(short, 50)
        rounds = [(self.windows(short), self.windows(long)) for _ in range(3)]
        few, many = (statistics.median(each) for each in zip(*rounds, strict=True))
        ratio = round(many / few, 2)
        if ratio > SAME:
            self.missed.append(f"a window of the long log costs {ratio} x")
        return {"lines": most, "few_ms": few, "many_ms": many, "ratio": ratio}

    def opening(self, lines: int) -> dict[str, Any] | None:
        """How long the page of a long run takes to show lines, and what it holds."""
        from benches.log_page import measure

        run = self.fill(lines)
        found = measure(f"http://127.0.0.1:{self.port}", self.cookie, run.uuid, lines)
        if found is not None and found["last_lines_ms"] > OPEN_MS:
            self.missed.append(f"a page of {lines} lines opens in over {OPEN_MS} ms")
        return found


def cpu(pid: int) -> float:
    """Seconds of processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident(pid: int) -> int:
    """MB of memory that a process holds."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 1_000_000


@contextmanager
def database(folder: Path, *, server: bool) -> Iterator[str]:
    """A database of the bench's own: SQLite, or on a PostgreSQL server of its own."""
    if not server:
        yield f"sqlite:///{folder / 'bench.sqlite3'}"
        return
    from benches import postgres

    with postgres.serving() as started:
        yield started.url


@contextmanager
def serving(*, postgres: bool, seconds: float) -> Iterator[Bench]:
    """The services, of which this process becomes a part (Django)."""
    from vcbench_site.embedded import ports
    from vcbench_site.embedded.processes import Children

    ends_on_sigterm()
    with tempfile.TemporaryDirectory(prefix="vcbench-bench-") as name:
        folder = Path(name)
        os.environ |= {
            "DJANGO_SETTINGS_MODULE": "vcbench_site.settings",
            "VCBENCH_DATA_DIR": name,
            "VCBENCH_LOG_LEVEL": "WARNING",
            "VCBENCH_REDIS_URL": f"redis://127.0.0.1:{ports.free_port()}/0",
        }
        with database(folder, server=postgres) as url, Children() as children:
            os.environ["VCBENCH_DATABASE_URL"] = url
            migrate()
            bench = Bench(children, folder, seconds)
            try:
                bench.start()
                yield bench
            finally:
                bench.stop()


def migrate() -> None:
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)


def measure(bench: Bench, options: argparse.Namespace) -> dict[str, Any]:
    figures: dict[str, Any] = {
        "database": "postgresql" if options.postgres else "sqlite",
        "load_before": round(os.getloadavg()[0], 1),
    }
    if "live" in options.parts:
        figures["live"] = []
        for scenario in scenarios():
            if options.only in scenario.name:
                figures["live"].append(bench.live(scenario))
                print(json.dumps(figures["live"][-1]), flush=True)
    if "page" in options.parts:
        figures["page"] = bench.opening(options.page_lines)
        print(json.dumps(figures["page"]), flush=True)
    if "cursor" in options.parts:
        figures["cursor"] = bench.cursors(options.lines)
    return {**figures, "missed": bench.missed}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--postgres", action="store_true", help="instead of SQLite")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--lines", type=int, default=10_000_000)
    parser.add_argument("--page-lines", type=int, default=1_000_000)
    parser.add_argument("--only", default="", help="scenarios with this in their name")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    options = parser.parse_args()
    with serving(postgres=options.postgres, seconds=options.seconds) as bench:
        figures = measure(bench, options)
    print(json.dumps(figures))
    return 1 if figures["missed"] else 0


if __name__ == "__main__":
    sys.exit(main())
