"""`make run`: a portal for real work on one machine, until Ctrl-C."""

from __future__ import annotations

import getpass
import logging
import os
import signal
import sys
import threading
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from vcbench_site import environment
from vcbench_site.embedded.answers import Answers
from vcbench_site.embedded.portal import Portal
from vcbench_site.embedded.ports import NoFreePort
from vcbench_site.embedded.processes import StartFailed

BASE = Path(__file__).resolve().parents[2]
ANSWERS = BASE / "var" / "run.env"


def say(text: str) -> None:
    """Tell the person at the terminal."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def wait_until_told() -> None:
    """Return on Ctrl-C or SIGTERM."""
    told = threading.Event()
    before = {
        number: signal.signal(number, lambda *_: told.set())
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    told.wait()
    for number, handler in before.items():
        signal.signal(number, handler)


def main() -> None:
    logging.basicConfig(format="%(message)s")
    try:
        serve()
    except (StartFailed, NoFreePort, ImproperlyConfigured) as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)


def serve() -> None:
    variables = Answers(ANSWERS, ask=sys.stdin.isatty()).complete(os.environ)
    os.environ.update(variables)
    read = environment.read(BASE)
    with Portal(read.data_dir, variables, host=read.bind, port=read.port) as portal:
        say("Bringing the database up to date …")
        portal.manage("migrate", "--noinput")
        first_administrator(portal)
        address = portal.serve()
        say(f"VCBench serves at {address} (Ctrl-C ends it; logs in {portal.logs}).")
        wait_until_told()
        say("\nEnding; a run at hand is kept and goes on at the next start.")


def first_administrator(portal: Portal) -> None:
    """Make the first administrator, from the environment or asked once."""
    count = portal.manage(
        *("shell", "--no-imports", "-c"),
        "from django.contrib.auth.models import User as U; "
        "print(U.objects.filter(is_superuser=True, is_active=True).count())",
    )
    if count.strip() != "0":
        return
    if "DJANGO_SUPERUSER_PASSWORD" not in portal.environment:
        if not sys.stdin.isatty():
            say(
                "There is no administrator yet. Set DJANGO_SUPERUSER_USERNAME and "
                "DJANGO_SUPERUSER_PASSWORD, or run `make run` in a terminal."
            )
            return
        portal.environment.update(asked())
    portal.environment.setdefault("DJANGO_SUPERUSER_USERNAME", "admin")
    portal.environment.setdefault("DJANGO_SUPERUSER_EMAIL", "")
    portal.manage("createsuperuser", "--noinput")
    del portal.environment["DJANGO_SUPERUSER_PASSWORD"]


def asked() -> dict[str, str]:
    say("\nThe first administrator of this portal:")
    name = input("  name [admin]: ").strip() or "admin"
    while not (password := getpass.getpass("  password: ")):
        say("  A password is needed.")
    return {"DJANGO_SUPERUSER_USERNAME": name, "DJANGO_SUPERUSER_PASSWORD": password}


if __name__ == "__main__":
    main()
