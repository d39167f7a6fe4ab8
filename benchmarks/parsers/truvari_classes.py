"""Truvari's verdicts by type and size of variant, counted from its VCF files."""

from __future__ import annotations

import gzip
import re
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.parsers.errors import ParseError

# Upper bounds in bases, exclusive, with the name of the class below each.
SIZES = (
    (50, "<50"),
    (100, "50-99"),
    (300, "100-299"),
    (500, "300-499"),
    (1_000, "500-999"),
    (5_000, "1000-4999"),
    (10_000, "5000-9999"),
)
LARGEST = ">=10000"
SIZE_CLASSES = (*(name for _, name in SIZES), LARGEST)
FILES = {
    "tp_base": "tp-base.vcf.gz",
    "tp_comp": "tp-comp.vcf.gz",
    "fp": "fp.vcf.gz",
    "fn": "fn.vcf.gz",
}
INFO = re.compile(r"(?:^|;)(SVTYPE|SVLEN|END|GTMatch|TruScore)=([^;]*)")


@dataclass(frozen=True, slots=True)
class ClassCounts:
    """Counts of one type and size class; `*` stands for all."""

    type: str
    size_class: str
    tp_base: int
    tp_comp: int
    fp: int
    fn: int
    same_genotype: int = 0
    """Of TP-comp, those whose genotype has as many alleles as the truth's."""

    @property
    def gt_concordance(self) -> float | None:
        """Truvari's gt_concordance; None where nothing matched."""
        return self.same_genotype / self.tp_comp if self.tp_comp else None

    @property
    def recall(self) -> float | None:
        """TP-base / (TP-base + FN); None where the truth has none."""
        total = self.tp_base + self.fn
        return self.tp_base / total if total else None

    @property
    def precision(self) -> float | None:
        """TP-comp / (TP-comp + FP); None where nothing was called."""
        total = self.tp_comp + self.fp
        return self.tp_comp / total if total else None

    @property
    def f1(self) -> float | None:
        recall, precision = self.recall, self.precision
        if not recall or not precision:
            return None
        return 2 * recall * precision / (recall + precision)


def read_classes(folder: Path) -> list[ClassCounts]:
    """Every type x size that occurs in a bench folder, and the sums over each.

    The class is that of the record itself, so a matched pair may count in two
    classes: TP-base in the truth's, TP-comp in the call's. Raises ParseError.
    """
    counted = {
        verdict: Counter((kind, size) for kind, size, _same in _classes(folder / name))
        for verdict, name in FILES.items()
    }
    cells = {cell for counts in counted.values() for cell in counts}
    counted["same_genotype"] = Counter(
        (kind, size) for kind, size, same in _classes(folder / FILES["tp_comp"]) if same
    )
    types = sorted({kind for kind, _ in cells})
    sizes = [name for name in SIZE_CLASSES if any(size == name for _, size in cells)]
    groups = [
        *((kind, "*") for kind in types),
        *(("*", size) for size in sizes),
        *((kind, size) for kind in types for size in sizes if (kind, size) in cells),
    ]
    return [
        ClassCounts(
            kind,
            size,
            **{
                verdict: _sum(counts, kind, size) for verdict, counts in counted.items()
            },
        )
        for kind, size in groups
    ]


def size_class(bases: int) -> str:
    """The class of an absolute size in bases."""
    return next((name for bound, name in SIZES if bases < bound), LARGEST)


def _sum(counts: Counter[tuple[str, str]], kind: str, size: str) -> int:
    return sum(
        count
        for (its_kind, its_size), count in counts.items()
        if kind in ("*", its_kind) and size in ("*", its_size)
    )


def _classes(path: Path) -> Iterator[tuple[str, str, bool]]:
    try:
        with gzip.open(path, "rt", encoding="utf-8", errors="replace") as file:
            for line in file:
                if not line.startswith("#"):
                    yield _class(path, line)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ParseError(path, f"is damaged or cut off ({error}).") from error
    except OSError as error:
        raise ParseError(path, f"cannot be read: {error.strerror}.") from error


@dataclass(frozen=True, slots=True)
class SvRecord:
    """A line of one of Truvari's VCF files; `size` in bases, `info` as far as used."""

    columns: list[str]
    type: str
    size: int
    info: dict[str, str]


def read_record(path: Path, line: str) -> SvRecord:
    """Raises ParseError."""
    columns = line.rstrip("\n").split("\t")
    if len(columns) < 8:
        raise ParseError(path, f"has a line of {len(columns)} columns: {line[:80]!r}.")
    position, ref, alt = columns[1], columns[3], columns[4].split(",")[0]
    info = dict(INFO.findall(columns[7]))
    kind = _type(ref, alt, info.get("SVTYPE", ""))
    return SvRecord(columns, kind, _size(int(position), ref, alt, info), info)


def _class(path: Path, line: str) -> tuple[str, str, bool]:
    record = read_record(path, line)
    # 0: no difference in the number of alternative alleles
    same = record.info.get("GTMatch", "").split(",")[0] == "0"
    return record.type, size_class(record.size), same


def _type(ref: str, alt: str, stated: str) -> str:
    if "[" in alt or "]" in alt:
        return "BND"
    if alt.startswith("<"):
        return alt.strip("<>").split(":")[0]
    if stated and stated != "CNV":
        return stated.split(":")[0]
    return "INS" if len(alt) > len(ref) else "DEL"


def _size(position: int, ref: str, alt: str, info: dict[str, str]) -> int:
    stated = info.get("SVLEN", "").split(",")[0]
    if stated.lstrip("-").isdigit():
        return abs(int(stated))
    if alt.isalpha() and len(alt) != len(ref):
        return abs(len(alt) - len(ref))
    end = info.get("END", "")
    return max(int(end) - position, 0) if end.isdigit() else 0
