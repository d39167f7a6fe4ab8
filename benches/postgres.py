"""A PostgreSQL server of the bench's own, which may be killed and restarted."""

from __future__ import annotations

import glob
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from vcbench_site.embedded.ports import free_port

PROGRAMS = "/usr/lib/postgresql/*/bin/pg_ctl"


@dataclass(frozen=True, slots=True)
class Server:
    """`url` names its database; it keeps its port over a restart."""

    programs: Path
    folder: Path
    port: int

    @property
    def url(self) -> str:
        return f"postgres://bench@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        options = (
            f"-p {self.port} -k {self.folder.parent} -c listen_addresses=127.0.0.1"
        )
        log = str(self.folder.parent / "postgres.log")
        self._run(
            "pg_ctl", "-D", str(self.folder), "-o", options, "-l", log, "-w", "start"
        )

    def stop(self) -> None:
        """As a machine that goes down: connections are cut, nothing is finished."""
        self._run("pg_ctl", "-D", str(self.folder), "-m", "immediate", "-w", "stop")

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [*as_other_user(), str(self.programs / program), *arguments],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd="/",
        )


@contextmanager
def serving() -> Iterator[Server]:
    """A fresh server. Raises SystemExit where PostgreSQL is not installed."""
    found = sorted(glob.glob(PROGRAMS)) or [shutil.which("pg_ctl") or ""]
    if not found[-1]:
        raise SystemExit("PostgreSQL is not installed (Debian: postgresql).")
    with tempfile.TemporaryDirectory(prefix="vcbench-postgres-") as folder:
        if as_other_user():
            os.chown(folder, pwd.getpwnam("postgres").pw_uid, -1)
        server = Server(
            Path(found[-1]).parent, Path(folder, "data"), free_port("127.0.0.1")
        )
        server._run("initdb", "-D", str(server.folder), "-U", "bench", "--auth=trust")
        server.start()
        try:
            yield server
        finally:
            server.stop()


def as_other_user() -> list[str]:
    """PostgreSQL refuses to run as root."""
    return ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
