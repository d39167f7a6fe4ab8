"""Compresses or indexes one file; a script that `runs.preparation` starts as a child.

    indexing.py compress PLAIN_GZIP BGZIP
    indexing.py fasta FASTA FAI [GZI]
    indexing.py vcf VCF TBI

It knows no Django and imports nothing of the portal. On stdout it says one JSON object
a line: `{"progress": [bytes read, of how many]}`, and `{"fault": "…"}` before it ends
with 1. Other endings are crashes.
"""

from __future__ import annotations

import gzip
import json
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import pysam
from pysam.utils import SamtoolsError

PIECE = 4 << 20
"""Bytes of text between two words on progress: less than a second's work."""


def main(arguments: list[str]) -> int:
    task, *paths = arguments
    try:
        TASKS[task](*map(Path, paths))
    except (OSError, EOFError, zlib.error, SamtoolsError) as error:
        _tell("fault", str(error))
        return 1
    return 0


def compress(source: Path, target: Path) -> None:
    """Plain gzip anew as bgzip, with the same text."""
    size = source.stat().st_size
    with (
        source.open("rb") as packed,
        gzip.open(packed) as text,
        pysam.BGZFile(str(target), "wb", index=None) as sink,
    ):
        while piece := text.read(PIECE):
            sink.write(piece)
            _tell("progress", [packed.tell(), size])


def index_fasta(fasta: Path, *indexes: Path) -> None:
    """The .fai, and for bgzip the .gzi as well."""
    options = zip(("--fai-idx", "--gzi-idx"), map(str, indexes), strict=False)
    pysam.faidx(str(fasta), *(word for option in options for word in option))


def index_vcf(vcf: Path, tbi: Path) -> None:
    pysam.tabix_index(str(vcf), preset="vcf", force=True, index=str(tbi))


def _tell(key: str, value: object) -> None:
    sys.stdout.write(json.dumps({key: value}) + "\n")
    sys.stdout.flush()


TASKS: dict[str, Callable[..., None]] = {
    "compress": compress,
    "fasta": index_fasta,
    "vcf": index_vcf,
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
