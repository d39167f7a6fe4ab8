"""What every control chart has: limits, an edge, and where values stand between."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _

from benchmarks.control import Baseline
from runs.charts import Mark
from runs.templatetags.signed import signed
from runs.trends import Judged

LIMITS = ((2, "dashed"), (3, "dotted"))
FARTHEST = 10.0
"""Standard deviations; what is further away stands at the chart's edge, so that one
outlier does not press all else into a line."""


def with_edge(about: str, judged: Sequence[Judged]) -> str:
    """What a control chart says of itself, and of values beyond its edge."""
    if any(abs(each.z or 0) > FARTHEST for each in judged):
        edge = _("What is beyond %d s stands at the edge.") % FARTHEST
        about = f"{about} {edge}"
    return about


def place_of(baseline: Baseline | None, value: float) -> float:
    """Where a value stands in a control chart."""
    if baseline is None:
        return value
    lowest, highest = baseline.limit(-FARTHEST), baseline.limit(FARTHEST)
    return min(max(value, lowest), highest)


def limits(baseline: Baseline | None) -> list[Mark]:
    """The mean, and 2 and 3 standard deviations above and below it."""
    if baseline is None:
        return []
    marks = [Mark("y", baseline.mean, _("mean"), "solid", "good")]
    for deviations, line in LIMITS:
        tone = "warn" if deviations == 2 else "bad"
        for side in (1, -1):
            label = f"{signed(side * deviations, 0)} s"
            marks.append(
                Mark("y", baseline.limit(side * deviations), label, line, tone)  # type: ignore[arg-type]
            )
    return marks
