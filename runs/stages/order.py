"""The stages in the order in which they run."""

from __future__ import annotations

from collections.abc import Sequence

from runs.stages.base import Stage
from runs.stages.csv import CsvStage
from runs.stages.download import DownloadStage
from runs.stages.happy import HappyStage
from runs.stages.reference import ReferenceStage
from runs.stages.truvari import TruvariStage

ORDER: Sequence[Stage] = (
    DownloadStage(),
    ReferenceStage(),
    HappyStage(),
    TruvariStage(),
    CsvStage(),
)
