"""What goes wrong when a file is read, said so that a person can act on it."""

from __future__ import annotations

from pathlib import Path


class ParseError(ValueError):
    """A file is not what it should be; the message names the file and the fault."""

    def __init__(self, path: Path | str, fault: str) -> None:
        super().__init__(f"{path}: {fault}")
        self.path = Path(path)
        self.fault = fault
