"""The inputs: listed before the first byte, whole and verified, or not at all."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, ClassVar

from benchmarks.parsers import dragen_files
from benchmarks.parsers.pipeline import pipeline_of
from benchmarks.parsers.vcf_header import VcfError, sniff
from runs import artifacts
from runs.inputs import SMALL_VARIANTS, STRUCTURAL_VARIANTS
from runs.models import Artifact, StageName
from runs.sources import InputSource, Manner, source_of
from runs.stages.base import Context, Findings, StageFailed
from runs.transfers.base import (
    Fetched,
    RemoteFile,
    TransferCancelled,
    TransferError,
    human_bytes,
)

LIST = "inputs.json"
"""What was brought, in the published folder."""
WANTED = {
    StageName.HAPPY: (
        "small-variant calls (*.hard-filtered.vcf.gz or *.hard-filtered.gvcf.gz)",
        SMALL_VARIANTS,
    ),
    StageName.TRUVARI: (
        "structural-variant calls (*.sv.vcf.gz)",
        STRUCTURAL_VARIANTS,
    ),
}


class DownloadStage:
    """Brings calls, indexes, checksums and metrics into the run's folder."""

    name: ClassVar[StageName] = StageName.DOWNLOAD
    needs: ClassVar[tuple[StageName, ...]] = ()
    resumes: ClassVar[bool] = True

    def inputs(self, context: Context) -> dict[str, Any]:
        return {"source": context.run.source, "location": context.run.location}

    def perform(self, context: Context, work: Path) -> None:
        manner = Manner(context.progress, context.should_stop)
        try:
            self._bring(context, source_of(context.run), work, manner)
        except TransferCancelled:
            context.check()
            raise
        except TransferError as error:
            raise StageFailed.of_transfer(error) from error

    def _bring(
        self, context: Context, source: InputSource, work: Path, manner: Manner
    ) -> None:
        offered = source.offers(manner)
        files = choose(offered)
        check_complete(context, files, offered, source.place)
        sizes = sum(file.size or 0 for file in files)
        context.log.info(
            f"{source.place}: {len(files)} of {len(offered)} files wanted, "
            f"{human_bytes(sizes)}."
        )
        for file in files:
            context.log.info(f"  {file.name}, {human_bytes(file.size or 0)}")
        brought = bring(source, files, work, manner)
        source.clear()
        self._note(context, source, brought, work)

    def _note(
        self,
        context: Context,
        source: InputSource,
        brought: Sequence[Fetched],
        work: Path,
    ) -> None:
        entries = [
            {**asdict(file), "path": file.path.name, "source": file.source}
            for file in brought
        ]
        (work / LIST).write_text(json.dumps(entries, indent=1))
        context.provenance[self.name] = {"source": source.place}
        weak = [file.path.name for file in brought if file.verified_by == "size"]
        if weak:
            context.log.warning(
                f"{len(weak)} of {len(brought)} files could be verified by their size "
                f"only: {', '.join(weak[:5])}{' …' if len(weak) > 5 else ''}."
            )

    def read(self, context: Context, folder: Path) -> Findings:
        entries = json.loads((folder / LIST).read_text())
        rows = [
            Artifact(
                run=context.run,
                stage=self.name,
                role=Artifact.Role.INPUT,
                kind=dragen_files.classify(entry["path"]).kind,
                name=f"{self.name}/{entry['path']}",
                path=artifacts.relative(folder / entry["path"]),
                size=entry["size"],
                md5=entry["md5"] or "",
                sha256=entry["sha256"] or "",
                crc64nvme=entry.get("crc64nvme") or "",
                verified_by=entry["verified_by"],
                origin=entry["source"],
            )
            for entry in entries
        ]
        pipeline = _pipeline(rows)

        def keep() -> None:
            artifacts.replace(context.run, self.name, rows)
            if pipeline:
                context.claim.rows.update(pipeline=pipeline)

        total = human_bytes(sum(row.size for row in rows))
        return Findings(f"{len(rows)} files, {total}, are here and verified.", keep)


def _pipeline(files: Sequence[Artifact]) -> str:
    """What made the calls, by the first of their headers that says it.

    Calls that cannot be read are the fault of the stage that needs them.
    """
    calls = [file for file in files if dragen_files.classify(file.name).role == "calls"]
    for file in sorted(calls, key=lambda file: file.kind not in SMALL_VARIANTS):
        try:
            header = sniff(file.file, need_genotypes=False, check_end=False)
        except VcfError:
            continue
        if found := pipeline_of(header):
            return found
    return ""


def bring(
    source: InputSource, files: Sequence[RemoteFile], work: Path, manner: Manner
) -> list[Fetched]:
    """All files; where the `.md5sum` files have not been read yet, those first."""
    sides = [
        file for file in files if _role(file) == "checksum" and _unread(file, files)
    ]
    if not sides:
        return source.bring(files, work, manner)
    brought = source.bring(sides, work, manner)
    known = md5s(work, sides)
    others = [
        replace(file, md5=file.md5 or known.get(file.name))
        for file in files
        if file not in sides
    ]
    return brought + source.bring(others, work, manner)


def _unread(side: RemoteFile, files: Sequence[RemoteFile]) -> bool:
    """Whether the file that the checksum is of does not carry it yet."""
    name = dragen_files.owner(side.name)
    return any(file.md5 is None for file in files if file.name == name)


def choose(offered: Sequence[RemoteFile]) -> list[RemoteFile]:
    """What an import takes: one file of small variants, the best there is, and all
    other calls and metrics, with their indexes and checksums."""
    kinds = {file.name: dragen_files.classify(file.name) for file in offered}
    present = {kind.kind for kind in kinds.values()}
    best = next((kind for kind in SMALL_VARIANTS if kind in present), None)
    left_out = set(SMALL_VARIANTS) - {best}
    return [
        file
        for file in offered
        if dragen_files.is_wanted(kinds[file.name])
        and dragen_files.classify(dragen_files.owner(file.name)).kind not in left_out
    ]


def check_complete(
    context: Context,
    files: Sequence[RemoteFile],
    offered: Sequence[RemoteFile],
    place: str,
) -> None:
    """Raise with everything that is missing and everything that is there."""
    missing = list(_missing(context, files))
    twice = sorted({f.name for f in files if [g.name for g in files].count(f.name) > 1})
    if twice:
        raise StageFailed(f"{place} has several files named {', '.join(twice)}.")
    if missing:
        names = [file.name for file in offered]
        there = ", ".join(names[:20]) + (" …" if len(names) > 20 else "")
        raise StageFailed(
            f"{place} lacks {'; '.join(missing)}. There are {len(names)} files: "
            f"{there or 'none'}."
        )


def _missing(context: Context, files: Sequence[RemoteFile]) -> Iterator[str]:
    present = {dragen_files.classify(file.name).kind for file in files}
    stages = set(context.run.stages.values_list("name", flat=True))
    for stage, (what, kinds) in WANTED.items():
        if stage in stages and not present.intersection(kinds):
            yield what
    if StageName.CSV in stages and not any(_role(f) == "metrics" for f in files):
        yield "DRAGEN metrics (*_metrics.csv)"
    if not files and not stages & {*WANTED, StageName.CSV}:
        yield "DRAGEN calls or metrics"


def _role(file: RemoteFile) -> str:
    return dragen_files.classify(file.name).role


def md5s(folder: Path, sides: Sequence[RemoteFile]) -> dict[str, str]:
    """MD5 by the name of the file it is of, from the `.md5sum` files."""
    found = {}
    for side in sides:
        digest = dragen_files.md5_of((folder / side.name).read_text(errors="replace"))
        if digest is None:
            raise StageFailed(
                f"{side.name} holds no MD5: its first 32 characters should be one."
            )
        found[dragen_files.owner(side.name)] = digest
    return found
