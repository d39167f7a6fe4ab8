"""Columns of a call file, verdicts over them, and what a comparison returns.

Coordinates are 0-based and half-open unless a name says otherwise. All columns of one
`Records` have the same length and the same order: by contig (order of `Contigs`), then
position; records at one position keep the order of the file.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

MISSING = -1
"""Genotype code of a missing allele (`.`)."""
HAPLOID = -2
"""Code in the second genotype column when the call names one allele only (`1`)."""


class HaplotypesError(Exception):
    """An input that cannot be compared; the message says which file and what to do."""


class Status(IntEnum):
    """Why a record takes no part in the comparison; JUDGED takes part."""

    JUDGED = 0
    NO_CALL = 1
    HOM_REF = 2
    FILTERED = 3
    SYMBOLIC = 4
    BREAKEND = 5
    TOO_LONG = 6
    POLYPLOID = 7
    BAD_GENOTYPE = 8
    BAD_ALLELE = 9
    REF_MISMATCH = 10
    OUTSIDE_CONTIG = 11
    OUTSIDE_TARGETS = 12
    TOO_COMPLEX = 13


STATUS_TEXT: dict[Status, str] = {
    Status.JUDGED: "compared",
    Status.NO_CALL: "no genotype",
    Status.HOM_REF: "genotype is reference",
    Status.FILTERED: "fails a filter (PASS only)",
    Status.SYMBOLIC: "symbolic allele",
    Status.BREAKEND: "breakend",
    Status.TOO_LONG: "allele longer than the limit",
    Status.POLYPLOID: "more than two alleles in the genotype",
    Status.BAD_GENOTYPE: "genotype names an allele that is not there",
    Status.BAD_ALLELE: "allele holds other letters than bases",
    Status.REF_MISMATCH: "REF disagrees with the reference",
    Status.OUTSIDE_CONTIG: "ends beyond its contig",
    Status.OUTSIDE_TARGETS: "outside the target regions",
    Status.TOO_COMPLEX: "region too complex to settle",
}
REFERENCE_BLOCK = "reference block or no variant"


class Match(IntEnum):
    """Match level of one record (BK). Ordered: a higher level implies the lower."""

    NOT_JUDGED = 0
    NONE = 1
    LOCAL = 2
    ALLELE = 3
    GENOTYPE = 4


class Field(IntEnum):
    """Columns of `Records.fields`: where a VCF column starts within its line.

    The field ends one byte before the next one starts (the tab between them).
    FORMAT and SAMPLE are the offset of END where the file has no samples. SAMPLE is the
    chosen sample, SAMPLE_END its end; END is the end of the line without newline.
    """

    POS = 0
    ID = 1
    REF = 2
    ALT = 3
    QUAL = 4
    FILTER = 5
    INFO = 6
    FORMAT = 7
    FORMAT_END = 8
    SAMPLE = 9
    SAMPLE_END = 10
    END = 11


@dataclass(frozen=True)
class Contigs:
    """The contigs of the comparison, in order of the reference; lengths in bases."""

    names: tuple[str, ...]
    lengths: NDArray[np.int64]

    def index(self) -> dict[str, int]:
        return {name: i for i, name in enumerate(self.names)}


@dataclass
class Records:
    """One sample of one VCF as columns. Lines of reference blocks are not kept."""

    path: str
    sample: str
    contigs: Contigs
    header: str
    text: NDArray[np.uint8]
    """The kept lines, newlines included, without INFO (`.`) and other samples."""
    line: NDArray[np.int64]
    fields: NDArray[np.uint32]
    """Shape (n, len(Field)): offsets relative to `line`."""
    contig: NDArray[np.int32]
    pos: NDArray[np.int32]
    ref_len: NDArray[np.int32]
    n_alts: NDArray[np.uint16]
    gt: NDArray[np.int16]
    """Shape (n, 2): 0 REF, 1.. ALT, MISSING, HAPLOID (second column only)."""
    phased: NDArray[np.bool_]
    qual: NDArray[np.float32]
    """NaN where missing."""
    score: NDArray[np.float32]
    """The field of the ROC (QUAL, GQ or INFO.X); NaN where missing."""
    passed: NDArray[np.bool_]
    """FILTER is PASS or `.`."""
    status: NDArray[np.uint8]
    """A `Status` each."""
    lines_read: int = 0
    reference_blocks: int = 0
    """Lines without an ALT to judge: gVCF blocks and hom-ref lines, not kept."""
    seen: NDArray[np.int64] = field(default_factory=lambda: np.zeros(1, np.int64))
    """Shape (contigs + 1,): lines by contig, blocks included; the last: elsewhere."""
    resorted: bool = False
    """The file was not sorted by contig (order of the comparison) and position."""
    warnings: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.line)

    def contig_slices(self) -> NDArray[np.int64]:
        """Shape (contigs + 1,): records of contig c are [slices[c], slices[c + 1])."""
        edges = np.arange(len(self.contigs.names) + 1)
        return np.searchsorted(self.contig, edges).astype(np.int64)

    def skipped(self) -> dict[str, int]:
        """How many records are not compared, by reason in words."""
        counts = np.bincount(self.status, minlength=len(Status))
        named = {
            STATUS_TEXT[status]: int(counts[status])
            for status in Status
            if status is not Status.JUDGED
        }
        named[REFERENCE_BLOCK] = self.reference_blocks
        return {reason: count for reason, count in named.items() if count}

    def value(self, i: int, column: Field) -> str:
        """One field of one record as text: for messages and tests, not in bulk."""
        start = self.line[i] + int(self.fields[i, column])
        stop = self.line[i] + _field_end(self.fields[i], column)
        return self.text[start:stop].tobytes().decode("utf-8", "replace")


def _field_end(fields: NDArray[np.uint32], column: Field) -> int:
    if column in (Field.FORMAT, Field.SAMPLE):
        return int(fields[column + 1])
    if column is Field.INFO and fields[Field.FORMAT] == fields[Field.END]:
        return int(fields[Field.END])
    return int(fields[column + 1]) - 1


@dataclass
class Verdicts:
    """What the comparison says of each record of one side."""

    match: NDArray[np.uint8]
    """A `Match` each. GENOTYPE is TP; NONE, LOCAL and ALLELE are FN (truth) or FP
    (query) of judged records and N of TOO_COMPLEX ones; NOT_JUDGED is N. Regions (UNK)
    are applied by the quantifier, not here."""
    superlocus: NDArray[np.int32]
    """1-based position that names the group of records judged together (INFO/BS), the
    same number on both sides; unique within a contig. 0 where not judged."""
    partner: NDArray[np.int32]
    """Index of the record of the other side on the same output row (same contig,
    position and REF), else -1. Whatever either one's verdict is."""


@dataclass(frozen=True)
class Unsettled:
    """A region whose haplotypes were too many to compare; its records are N.

    `truth_matched` and `query_matched` are further records in it whose match is proven.
    """

    contig: str
    start: int
    end: int
    truth_records: int
    query_records: int
    why: str = ""
    truth_matched: int = 0
    query_matched: int = 0


@dataclass
class Comparison:
    truth: Verdicts
    query: Verdicts
    unsettled: list[Unsettled] = field(default_factory=list)


@dataclass(frozen=True)
class Options:
    """How to compare. The defaults are those of hap.py: vcfeval --ref-overlap."""

    truth_pass_only: bool = True
    query_pass_only: bool = False
    """Leave out records that fail a filter before matching (hap.py's --pass-only)."""
    squash_ploidy: bool = False
    ref_overlap: bool = True
    loose_distance: int = 30
    """Bases; a call within them of a variant of the other side is a LOCAL match."""
    max_paths: int = 20_000
    """Paths alive at once beyond which only the most promising are followed. vcfeval
    gives up at 50,000, but counts paths at every base, and these only where they
    decide."""
    threads: int = 0
    """0: all cores."""
