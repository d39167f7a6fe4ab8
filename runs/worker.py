"""RQ's worker, with the two things that RQ leaves to us.

A worker that is told to stop hands its run back instead of finishing it, and a run
whose process dies goes on at once instead of after the reaper's wait.
"""

from __future__ import annotations

import ctypes
import signal
from typing import Any

from django.db import connections
from rq import Worker
from rq.job import Job
from rq.queue import Queue

from runs import lifecycle
from runs.queue import JOB

PR_SET_PDEATHSIG = 1


def end_with_parent() -> None:
    """SIGTERM comes when the process that started this one dies, however it dies."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


class RunWorker(Worker):
    """Carries one run at a time, in a child process (RQ's work horse)."""

    def handle_warm_shutdown_request(self) -> None:
        """SIGTERM or SIGINT came: pass it on, the run is handed back."""
        super().handle_warm_shutdown_request()  # type: ignore[no-untyped-call]
        if self.horse_pid:
            self.kill_horse(signal.SIGTERM)

    def main_work_horse(self, job: Job, queue: Queue) -> None:
        """In the child: SIGTERM should this worker die, no connections of its own."""
        end_with_parent()
        connections.close_all()
        super().main_work_horse(job, queue)

    def handle_work_horse_killed(
        self, job: Job, retpid: int, ret_val: int, rusage: Any
    ) -> None:
        if job.func_name != JOB:
            return
        run_id, attempt = job.args
        number = ret_val & 0x7F
        name = signal.Signals(number).name if number else f"status {ret_val >> 8}"
        lifecycle.lost(run_id, attempt, f"The worker process was ended by {name}.")
        connections.close_all()
