"""hap.py's command line for all small-variant engines; needs no database."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from benchmarks.engines.base import (
    EngineCancelledError,
    EngineContext,
    EngineError,
    EngineUnavailableError,
    SmallVariantJob,
)
from benchmarks.engines.registry import SMALL, small_variant_engine
from benchmarks.engines.tools import ToolRunner
from benchmarks.haplotypes.errors import BenchmarkError
from benchmarks.haplotypes.job import Job
from benchmarks.management.terminal import Terminal, summary_table
from benchmarks.parsers.happy import SummaryRow, read_summary

BAD_INPUT, UNAVAILABLE, FAILED, INTERRUPTED = 2, 3, 4, 130
EPILOG = """\
Writes PREFIX.summary.csv, .extended.csv, .roc.all.csv.gz, .roc.Locations.*.csv.gz,
.metrics.json.gz, .runinfo.json, .vcf.gz and .vcf.gz.tbi.

exit codes: 0 done; 2 an input or option is wrong (each fault is named); 3 the engine
is not installed here; 4 the engine failed; 130 interrupted.
"""
PASSED_ON = (
    "truth",
    "query",
    "reference",
    "out_prefix",
    "confident",
    "targets",
    "stratification",
    "roc",
    "pass_only",
    "ci_alpha",
    "threads",
    "sex",
)
"""Options that every engine takes under the same name."""
BUILTIN_ONLY = {
    "roc_filter": ("--roc-filter", ""),
    "roc_delta": ("--roc-delta", 0.5),
    "do_roc": ("--no-roc", True),
    "use_filtered_truth": ("--usefiltered-truth", False),
    "restrict": ("-R", None),
    "locations": ("-l", ()),
    "roc_regions": ("--roc-regions", []),
    "leftshift": ("--no-leftshift", True),
    "decompose": ("--no-decompose", True),
    "adjust_confident": ("--no-adjust-conf-regions", True),
    "squash_ploidy": ("--squash-ploidy", False),
    "write_vcf": ("--no-write-vcf", True),
}
"""Options of the built-in engine: how they are written, and what says nothing."""


class Command(BaseCommand):
    help = "Compare small variants with a truth set, as hap.py does."
    requires_system_checks: list[str] = []

    def create_parser(
        self, prog_name: str, subcommand: str, **kwargs: Any
    ) -> CommandParser:
        parser = super().create_parser(prog_name, subcommand, epilog=EPILOG, **kwargs)
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
        return parser

    def add_arguments(self, parser: CommandParser) -> None:
        add = parser.add_argument
        add("truth", type=Path, help="truth VCF or BCF")
        add("query", type=Path, help="calls to compare: VCF, gVCF or BCF")
        add("-r", "--reference", type=Path, required=True, help="FASTA")
        add("-o", "--report-prefix", dest="out_prefix", type=Path, required=True,
            help="path of the outputs, without suffix")  # fmt: skip
        _add_region_arguments(parser)
        _add_comparison_arguments(parser)
        _add_roc_arguments(parser)

    def handle(self, **options: Any) -> None:
        quiet = bool(options["quiet"]) or int(options["verbosity"]) == 0
        terminal = Terminal(self.stderr, quiet=quiet)
        try:
            rows = self._rows(options, terminal)
        except KeyboardInterrupt:
            raise CommandError("Interrupted.", returncode=INTERRUPTED) from None
        finally:
            terminal.close()
        if not quiet:
            self.stdout.write("Benchmarking Summary:")
            self.stdout.write(summary_table(rows))

    def _rows(self, options: dict[str, Any], terminal: Terminal) -> list[SummaryRow]:
        truth_sample, query_sample = _samples(options["sample"])
        name = options["engine"]
        try:
            if name == "builtin":
                _builtin(options, truth_sample, query_sample, terminal)
            else:
                _delegate(name, options, truth_sample, query_sample, terminal)
        except BenchmarkError as error:
            raise _command_error(error.faults, BAD_INPUT) from error
        except EngineUnavailableError as error:
            raise _command_error([str(error)], UNAVAILABLE) from error
        except EngineCancelledError as error:
            raise _command_error([str(error)], INTERRUPTED) from error
        except EngineError as error:
            faults = [str(error), *error.details]
            raise _command_error(faults, FAILED) from error
        prefix: Path = options["out_prefix"]
        return read_summary(prefix.with_name(f"{prefix.name}.summary.csv"))


def _add_region_arguments(parser: CommandParser) -> None:
    add = parser.add_argument
    add(
        "-f",
        "--false-positives",
        dest="confident",
        type=Path,
        help="BED where the truth is complete; calls outside become UNK",
    )
    add(
        "-T",
        "--target-regions",
        dest="targets",
        type=Path,
        help="BED to cut both files down to: records that start in it",
    )
    add(
        "-R",
        "--restrict-regions",
        dest="restrict",
        type=Path,
        help="BED to cut both files down to: records that touch it",
    )
    add(
        "-l",
        "--location",
        dest="locations",
        default=(),
        type=_names,
        help="contigs or ranges (chr20:1000-2000) to compare, separated by commas "
        "(default: the contigs of the truth)",
    )
    add(
        "--stratification",
        type=Path,
        help="TSV of strata: label, tab, BED file (relative to the TSV)",
    )
    add(
        "--adjust-conf-regions",
        dest="adjust_confident",
        action="store_true",
        default=True,
        help=argparse.SUPPRESS,
    )
    add("--no-adjust-conf-regions", dest="adjust_confident", action="store_false",
        help="do not widen the confident regions by truth variants")  # fmt: skip


def _add_comparison_arguments(parser: CommandParser) -> None:
    add = parser.add_argument
    add("--engine", choices=SMALL, default="builtin", help="(default: builtin)")
    add(
        "--engine-vcfeval-template",
        dest="sdf",
        type=Path,
        help="ready SDF of the reference, for --engine vcfeval and happy",
    )
    add(
        "--pass-only",
        action="store_true",
        help="leave out calls that fail a filter before matching",
    )
    add(
        "--usefiltered-truth",
        dest="use_filtered_truth",
        action="store_true",
        help="use truth records that fail a filter, too",
    )
    add(
        "--sample",
        default="",
        help="TRUTH,QUERY: which samples, where a file has several",
    )
    add(
        "--gender",
        dest="sex",
        default="auto",
        choices=("male", "female", "auto", "none"),
        help="male: haploid calls on X and Y are homozygous (default: auto)",
    )
    add("--threads", type=int, default=0, help="(default: all cores)")
    add("-L", "--leftshift", action="store_true", default=True, help=argparse.SUPPRESS)
    add(
        "--no-leftshift",
        dest="leftshift",
        action="store_false",
        help="do not shift the query's indels to the left",
    )
    add("--decompose", action="store_true", default=True, help=argparse.SUPPRESS)
    add(
        "-D",
        "--no-decompose",
        dest="decompose",
        action="store_false",
        help="do not split the query's complex alleles",
    )
    add("--squash-ploidy", action="store_true", help="ignore zygosity")
    add(
        "--convert-gvcf-query",
        dest="is_gvcf",
        action="store_true",
        help="the query is a gVCF (needed by --engine happy only)",
    )
    add(
        "-V",
        "--write-vcf",
        dest="write_vcf",
        action="store_true",
        default=True,
        help=argparse.SUPPRESS,
    )
    add(
        "--no-write-vcf",
        dest="write_vcf",
        action="store_false",
        help="make no annotated VCF",
    )
    add("--quiet", action="store_true", help="say nothing but errors")  # fmt: skip


def _add_roc_arguments(parser: CommandParser) -> None:
    add = parser.add_argument
    add("--roc", default="QUAL", help="score: QUAL, GQ or INFO.<key> (default: QUAL)")
    add("--roc-filter", default="", help="filters to ignore in the SEL rows; * for all")
    add(
        "--roc-regions",
        action="append",
        default=[],
        help="stratum that gets curves of its own, besides all calls (may be repeated)",
    )
    add(
        "--roc-delta",
        type=float,
        default=0.5,
        help="least distance of two thresholds (default: 0.5)",
    )
    add(
        "--no-roc",
        dest="do_roc",
        action="store_false",
        default=True,
        help="make no ROC tables",
    )
    add("--ci-alpha", type=float, default=0.0,
        help="level of the confidence intervals, as 0.05 (default: none)")  # fmt: skip


def _names(text: str) -> tuple[str, ...]:
    return tuple(name for name in text.split(",") if name)


def _samples(text: str) -> tuple[str | None, str | None]:
    """Names of the truth's and the query's sample; a single name is the query's."""
    truth, comma, query = text.partition(",")
    if not comma:
        truth, query = "", truth
    return truth or None, query or None


def _builtin(
    options: dict[str, Any], truth: str | None, query: str | None, terminal: Terminal
) -> None:
    from benchmarks.haplotypes.run import benchmark  # loads compiled code

    named = {name: options[name] for name in (*PASSED_ON, *BUILTIN_ONLY)}
    named["sex"] = "female" if named["sex"] == "none" else named["sex"]
    named["roc_regions"] = tuple(named["roc_regions"])
    job = Job(**named, truth_sample=truth, query_sample=query)
    benchmark(job, log=terminal.log, progress=terminal.progress)


def _delegate(
    name: str,
    options: dict[str, Any],
    truth: str | None,
    query: str | None,
    terminal: Terminal,
) -> None:
    unused = [
        written
        for option, (written, silent) in BUILTIN_ONLY.items()
        if options[option] != silent
    ]
    if unused:
        raise BenchmarkError(
            [f"{', '.join(unused)}: only the built-in engine knows this option."]
        )
    engine = small_variant_engine(name)
    here = engine.probe()
    if not here.available:
        raise EngineUnavailableError(f"{here.reason} {here.remedy}".strip())
    named = {option: options[option] for option in PASSED_ON}
    named["sex"] = "auto" if named["sex"] == "none" else named["sex"]
    named["threads"] = max(named["threads"], 1)
    named["out_prefix"].parent.mkdir(parents=True, exist_ok=True)
    job = SmallVariantJob(
        **named,
        truth_sample=truth,
        query_sample=query,
        is_gvcf=options["is_gvcf"],
        sdf=options["sdf"],
    )
    engine.run(job, EngineContext(terminal.log, terminal.steps, ToolRunner()))


def _command_error(faults: list[str], code: int) -> CommandError:
    return CommandError("\n".join(faults), returncode=code)
