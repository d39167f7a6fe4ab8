"""Become another program that ends when the process that started it ends.

    python bound.py PARENT PROGRAM ARGUMENTS...

The kernel sends SIGTERM when the parent's thread is gone, however it went (`kill -9`
too). The wish outlives `exec`. Run as a file, so that it starts without the site's
packages; a function between fork and exec is not safe in a process with threads.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main(parent: int, command: list[str]) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it was gone before the wish was made
            sys.exit(f"The process {parent} that started this one is gone.")
    os.execvp(command[0], command)  # noqa: S606  an argument list, no shell


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
