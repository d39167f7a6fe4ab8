"""A whole portal on this machine: database, Valkey, web server, workers."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType

from vcbench_site.embedded import valkey, web, worker
from vcbench_site.embedded.ports import listen
from vcbench_site.embedded.processes import Child, Children, StartFailed
from vcbench_site.embedded.worker import MANAGE

FIRST_PORT = 8000


class Portal:
    """The parts of one portal, sharing a data folder; a context manager.

    `environment` holds the VCBENCH_ settings; VCBENCH_REDIS_URL in it names a server
    that runs already. Nothing of this process's own environment is changed.
    """

    def __init__(
        self,
        folder: Path,
        environment: Mapping[str, str],
        *,
        host: str = "127.0.0.1",
        port: int = FIRST_PORT,
        workers: int = 1,
    ) -> None:
        self.folder = folder.resolve()
        self.environment = {
            **environment,
            "VCBENCH_DATA_DIR": str(self.folder),
            "DJANGO_SETTINGS_MODULE": "vcbench_site.settings",
            "PYTHONUNBUFFERED": "1",
        }
        self.host = host
        self.port = port
        self.workers = workers
        self.children = Children()
        self.address = ""
        self.worker_children: list[Child] = []
        self._stack = ExitStack()

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    @property
    def redis_url(self) -> str:
        return self.environment["VCBENCH_REDIS_URL"]

    def __enter__(self) -> Portal:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.logs.mkdir(exist_ok=True)
        with ExitStack() as stack:
            stack.enter_context(only_one(self.folder))
            stack.enter_context(self.children)
            self._start_valkey()
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def _start_valkey(self) -> None:
        if "VCBENCH_REDIS_URL" in self.environment:
            if not valkey.answers(self.redis_url):
                raise StartFailed(
                    f"No Redis answers at VCBENCH_REDIS_URL ({self.redis_url}). "
                    "Start it, or unset the variable to have one started."
                )
            return
        log = self.logs / "valkey.log"
        self.environment["VCBENCH_REDIS_URL"] = valkey.start(
            self.children, self.folder / "valkey", log, self.environment
        )

    def manage(self, *arguments: str, stdin: str | None = None) -> str:
        """Run a management command; returns what it wrote.

        Raises `StartFailed` with what it wrote when it fails.
        """
        done = subprocess.run(
            [sys.executable, str(MANAGE), *arguments],
            env=self.environment,
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise StartFailed(
                f"manage.py {arguments[0]} failed:\n{done.stdout}{done.stderr}"
            )
        return done.stdout

    def serve(self) -> str:
        """Start web server and workers; returns the portal's address."""
        server = self._stack.enter_context(listen(self.host, self.port))
        self.environment["VCBENCH_HOSTS"] = self._hosts()
        web.start(self.children, server, self.logs / "web.log", self.environment)
        for _ in range(self.workers):
            self.add_worker()
        self.address = web.address_of(server)
        return self.address

    def add_worker(self) -> Child:
        """One more worker; the first brings the reaper."""
        if not self.worker_children:
            log = self.logs / "reaper.log"
            worker.start_reaper(self.children, log, self.environment)
        log = self.logs / f"worker-{len(self.worker_children) + 1}.log"
        child = worker.start(self.children, log, self.environment)
        self.worker_children.append(child)
        return child

    def _hosts(self) -> str:
        known = self.environment.get("VCBENCH_HOSTS")
        return known or ",".join(["localhost", "127.0.0.1", "[::1]", self.host])


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Hold the folder for this portal alone, until it ends however it ends."""
    with (folder / "portal.lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            raise StartFailed(
                f"The data folder {folder} is in use by another portal (process "
                f"{file.read().strip()}). End it, or name another by VCBENCH_DATA_DIR."
            ) from error
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield
