"""Reads to be shown beneath a run's variants: a BAM or CRAM on the server.

The file stays where it is, below one of the allowed folders; a run only remembers its
path (`Run.options["reads"]`). It decides no result.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from runs import intake
from runs.models import Run

ENDINGS = {".bam": ("bai", "csi"), ".cram": ("crai",)}


@dataclass(frozen=True, slots=True)
class Reads:
    """An alignment with its index."""

    path: Path
    index: Path

    @property
    def format(self) -> str:
        return self.path.suffix.lstrip(".").lower()

    @classmethod
    def at(cls, text: str) -> Reads:
        """Raises `ValidationError` for what cannot be shown."""
        path = intake.server_path(text)
        ending = path.suffix.lower()
        if ending not in ENDINGS or not path.is_file():
            raise ValidationError(
                _("%(path)s is no BAM or CRAM file."), params={"path": text}
            )
        for index in ENDINGS[ending]:
            for name in (f"{path.name}.{index}", f"{path.stem}.{index}"):
                if (found := path.with_name(name)).is_file():
                    return cls(path, intake.server_path(str(found)))
        raise ValidationError(
            _("%(path)s has no index beside it. Make one with samtools index."),
            params={"path": text},
        )


def of_run(run: Run) -> Reads | None:
    """The run's reads, if they may still be read and are there."""
    text = run.options.get("reads")
    if not text:
        return None
    try:
        return Reads.at(text)
    except ValidationError:
        return None


def remember(run: Run, reads: Reads | None) -> None:
    """Give the run these reads, or none."""
    with transaction.atomic():
        locked = Run.objects.select_for_update().get(pk=run.pk)
        options = {k: v for k, v in locked.options.items() if k != "reads"}
        if reads is not None:
            options["reads"] = str(reads.path)
        Run.objects.filter(pk=run.pk).update(options=options)
