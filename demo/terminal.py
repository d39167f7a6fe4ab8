"""Log lines in the terminal, in colour where it is one."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

COLOURS = {"success": "32", "warning": "33", "error": "31", "progress": "36"}


def show(lines: Iterable[dict[str, Any]]) -> None:
    """Write each line; on a terminal a progress line replaces the one before."""
    coloured = sys.stdout.isatty()
    open_line = False
    for line in lines:
        text = f"{line['time'][11:19]}  {line['stage'] or '-':<9}  {line['message']}"
        progress = line["level"] == "progress" and coloured
        if coloured:
            colour = COLOURS.get(line["level"])
            text = f"\x1b[{colour}m{text}\x1b[0m" if colour else text
            text = f"\r\x1b[K{text}"
        elif line["level"] in ("warning", "error"):
            text = f"{text}  [{line['level']}]"
        if open_line and not progress:
            text = f"{text}"
        print(f"  {text}" if not coloured else text, end="" if progress else "\n")
        sys.stdout.flush()
        open_line = progress
    if open_line:
        print()
