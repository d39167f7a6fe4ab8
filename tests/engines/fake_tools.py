"""Programs that answer as hap.py and rtg do, for where neither is installed.

Only the edge is faked: options are taken as the real ones take them (an unknown one
is refused), files are written where the real ones write them.
"""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path

ROOT = Path(__file__).parents[2]

# hap.py 0.3.15; the comparison itself is left to the built-in engine.
HAPPY = """
    import argparse, json, logging, os, sys
    if sys.argv[1:] == ["--version"]:
        print("Hap.py v0.3.15")
        sys.exit(0)
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("vcfs", nargs=2)
    for option in ("-r", "-o", "-f", "-T", "--stratification", "--roc", "--ci-alpha",
                   "--threads", "--gender", "--scratch-prefix", "--engine",
                   "--engine-vcfeval-template"):
        parser.add_argument(option)
    for flag in ("--pass-only", "--convert-gvcf-query", "--verbose"):
        parser.add_argument(flag, action="store_true")
    given = parser.parse_args()
    with open(os.environ["FAKE_RECORD"], "w") as file:
        json.dump([sys.argv[1:], dict(os.environ)], file)
    logging.basicConfig(
        format="%(asctime)s %(levelname)-8s %(message)s", level=logging.INFO
    )
    logging.info("Comparing %s and %s", *given.vcfs)
    if "FAKE_GIVEN_UP" in os.environ:
        logging.info("vcfeval output: \\n / \\n%s\\n", os.environ["FAKE_GIVEN_UP"])
    if "FAKE_FAILURE" in os.environ:
        logging.error(os.environ["FAKE_FAILURE"])
        sys.exit(1)
    header = (
        "Type,Filter,TRUTH.TOTAL,TRUTH.TP,TRUTH.FN,QUERY.TOTAL,QUERY.FP,QUERY.UNK,"
        "FP.gt,FP.al,METRIC.Recall,METRIC.Precision,METRIC.Frac_NA,METRIC.F1_Score\\n"
    )
    with open(given.o + ".summary.csv", "w") as file:
        file.write(header)
        if "FAKE_EMPTY" not in os.environ:
            file.write("SNP,ALL,4,3,1,5,1,1,0,0,0.75,0.75,0.2,0.75\\n")
    print("Benchmarking Summary:")
"""

# RTG Tools 3.12.1; the verdicts are the built-in engine's, without regions, in the
# layout of `-m ga4gh`.
RTG = """
    import argparse, json, os, pathlib, shutil, sys
    command, *rest = sys.argv[1:]
    if command == "version":
        print("Product: RTG Tools 3.12.1\\nCore Version: 1b1a9ca (2021-05-21)")
        sys.exit(0)
    with open(os.environ["FAKE_RECORD"], "a") as file:
        file.write(json.dumps([sys.argv[1:], os.environ.get("RTG_MEM")]) + "\\n")
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("-o", required=True)
    if command == "format":
        parser.add_argument("fasta")
        given = parser.parse_args(rest)
        pathlib.Path(given.o).mkdir()
        pathlib.Path(given.o, "of").write_text(given.fasta)
        sys.exit(0)
    for option in ("-b", "-c", "-t"):
        parser.add_argument(option, required=True)
    for option in ("-T", "-m", "-f", "--Xloose-match-distance"):
        parser.add_argument(option)
    for flag in ("--ref-overlap", "--all-records"):
        parser.add_argument(flag, action="store_true")
    given = parser.parse_args(rest)
    if "FAKE_FAILURE" in os.environ:
        print("Error: " + os.environ["FAKE_FAILURE"], file=sys.stderr)
        sys.exit(1)
    if "FAKE_GIVEN_UP" in os.environ:
        print(os.environ["FAKE_GIVEN_UP"], file=sys.stderr)
    os.mkdir(given.o)
    sys.path.insert(0, {root!r})
    from benchmarks.haplotypes.run import Job, benchmark
    files = benchmark(Job(
        truth=pathlib.Path(given.b), query=pathlib.Path(given.c),
        reference=pathlib.Path(pathlib.Path(given.t, "of").read_text()),
        out_prefix=pathlib.Path(given.o, "x"), pass_only=not given.all_records,
        leftshift=False, decompose=False,
    )).files
    shutil.copy(files["vcf"], pathlib.Path(given.o, "output.vcf.gz"))
"""


def install(folder: Path, name: str, text: str) -> tuple[str, ...]:
    """Make the program, and give the command that starts it."""
    program = folder / name
    source = textwrap.dedent(text).replace("{root!r}", repr(str(ROOT)))
    program.write_text(f"#!{sys.executable}\n{source}")
    program.chmod(0o755)
    return (str(program),)
