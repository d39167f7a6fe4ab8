"""Mutated call files: each seed makes the same files everywhere."""

from __future__ import annotations

import gzip
import random
from collections.abc import Callable
from pathlib import Path

from benchmarks.haplotypes.outputs.bgzf import END_OF_FILE, compress_text
from benchmarks.haplotypes.run import BenchmarkError, Job, benchmark
from tests.haplotypes.small import (
    GENOME,
    Call,
    deletion,
    insertion,
    other_base,
    vcf_text,
    write_fasta,
)

REFUSED, DONE = "refused", "done"
ODD = (
    "", ".", "-1", "0", "1e9", "99999999999999999999", "nan", "<DEL>", "*", "N", "\t",
       "\x00", "é", "0/0/0", "./.", "1|2", "5/5", "A,", ",", "]chr1:5]", "PASS;x", "=",
       "ACGT" * 400, "<NON_REF>", "<*>", "R", "chr1", "chrUn", "\r")  # fmt: skip


def base_calls(rng: random.Random) -> list[Call]:
    calls = []
    for pos in range(20, 2900, rng.randint(30, 120)):
        contig = rng.choice(list(GENOME))
        gt = rng.choice(["0/1", "1/1", "0|1", "1"])
        match rng.randint(0, 4):
            case 0:
                calls.append(deletion(pos, rng.randint(1, 9), gt, contig=contig))
            case 1:
                calls.append(insertion(pos, rng.choice("ACGT") * 3, gt, contig=contig))
            case 2:
                base = GENOME[contig][pos - 1]
                alts = f"{other_base(base)},{other_base(base, 2)}"
                calls.append(Call(pos, alts, "1/2", contig=contig))
            case _:
                calls.append(Call(pos, gt=gt, contig=contig))
    return sorted(calls, key=lambda call: (call.contig, call.pos))


def change_field(rng: random.Random, text: str) -> str:
    lines = text.split("\n")
    at = rng.randrange(len(lines))
    fields = lines[at].split("\t")
    fields[rng.randrange(len(fields))] = rng.choice(ODD)
    lines[at] = "\t".join(fields)
    return "\n".join(lines)


def change_bytes(rng: random.Random, text: str) -> str:
    letters = list(text)
    for _ in range(rng.randint(1, 6)):
        letters[rng.randrange(len(letters))] = chr(rng.randrange(256))
    return "".join(letters)


def drop_piece(rng: random.Random, text: str) -> str:
    start = rng.randrange(len(text))
    return text[:start] + text[start + rng.randint(1, 400) :]


def repeat_lines(rng: random.Random, text: str) -> str:
    lines = text.split("\n")
    at = rng.randrange(len(lines))
    lines[at:at] = lines[at : at + rng.randint(1, 30)] * rng.randint(1, 3)
    return "\n".join(lines)


def shuffle_lines(rng: random.Random, text: str) -> str:
    lines = text.split("\n")
    rng.shuffle(lines)
    return "\n".join(sorted(lines, key=lambda line: not line.startswith("#")))


def cut_off(rng: random.Random, text: str) -> str:
    return text[: rng.randrange(len(text))]


def add_columns(rng: random.Random, text: str) -> str:
    lines = text.split("\n")
    return "\n".join(line + "\t0/1:9" * rng.randint(0, 2) for line in lines)


CHANGES: tuple[Callable[[random.Random, str], str], ...] = (
    change_field, change_field, change_field, change_bytes, drop_piece, repeat_lines,
    shuffle_lines, cut_off, add_columns,
)  # fmt: skip


def packed(rng: random.Random, data: bytes) -> tuple[bytes, str]:
    """The file plain, gzipped or bgzipped, at times damaged."""
    suffix = ".vcf"
    match rng.randint(0, 3):
        case 0:
            data, suffix = gzip.compress(data, mtime=0), ".vcf.gz"
        case 1:
            data, suffix = compress_text(data)[0] + END_OF_FILE, ".vcf.gz"
        case _:
            return data, suffix
    if rng.random() < 0.3:
        at = rng.randrange(len(data))
        data = data[:at] + bytes([rng.randrange(256)]) + data[at + 1 :]
    elif rng.random() < 0.2:
        data = data[: rng.randrange(len(data))]
    return data, suffix


def try_one(seed: int, folder: Path) -> str:
    """REFUSED with sentences, or DONE with numbers that add up; else it raises."""
    rng = random.Random(seed)
    calls = base_calls(rng)
    reference = folder / "ref.fa"
    if not reference.exists():
        write_fasta(reference)
    text = vcf_text(calls)
    for _ in range(rng.randint(1, 3)):
        text = rng.choice(CHANGES)(rng, text) or "\n"
    data, suffix = packed(rng, text.encode("latin-1", "replace"))
    mutated, sound = folder / f"m{seed}{suffix}", folder / f"s{seed}.vcf"
    mutated.write_bytes(data)
    sound.write_text(vcf_text(calls))
    bed = folder / f"{seed}.bed"
    bed_text = "".join(f"{name}\t{rng.randrange(500)}\t2500\n" for name in GENOME)
    bed.write_text(change_field(rng, bed_text) if rng.random() < 0.2 else bed_text)
    pair = (mutated, sound) if rng.random() < 0.3 else (sound, mutated)
    job = Job(
        *pair,
        reference,
        folder / f"o{seed}",
        confident=bed if rng.random() < 0.5 else None,
        threads=1,
    )
    faults: list[str] = []
    try:
        result = benchmark(job)
    except BenchmarkError as error:
        faults = error.faults
    finally:
        for path in (mutated, sound, bed):
            path.unlink(missing_ok=True)
    if faults:
        assert all(len(fault) > 15 for fault in faults), faults
        return REFUSED
    for row in result.summary:
        numbers = row.counts[:, 0]
        assert (numbers >= 0).all()
        assert numbers[0] + numbers[1] <= 2 * len(calls) * 4
        assert row.fp_gt + row.fp_al <= numbers[3]
    for path in result.files.values():
        path.unlink()
    return DONE
