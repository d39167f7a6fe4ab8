"""QC metrics: every value of every DRAGEN metrics file."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from benchmarks import metrics
from benchmarks.parsers.dragen import MetricRow, read_metrics
from benchmarks.parsers.errors import ParseError
from runs.inputs import Inputs
from runs.models import StageName
from runs.stages.base import Context, Findings


class CsvStage:
    """Files that cannot be read are told, and the others are kept."""

    name: ClassVar[StageName] = StageName.CSV
    needs: ClassVar[tuple[StageName, ...]] = (StageName.DOWNLOAD,)
    resumes: ClassVar[bool] = False

    def inputs(self, context: Context) -> dict[str, Any]:
        files = Inputs.of(context).metrics()
        return {file.name: f"{file.size}:{file.checksum}" for file in files}

    def perform(self, context: Context, work: Path) -> None:
        """Nothing to make: the values go from the inputs into rows."""

    def read(self, context: Context, folder: Path) -> Findings:
        read: dict[str, list[MetricRow]] = {}
        faults: list[str] = []
        for file in Inputs.of(context).metrics():
            try:
                read[file.file.name] = read_metrics(file.file)
            except ParseError as error:
                faults.append(str(error))
        count = sum(len(rows) for rows in read.values())
        return Findings(
            " ".join([f"{count:,} QC values of {len(read)} files are kept.", *faults]),
            lambda: metrics.keep_qc(context.run.pk, read.items()),
        )
