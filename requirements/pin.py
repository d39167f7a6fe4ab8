"""Write constraints.txt: every package that the files beside it bring, pinned.

Asks pip what it would install into an empty environment.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
SETS = ("base", "demo", "dev", "truvari")
HEAD = """\
# Every package that the files beside this one bring, at the version that was tested.
# Made by `make constraints`.
"""


def resolve() -> dict[str, str]:
    """Names and versions, without the pins that stand there now."""
    lines = [
        line
        for name in SETS
        for line in (HERE / f"{name}.txt").read_text().splitlines()
        if not line.startswith("-c")
    ]
    command = [
        *(sys.executable, "-m", "pip", "install", "-q", "--dry-run"),
        *("--ignore-installed", "--report", "-", "-r", "/dev/stdin"),
    ]
    done = subprocess.run(
        command, input="\n".join(lines), stdout=subprocess.PIPE, text=True, check=True
    )
    found = [item["metadata"] for item in json.loads(done.stdout)["install"]]
    return {
        item["name"].lower().replace("_", "-").replace(".", "-"): item["version"]
        for item in found
    }


def main() -> None:
    pins = "".join(
        f"{name}=={version}\n" for name, version in sorted(resolve().items())
    )
    (HERE / "constraints.txt").write_text(HEAD + pins)


if __name__ == "__main__":
    main()
