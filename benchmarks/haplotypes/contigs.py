"""Which contigs are compared, and what each input calls them.

Contigs are those of the reference. A file may call them with or without `chr` (`MT` for
`chrM`); where its header gives lengths they have to agree, so that one build is never
compared with another.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from benchmarks.haplotypes.load import Header
from benchmarks.haplotypes.records import Contigs

MITOCHONDRIA = ("M", "MT")


@dataclass
class Naming:
    """What a file calls the contigs of the comparison, and what is odd about it."""

    contigs: Contigs
    """Same number and order as the comparison's, under the file's names."""
    known: bool
    """Whether the names stand in the file's header; else they are the reference's."""
    other_length: list[str] = field(default_factory=list)
    """`chr1 (249250621 here, 248956422 in the reference)`, for each that differs."""
    same_length: int = 0


def other_names(name: str) -> tuple[str, ...]:
    """The same contig in the other style; none for names like `chrUn_…` or `HLA-…`."""
    bare = name[3:] if name.startswith("chr") else name
    if bare in MITOCHONDRIA:
        return tuple(n for n in ("chrM", "MT", "M", "chrMT") if n != name)
    if not bare.isdigit() and bare not in ("X", "Y"):
        return ()
    return (bare if name.startswith("chr") else f"chr{bare}",)


def names_in(header: Header, reference: Contigs) -> Naming:
    """The file's names of the reference's contigs, by name and length."""
    if not header.contigs:
        return Naming(reference, known=False)
    names: list[str] = []
    naming = Naming(reference, known=True)
    for name, length in zip(reference.names, reference.lengths.tolist(), strict=True):
        found = next(
            (n for n in (name, *other_names(name)) if n in header.contigs), name
        )
        declared = header.contigs.get(found)
        if declared is not None and declared != length:
            naming.other_length.append(
                f"{found} ({declared} bases here, {length} in the reference)"
            )
            found = f"\0{found}"  # matches no line
        elif found in header.contigs:
            naming.same_length += 1
        names.append(found)
    naming.contigs = Contigs(tuple(names), reference.lengths)
    return naming


def alternative(reference: Contigs) -> Contigs:
    """All contigs in the other style, for files whose header names none."""
    names = tuple((*other_names(name), name)[0] for name in reference.names)
    return Contigs(names, np.asarray(reference.lengths))


def build_fault(header: Header, naming: Naming, reference: str) -> str | None:
    """The sentence when a file is of another build than the reference."""
    if naming.other_length and not naming.same_length:
        return (
            f"{header.path} is of another genome build than the reference {reference}: "
            f"{some(naming.other_length)}."
        )
    if naming.known and not naming.same_length:
        return (
            f"{header.path} and the reference {reference} share no contig. The file "
            f"names {some(list(header.contigs))}; the reference has "
            f"{some(list(naming.contigs.names))}."
        )
    return None


def some(names: list[str], limit: int = 8) -> str:
    tail = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + tail
