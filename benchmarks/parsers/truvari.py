"""Truvari's results, from v1's summary.txt to v5's summary.json and refine.

Genotypes do not decide a match here, unlike in hap.py: `gt_concordance` stands
beside it. Precision and recall are None where there was nothing to divide by
(Truvari writes 0, or null, depending on its version).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.parsers.errors import ParseError

SUMMARY = "summary.json"
REFINED = "refine.variant_summary.json"
OLD_SUMMARY = "summary.txt"
VERSION = re.compile(r"Truvari (?:version: |v)(\S+)")
LEVEL = re.compile(r"^[\d-]+ [\d:,]+ \[(?P<level>[A-Z]+)\] (?P<text>.*)$")


@dataclass(frozen=True, slots=True)
class TruvariSummary:
    """Counts of structural variants; `columns` is the file as it is.

    `base` is the truth set, `comp` the calls. The outer keys of `gt_matrix` are the
    truth's genotypes, the inner ones those of the calls.
    """

    tp_base: int
    tp_comp: int
    fp: int
    fn: int
    precision: float | None
    recall: float | None
    f1: float | None
    base_count: int
    comp_count: int
    tp_comp_tp_gt: int | None = None
    tp_comp_fp_gt: int | None = None
    tp_base_tp_gt: int | None = None
    tp_base_fp_gt: int | None = None
    gt_concordance: float | None = None
    gt_matrix: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    columns: Mapping[str, Any] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class TruvariLog:
    """What a log says of a run: version, command line, complaints, whether it ended."""

    version: str
    command: str
    warnings: tuple[str, ...]
    errors: tuple[str, ...]
    finished: bool


def read_summary(path: Path) -> TruvariSummary:
    """A summary.json, refine.variant_summary.json or summary.txt. Raises ParseError."""
    data = _json(path)
    faults: list[str] = []

    def count(*names: str) -> int:
        value = _first(data, names)
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            return value
        faults.append(f"{names[0]} is {'missing' if value is None else repr(value)}")
        return 0

    tp_base, tp_comp = count("TP-base"), count("TP-comp", "TP-call")
    false_pos, false_neg = count("FP"), count("FN")
    base_count, comp_count = count("base cnt"), count("comp cnt", "call cnt")
    if faults:
        raise ParseError(
            path, f"this is not a summary of Truvari: {'; '.join(faults)}."
        )
    found, right = tp_base + false_neg, tp_comp + false_pos
    genotyped = _count(data, "TP-comp_TP-gt", "TP-call_TP-gt")
    wrong = _count(data, "TP-comp_FP-gt", "TP-call_FP-gt")
    return TruvariSummary(
        tp_base=tp_base,
        tp_comp=tp_comp,
        fp=false_pos,
        fn=false_neg,
        precision=_number(data, "precision") if right else None,
        recall=_number(data, "recall") if found else None,
        f1=_number(data, "f1") if found and right else None,
        base_count=base_count,
        comp_count=comp_count,
        tp_comp_tp_gt=genotyped,
        tp_comp_fp_gt=wrong,
        tp_base_tp_gt=_count(data, "TP-base_TP-gt"),
        tp_base_fp_gt=_count(data, "TP-base_FP-gt"),
        gt_concordance=_concordance(data, genotyped, wrong),
        gt_matrix=data.get("gt_matrix") or {},
        columns=data,
    )


def read_bench(folder: Path) -> TruvariSummary:
    """The summary of a bench folder of any version. Raises ParseError."""
    for name in (SUMMARY, OLD_SUMMARY):
        if (folder / name).is_file():
            return read_summary(folder / name)
    raise ParseError(
        folder, f"holds neither {SUMMARY} nor {OLD_SUMMARY}: Truvari did not finish."
    )


def read_refined(folder: Path) -> TruvariSummary | None:
    """The summary after `truvari refine`, or None where it was not run."""
    path = folder / REFINED
    return read_summary(path) if path.is_file() else None


def read_params(path: Path) -> dict[str, Any]:
    """The parameters that Truvari wrote down (params.json). Raises ParseError."""
    return _json(path)


def read_log(path: Path) -> TruvariLog:
    """A log.txt, also one of a run that broke off. Raises ParseError."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise ParseError(path, f"cannot be read: {error.strerror}.") from error
    by_level: dict[str, list[str]] = {}
    for line in text.splitlines():
        if matched := LEVEL.match(line):
            by_level.setdefault(matched["level"], []).append(matched["text"])
    version = VERSION.search(text)
    infos = by_level.get("INFO", [])
    return TruvariLog(
        version=version[1] if version else "",
        command=next(
            (line for line in infos if line.startswith(("Command ", "Running "))), ""
        ).partition(" ")[2],
        warnings=tuple(by_level.get("WARNING", [])),
        errors=tuple(by_level.get("ERROR", []) + by_level.get("CRITICAL", [])),
        finished=any(line.startswith("Finished") for line in infos),
    )


def _json(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ParseError(path, f"cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise ParseError(path, f"is not JSON, or was cut off ({error}).") from error
    if not isinstance(data, dict):
        raise ParseError(path, "holds a list or a value, not the expected object.")
    return data


def _first(data: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    return next((data[name] for name in names if name in data), None)


def _number(data: Mapping[str, Any], name: str) -> float | None:
    value = data.get(name)
    return float(value) if isinstance(value, int | float) else None


def _count(data: Mapping[str, Any], *names: str) -> int | None:
    value = _first(data, names)
    return value if isinstance(value, int) else None


def _concordance(
    data: Mapping[str, Any], genotyped: int | None, wrong: int | None
) -> float | None:
    """v1 has no concordance of its own, and some versions write 0 for 0 of 0."""
    if not (genotyped or 0) + (wrong or 0):
        return None
    stated = _number(data, "gt_concordance")
    if stated is not None or genotyped is None or wrong is None:
        return stated
    return genotyped / (genotyped + wrong)
