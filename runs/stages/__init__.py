"""The stages of a run, one small module each, in the order in which they run."""

from __future__ import annotations

from collections.abc import Sequence

from runs.stages.base import Stage

ORDER: Sequence[Stage] = ()
