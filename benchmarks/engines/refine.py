"""`truvari refine` 5.4.0, run as a script, with two repairs.

Truvari reads the text that `pysam.samtools.faidx` returns. With pysam 0.24.1 that is
empty, because the text goes to the process's own output; refine then stops with
"Could not build fai index". Asking faidx to write into a file works with every
version.

It writes the refined regions to a table and reads it back without saying that a
chromosome's name is text, so that `20` of GRCh37 comes back as a number; refine then
stops with "Argument must be string".
"""

from __future__ import annotations

import functools
import importlib
import sys
import tempfile
from pathlib import Path
from typing import Any

from pysam import samtools
from truvari.refine import refine_main


class IntoAFile:
    """The same command, its text read back from a file."""

    def __init__(self, faidx: Any) -> None:
        self.faidx = faidx

    def __call__(self, *arguments: str) -> Any:
        if "-r" not in arguments:
            return self.faidx(*arguments)
        with tempfile.NamedTemporaryFile(suffix=".fa") as file:
            self.faidx(*arguments, "-o", file.name)
            return Path(file.name).read_text()


if __name__ == "__main__":
    vars(samtools)["faidx"] = IntoAFile(samtools.faidx)
    pandas = vars(importlib.import_module("pandas"))
    pandas["read_csv"] = functools.partial(pandas["read_csv"], dtype={"chrom": str})
    refine_main(sys.argv[1:])
