"""What the catalogue says of individuals, truth sets, references and strata."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, NamedTuple

Build = Literal["GRCh37", "GRCh38", "CHM13v2.0"]
Kind = Literal["smvar", "stvar"]
BUILDS: tuple[Build, ...] = ("GRCh37", "GRCh38", "CHM13v2.0")
KINDS: tuple[Kind, ...] = ("smvar", "stvar")
KIND_NAMES = {"smvar": "small variants", "stvar": "structural variants"}


@dataclass(frozen=True, slots=True)
class FileEntry:
    """A file and all that is known of it beforehand; None is not known.

    `bases` are the sites that hold it, best first; each ends with a slash.
    """

    path: str
    bytes: int | None = None
    md5: str | None = None
    sha256: str | None = None
    bases: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.path.rsplit("/", 1)[-1]

    @property
    def urls(self) -> tuple[str, ...]:
        """Where to fetch it, in the order to try."""
        return tuple(base + self.path for base in self.bases)


@dataclass(frozen=True, slots=True)
class Individual:
    """A reference person. `aliases` are further names that samples are called by."""

    id: str
    coriell: str
    cell_line: str
    sex: Literal["male", "female"]
    role: str = ""
    trio: str | None = None
    pgp: str | None = None
    reference_materials: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()

    def names_in(self, sample_id: str) -> list[str]:
        """The names of this individual that occur in a sample's name.

        A name stands alone: no letter or digit before it and no digit after it, so
        that HG00100 of the 1000 Genomes is not HG001 and HG00512 is not HG005.
        """
        return [found.group() for found in self._pattern().finditer(sample_id)]

    def _pattern(self) -> re.Pattern[str]:
        letters = re.match(r"\D*", self.id)
        start = letters.end() if letters else 0
        names = [f"{re.escape(self.id[:start])}-?{re.escape(self.id[start:])}"]
        names += map(re.escape, (self.coriell, self.cell_line, *self.aliases))
        alternatives = "|".join(name for name in names if name)
        return re.compile(
            rf"(?<![A-Za-z0-9])(?:{alternatives})(?![0-9])", re.IGNORECASE
        )


@dataclass(frozen=True, slots=True)
class TruthSetEntry:
    """Known variants and the regions where they are complete.

    `default` marks the version that is used when none is asked for.
    """

    key: str
    individual: str
    build: Build
    kind: Kind
    version: str
    title: str
    status: str
    default: bool
    chr_prefix: bool
    vcf: FileEntry
    tbi: FileEntry | None
    bed: FileEntry
    alternate_beds: tuple[FileEntry, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def files(self) -> dict[str, FileEntry]:
        """By role: `vcf`, `tbi` and `bed`."""
        roles = {"vcf": self.vcf, "tbi": self.tbi, "bed": self.bed}
        return {role: file for role, file in roles.items() if file is not None}


@dataclass(frozen=True, slots=True)
class ReferenceEntry:
    """A reference genome. Plain `gzip` has to be bgzipped before it is indexed."""

    key: str
    build: Build
    default: bool
    fasta: FileEntry
    compression: Literal["gzip", "bgzip"] | None = None
    fai: FileEntry | None = None
    gzi: FileEntry | None = None
    use: str = ""

    @property
    def files(self) -> dict[str, FileEntry]:
        """By role: `fasta`, and `fai` and `gzi` where the site has them."""
        roles = {"fasta": self.fasta, "fai": self.fai, "gzi": self.gzi}
        return {role: file for role, file in roles.items() if file is not None}


@dataclass(frozen=True, slots=True)
class Stratum:
    """A subset of the genome with its own metrics; `label` as in hap.py's TSV."""

    label: str
    bed: FileEntry


@dataclass(frozen=True, slots=True)
class StratificationEntry:
    """The strata of a build: a chosen few, and the archive that holds them all."""

    build: Build
    version: str
    default: bool
    strata: tuple[Stratum, ...] = ()
    archive: FileEntry | None = None
    archive_tsv: str | None = None


@dataclass(frozen=True, slots=True)
class NoTruth:
    """It is known that no such truth set exists; `reason` is a sentence."""

    individual: str
    kind: Kind
    reason: str


class TruthSetAnswer(NamedTuple):
    """A truth set, or None and a sentence that says why there is none."""

    entry: TruthSetEntry | None
    reason: str = ""
