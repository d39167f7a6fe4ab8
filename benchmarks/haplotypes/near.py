"""What is said of records by place alone: near misses, and rows that two share.

Compiled; one call for a contig, once its haplotypes are compared.
"""

from __future__ import annotations

from benchmarks.haplotypes.compiled import njit
from benchmarks.haplotypes.records import Match

NONE, LOCAL = Match.NONE.value, Match.LOCAL.value
NOT_JUDGED = Match.NOT_JUDGED.value


@njit(cache=True, nogil=True)
def find_local(  # type: ignore[no-untyped-def]
    match, pos, ref_len, low, high, other, other_pos, other_len, other_low, other_high,
    distance,
):  # fmt: skip
    """Raise NONE to LOCAL where a judged record of the other side lies near.

    Distances are between the spans of REF as written; both sides are sorted.
    """
    behind, ahead = other_low, other_low
    last_end = -1
    for row in range(low, high):
        start, end = pos[row], pos[row] + ref_len[row]
        while behind < other_high and other_pos[behind] <= start:
            if other[behind] != NOT_JUDGED:
                last_end = other_pos[behind] + other_len[behind]
            behind += 1
        if match[row] != NONE:
            continue
        while ahead < other_high and (
            other[ahead] == NOT_JUDGED or other_pos[ahead] + other_len[ahead] <= start
        ):
            ahead += 1
        near = last_end >= 0 and start < last_end + distance
        near |= ahead < other_high and other_pos[ahead] - distance < end
        if near:
            match[row] = LOCAL


@njit(cache=True, nogil=True)
def pair_rows(  # type: ignore[no-untyped-def]
    text_t, line_t, fields_t, pos_t, len_t, low_t, high_t,
    text_q, line_q, fields_q, pos_q, len_q, low_q, high_q,
    partner_t, partner_q,
):  # fmt: skip
    """Partners: records of both sides with one position and REF, in file order."""
    j = low_q
    for i in range(low_t, high_t):
        while j < high_q and pos_q[j] < pos_t[i]:
            j += 1
        k = j
        while k < high_q and pos_q[k] == pos_t[i]:
            if partner_q[k] < 0 and len_q[k] == len_t[i]:
                ours = line_t[i] + fields_t[i, 2]
                theirs = line_q[k] + fields_q[k, 2]
                same = True
                for m in range(len_t[i]):
                    same &= text_t[ours + m] & 0xDF == text_q[theirs + m] & 0xDF
                if same:
                    partner_t[i], partner_q[k] = k, i
                    break
            k += 1
