"""Haplotypes spelled out base by base: proofs of verdicts, without the engine's code.

An edit is (start, end, bases): what an allele replaces, 0-based and half-open. A record
is its two edits, None for an allele that changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from benchmarks.haplotypes.records import HAPLOID, Field, Records

Edit = tuple[int, int, str]
Pair = tuple[Edit | None, Edit | None]


def trimmed(start: int, ref: str, alt: str) -> Edit | None:
    """What is left of REF and ALT without the bases that they share at both ends."""
    ref, alt = ref.upper(), alt.upper()
    lead = 0
    while lead < min(len(ref), len(alt)) and ref[lead] == alt[lead]:
        lead += 1
    ref, alt = ref[lead:], alt[lead:]
    while ref and alt and ref[-1] == alt[-1]:
        ref, alt = ref[:-1], alt[:-1]
    return (start + lead, start + lead + len(ref), alt) if ref or alt else None


def pair_of(records: Records, row: int) -> Pair:
    """The two edits of a record of a call file."""
    ref = records.value(row, Field.REF)
    alleles = [ref, *records.value(row, Field.ALT).split(",")]
    codes = [int(code) for code in records.gt[row]]
    if codes[1] == HAPLOID:
        codes[1] = codes[0]
    first, second = (
        trimmed(int(records.pos[row]), ref, alleles[code])
        if code > 0 and alleles[code] != "*"
        else None
        for code in codes
    )
    return first, second


def spell(reference: str, offset: int, edits: Iterable[Edit | None]) -> str | None:
    """The sequence that the edits make of it; None when two overlap.

    offset: position of the first base of `reference` on its contig.
    """
    out, at = "", 0
    for start, end, bases in sorted(edit for edit in edits if edit is not None):
        if start - offset < at:
            return None
        out += reference[at : start - offset] + bases
        at = end - offset
    return out + reference[at:]


def spellings(
    reference: str, offset: int, records: Sequence[Pair]
) -> set[tuple[str, str]]:
    """All pairs of sequences that the records can stand for, phase unknown."""
    chosen: set[tuple[tuple[Edit | None, ...], tuple[Edit | None, ...]]] = {((), ())}
    for a, b in records:
        chosen = {
            ((*first, one), (*second, other))
            for first, second in chosen
            for one, other in {(a, b), (b, a)}
        }
    found = set()
    for first, second in chosen:
        pair = spell(reference, offset, first), spell(reference, offset, second)
        if pair[0] is not None and pair[1] is not None:
            found.add((min(pair[0], pair[1]), max(pair[0], pair[1])))
    return found


def most_that_spell(
    reference: str, offset: int, target: str, edits: Sequence[Edit]
) -> int:
    """How many of the edits one haplotype can hold at most and still spell `target`.

    Each edit is taken or left. By dynamic programming over (base of the reference, base
    of the target) that are reached together; -1 when the target cannot be spelled.
    """
    by_start: dict[int, list[Edit]] = {}
    for edit in edits:
        by_start.setdefault(edit[0] - offset, []).append(edit)
    best: list[dict[int, int]] = [{} for _ in range(len(reference) + 1)]
    best[0][0] = 0
    for at in range(len(reference) + 1):
        _insert(target, best[at], [e for e in by_start.get(at, []) if e[0] == e[1]])
        for place, count in best[at].items():
            if at < len(reference) and target[place : place + 1] == reference[at]:
                _keep(best[at + 1], place + 1, count)
            for start, end, bases in by_start.get(at, []):
                if end > start and target.startswith(bases, place):
                    _keep(best[end - offset], place + len(bases), count + 1)
    return best[len(reference)].get(len(target), -1)


def _insert(target: str, here: dict[int, int], insertions: list[Edit]) -> None:
    """Any of the insertions at a place, one after the other."""
    for _, _, bases in insertions:
        for place, count in list(here.items()):
            if target.startswith(bases, place):
                _keep(here, place + len(bases), count + 1)


def _keep(states: dict[int, int], place: int, count: int) -> None:
    states[place] = max(states.get(place, -1), count)
