"""What is asked of a benchmark and what it answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from benchmarks.haplotypes.quantify import TableRow
from benchmarks.haplotypes.records import Unsettled

Sex = Literal["male", "female", "auto"]


@dataclass(frozen=True, slots=True)
class Job:
    """One comparison of small variants.

    confident: regions where the truth is complete; calls outside become UNK. targets:
    both files are cut down to records that start in them; restrict: to records that
    touch them; locations: to contigs or parts of them (`chr20:5-9`). out_prefix: path
    of the outputs without suffix; its folder is made. roc_regions: strata that get
    curves of their own. pass_only: leave out failing calls before matching. ci_alpha: 0
    leaves out the confidence intervals. threads 0: all cores. sex: `male` and `auto`
    read haploid calls on X, Y and MT as homozygous.
    """

    truth: Path
    query: Path
    reference: Path
    out_prefix: Path
    confident: Path | None = None
    stratification: Path | None = None
    targets: Path | None = None
    restrict: Path | None = None
    roc: str = "QUAL"
    roc_filter: str = ""
    roc_delta: float = 0.5
    do_roc: bool = True
    roc_regions: tuple[str, ...] = ()
    pass_only: bool = False
    use_filtered_truth: bool = False
    ci_alpha: float = 0.0
    threads: int = 0
    truth_sample: str | None = None
    query_sample: str | None = None
    sex: Sex = "auto"
    locations: tuple[str, ...] = ()
    leftshift: bool = True
    decompose: bool = True
    adjust_confident: bool = True
    squash_ploidy: bool = False
    loose_distance: int = 30
    write_vcf: bool = True


@dataclass
class Result:
    """Numbers, files and everything that was left out, with the reason.

    `skipped` counts records by input (`truth`, `query`) and reason; `timings` are
    seconds by step.
    """

    summary: list[TableRow]
    rows: list[TableRow]
    files: dict[str, Path]
    unsettled: list[Unsettled] = field(default_factory=list)
    skipped: dict[str, dict[str, int]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    timings: dict[str, float] = field(default_factory=dict)
    truth_sample: str = ""
    query_sample: str = ""
