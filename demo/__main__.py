"""`make demo`: the whole product on synthetic data.

DEMO_EXIT=1 ends after the runs, with exit code 0 only if they found exactly what the
data is known to hold.
"""

from __future__ import annotations

import logging
import os
import shutil
import sys
import time
from pathlib import Path
from typing import Any

from demo import giab, lab, s3, terminal, verdict
from demo.client import Answered, Api
from vcbench_site.embedded.__main__ import wait_until_told
from vcbench_site.embedded.portal import FIRST_PORT, Portal, only_one
from vcbench_site.embedded.ports import NoFreePort
from vcbench_site.embedded.processes import StartFailed

BASE = Path(__file__).resolve().parents[1]
FOLDER = Path(os.environ.get("VCBENCH_DEMO_DIR", BASE / "var" / "demo"))
STAGES = ["happy", "truvari", "csv"]
ANALYSIS = "20250122_4.2.4"
"""The <id> folder that the samples lie in."""
SILENCE = 120.0
"""Seconds without a line after which a run is given up."""


def main() -> None:
    logging.basicConfig(format="%(message)s")
    begun = time.monotonic()
    try:
        sound = demonstrate(begun, ends=os.environ.get("DEMO_EXIT") == "1")
    except (StartFailed, NoFreePort, Answered) as error:
        sys.exit(f"\nThe demo failed: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(0 if sound else 1)


def fresh_folder() -> None:
    """Begin anew, unless another demo is at it."""
    try:
        FOLDER.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StartFailed(
            f"The folder {FOLDER} cannot be made: {error.strerror}. "
            "Name another by VCBENCH_DEMO_DIR."
        ) from error
    with only_one(FOLDER):
        for path in FOLDER.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            elif path.name != "portal.lock":
                path.unlink()


def demonstrate(begun: float, *, ends: bool) -> bool:
    fresh_folder()
    print("Making a synthetic laboratory …")
    made = lab.build(FOLDER / "lab")
    with s3.serving(FOLDER) as bucket, giab.serving(made.site) as site:
        for folder in sorted(made.samples.iterdir()):
            bucket.put_folder(folder.name, folder, id=ANALYSIS)
        with Portal(FOLDER, environment(bucket, site, made), port=port()) as portal:
            print("Starting the portal …")
            portal.manage("migrate", "--noinput")
            name, password, token = people(portal)
            address = portal.serve()
            print(f"  {address} — sign in as {name}, password {password}")
            sound = runs(portal, Api(address, token), made)
            print(f"\nDone {time.monotonic() - begun:.0f} s after the start.")
            if ends:
                return sound
            print(f"\nVCBench serves at {address}: name {name}, password {password}")
            print("Ctrl-C ends it.")
            wait_until_told()
    return sound


def port() -> int:
    return int(os.environ.get("VCBENCH_PORT") or FIRST_PORT)


def environment(bucket: s3.Bucket, site: str, made: lab.Lab) -> dict[str, str]:
    """Nothing of the user's own portal: only the demo's settings."""
    own = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("VCBENCH_", "AWS_", "DJANGO_"))
    }
    return {
        **own,
        **bucket.settings,
        "VCBENCH_CATALOG": str(made.catalog),
        "VCBENCH_GIAB_URLS": site,
    }


def people(portal: Portal) -> tuple[str, str, str]:
    written = portal.manage(
        "shell", "--no-imports", "-c", "from demo.people import make; make()"
    )
    name, password, token = written.split()
    return name, password, token


def runs(portal: Portal, api: Api, made: lab.Lab) -> bool:
    """One run a sample, the second with structural variants."""
    try:
        sound = [run(api, name, made) for name in made.expected]
    except Answered as error:
        wrote = "".join(
            f"\n{child.log}:\n{child.last_lines()}" for child in portal.children
        )
        raise Answered(f"{error}\n{wrote}") from error
    return all(sound)


def run(api: Api, sample: str, made: lab.Lab) -> bool:
    print(f"\nImporting {sample} over the REST interface …")
    started = api.import_sample(sample, STAGES)
    terminal.show(api.lines(sample, SILENCE))
    ended = api.ask("GET", f"runs/{started}")
    page = f"{api.address}/runs/{started}/"
    print(f"\n{sample}: {ended['status']}. {ended['reason']}".rstrip() + "\n")
    print(verdict.table(api.ask("GET", f"runs/{started}/metrics")))
    print(f"\n  {page}")
    return judge(api, ended, made.expected[sample])


def judge(api: Api, ended: dict[str, Any], expected: lab.Expected) -> bool:
    if ended["status"] != "completed":
        print("  The run did not complete.")
        return False
    faults = verdict.differences(api, ended, expected)
    for fault in faults:
        print(f"  Not as it has to be: {fault}")
    if not faults:
        print("  All numbers are those that the synthetic data is known to have.")
    return not faults


if __name__ == "__main__":
    main()
