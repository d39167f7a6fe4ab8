"""What a file of a DRAGEN run is, told from its name.

Every output is called `<prefix>.<suffix>`, and a prefix may hold dots
(`NA24143_Lib3_Rep1.dragen`), so only the end of a name counts. The order of the
rules matters: `.hard-filtered.vcf.gz` also ends with `.vcf.gz`, and
`.vc_metrics.csv` is no part of `.gvcf_metrics.csv`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Category = Literal[
    "Summary",
    "SV",
    "VC",
    "CNV",
    "ROH",
    "HetHom",
    "Ploidy",
    "Bed coverage",
    "Contig coverage",
    "Mapping",
]
CATEGORIES: tuple[Category, ...] = (
    "Summary",
    "SV",
    "VC",
    "CNV",
    "ROH",
    "HetHom",
    "Ploidy",
    "Bed coverage",
    "Contig coverage",
    "Mapping",
)
Role = Literal["calls", "metrics", "index", "checksum", "alignment", "record", "other"]

_REGION = r"(?P<region>wgs|target_bed|tmb|qc-coverage-region-\d+)"
_SIDE = r"(?P<side>_(?:tumor|normal))?"


@dataclass(frozen=True, slots=True)
class DragenFile:
    """A name taken apart.

    `kind` is stable and says how to read it; `of` is the kind of the file that an
    index or checksum belongs to; `region` and `side` (tumor, normal) are ''
    where they do not apply.
    """

    name: str
    prefix: str
    role: Role
    kind: str
    category: Category | None = None
    region: str = ""
    side: str = ""
    of: str = ""


@dataclass(frozen=True, slots=True)
class _Rule:
    role: Role
    kind: str
    pattern: re.Pattern[str]
    category: Category | None = None


def _calls(kind: str, suffix: str) -> _Rule:
    return _Rule("calls", kind, re.compile(rf"\.{suffix}\Z", re.IGNORECASE))


def _metrics(kind: str, category: Category, suffix: str | None = None) -> _Rule:
    pattern = rf"\.{suffix or kind}\.csv\Z"
    return _Rule("metrics", kind, re.compile(pattern, re.IGNORECASE), category)


# First match wins.
RULES = (
    _Rule("checksum", "md5sum", re.compile(r"\.md5(?:sum)?\Z", re.IGNORECASE)),
    _Rule(
        "index", "tbi", re.compile(r"\.(?:g\.?)?vcf\.gz\.(?:tbi|csi)\Z", re.IGNORECASE)
    ),
    _Rule(
        "alignment",
        "alignment",
        re.compile(r"\.(?:bam|cram)(?:\.(?:bai|crai))?\Z", re.I),
    ),
    _calls("smvar_vcf", r"hard-filtered\.vcf\.gz"),
    _calls("smvar_gvcf", r"hard-filtered(?:\.recal)?\.g\.?vcf\.gz"),
    _calls("sv_vcf_dedup", r"sv\.small_indel_dedup\.vcf\.gz"),
    _calls("sv_vcf", r"sv\.vcf\.gz"),
    _calls("cnv_sv_vcf", r"cnv_sv\.vcf\.gz"),
    _calls("cnv_vcf", r"cnv\.vcf\.gz"),
    _calls("ploidy_vcf", r"ploidy\.vcf\.gz"),
    _calls("str_vcf", r"repeats\.vcf\.gz"),
    _calls("targeted_vcf", r"targeted\.vcf\.gz"),
    _calls("smvar_gvcf_unfiltered", r"g\.?vcf\.gz"),
    _calls("smvar_vcf_unfiltered", r"vcf\.gz"),
    _metrics("mapping_metrics", "Mapping"),
    _metrics("vc_hethom_ratio_metrics", "HetHom"),
    _metrics("gvcf_hethom_ratio_metrics", "HetHom"),
    _metrics("gvcf_metrics", "VC"),
    _metrics("vc_metrics", "VC"),
    _metrics("ploidy_estimation_metrics", "Ploidy"),
    _metrics("contig_mean_cov", "Contig coverage", f"{_REGION}_contig_mean_cov{_SIDE}"),
    _metrics("overall_mean_cov", "Bed coverage", f"{_REGION}_overall_mean_cov{_SIDE}"),
    _metrics("coverage_metrics", "Bed coverage", f"{_REGION}_coverage_metrics{_SIDE}"),
    _metrics("fine_hist", "Bed coverage", f"{_REGION}_fine_hist{_SIDE}"),
    _metrics("hist", "Bed coverage", f"{_REGION}_hist{_SIDE}"),
    _metrics("fragment_length_hist", "Mapping"),
    _metrics("sv_metrics", "SV"),
    _metrics("cnv_metrics", "CNV"),
    _metrics("roh_metrics", "ROH"),
    _metrics("trimmer_metrics", "Mapping"),
    _metrics("fastqc_metrics", "Mapping"),
    _metrics("gc_metrics", "Mapping"),
    _metrics("umi_metrics", "Mapping"),
    _metrics("time_metrics", "Summary"),
    _Rule(
        "metrics",
        "other_metrics",
        re.compile(r"\.(?=[^.]*(?:metrics|_hist|_cov|summary))[^.]+\.csv\Z", re.I),
        "Summary",
    ),
    _Rule("record", "replay", re.compile(r"-replay\.json\Z", re.IGNORECASE)),
    _Rule("record", "metrics_json", re.compile(r"\.metrics\.json\Z", re.IGNORECASE)),
)


def classify(name: str) -> DragenFile:
    """What the file is; role `other` when no rule knows it. Folders are ignored."""
    base = name.replace("\\", "/").rsplit("/", 1)[-1]
    for rule in RULES:
        if matched := rule.pattern.search(base):
            parts = matched.groupdict()
            return DragenFile(
                name=base,
                prefix=base[: matched.start()],
                role=rule.role,
                kind=rule.kind,
                category=rule.category,
                region=parts.get("region") or "",
                side=(parts.get("side") or "").lstrip("_"),
                of=_owner(base, rule),
            )
    return DragenFile(name=base, prefix=base, role="other", kind="other")


def owner(name: str) -> str:
    """The name of the file that an index or checksum belongs to; else the name."""
    return re.sub(r"\.(?:tbi|csi|md5|md5sum)\Z", "", name, flags=re.IGNORECASE)


def is_wanted(file: DragenFile) -> bool:
    """Whether an import takes the file: calls, metrics, their indexes and checksums.

    Alignments are left where they are, and so are their checksums.
    """
    if file.role in ("index", "checksum"):
        return classify(owner(file.name)).role in ("calls", "metrics", "index")
    return file.role in ("calls", "metrics", "record")


def md5_of(text: str) -> str | None:
    """The MD5 in an .md5sum file: the first 32 hex digits, with or without a name."""
    matched = re.match(r"\s*\\?([0-9a-fA-F]{32})(?![0-9a-fA-F])", text)
    return matched[1].lower() if matched else None


def _owner(name: str, rule: _Rule) -> str:
    return classify(owner(name)).kind if rule.role in ("index", "checksum") else ""
