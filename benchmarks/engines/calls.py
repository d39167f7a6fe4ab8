"""Call files as tools of others want them: one sample, bgzipped, with an index."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pysam
from pysam import bcftools
from pysam.utils import SamtoolsError

from benchmarks.engines.base import EngineError
from benchmarks.parsers.vcf_header import VcfError, sniff


def prepare(path: Path, sample: str | None, folder: Path, what: str) -> Path:
    """The file itself where it fits, else a copy in `folder` that does.

    `what` is 'truth' or 'query', for messages. Raises EngineError: no such sample,
    several samples and none named, unreadable, unsorted.
    """
    try:
        header = sniff(path)
    except VcfError as error:
        raise EngineError(f"The {what} cannot be used. {error}") from error
    chosen = _sample(header.samples, sample, path, what)
    index = path.with_name(f"{path.name}.tbi")
    if len(header.samples) == 1 and header.container == "bgzip" and index.is_file():
        return path
    copy = folder / f"{what}.vcf.gz"
    try:
        arguments = ["-s", chosen, "-O", "z", "-o", str(copy), str(path)]
        bcftools.view(*arguments, catch_stdout=False)
        pysam.tabix_index(str(copy), preset="vcf", force=True)
    except (SamtoolsError, OSError) as error:
        raise EngineError(
            f"The {what} {path} cannot be indexed; is it sorted by position? "
            f"Sort it with bcftools sort. ({str(error).strip()})"
        ) from error
    return copy


def _sample(samples: Sequence[str], wanted: str | None, path: Path, what: str) -> str:
    if wanted is None and len(samples) == 1:
        return samples[0]
    if wanted in samples:
        return str(wanted)
    held = ", ".join(samples)
    if wanted is None:
        raise EngineError(
            f"The {what} {path} holds {len(samples)} samples ({held}). Say which one."
        )
    raise EngineError(f"The {what} {path} has no sample {wanted}; it holds {held}.")
