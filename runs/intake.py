"""What may be asked for: the rules for the inputs of a run, for pages and REST alike.

`Run.location` by source:

    s3    {"id": "<folder>"}     one of several `<id>` folders, or {} for the only one
    zip   {"archive": "uploads/…"}   below the data folder
    path  {"path": "/absolute"}      a folder or file below one of the allowed roots
    url   {"urls": ["https://…"]}    of hosts in the allow-list
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from runs.models import StageName


class Benchmark(models.TextChoices):
    """What people choose to have carried out. `stratified` is an option of `happy`."""

    HAPPY = "happy", gettext_lazy("Small variants")
    STRATIFIED = "stratified", gettext_lazy("Small variants by stratum")
    TRUVARI = "truvari", gettext_lazy("Structural variants")
    CSV = "csv", gettext_lazy("QC metrics")


def stages_of(names: Iterable[str]) -> tuple[list[StageName], dict[str, Any]]:
    """The stages to carry out for these choices, and the options that they mean."""
    chosen = {Benchmark(name) for name in names}
    options: dict[str, Any] = {}
    if Benchmark.STRATIFIED in chosen:
        chosen.add(Benchmark.HAPPY)
        options["stratified"] = True
    plain = (stage for stage in StageName if stage.value in {*chosen})
    return list(plain), options


def server_path(text: str) -> Path:
    """The path with its links resolved, below an allowed root and there.

    Raises `ValidationError` with a sentence.
    """
    roots = [root.resolve() for root in settings.VCBENCH.path_roots]
    if not roots:
        raise ValidationError(
            _(
                "Server paths are switched off. An administrator allows folders by "
                "VCBENCH_PATH_ROOTS."
            )
        )
    path = Path(text)
    if not path.is_absolute():
        raise ValidationError(_("Give the whole path, beginning with a slash."))
    path = path.resolve()
    if not any(path.is_relative_to(root) for root in roots):
        raise ValidationError(
            _("%(path)s lies outside the allowed folders: %(roots)s."),
            params={"path": text, "roots": ", ".join(map(str, roots))},
        )
    if not path.exists():
        raise ValidationError(
            _("%(path)s is not there. Check the spelling and that it is mounted."),
            params={"path": text},
        )
    return path


def allowed_urls(urls: Sequence[str]) -> list[str]:
    """The URLs, all of hosts in the allow-list.

    Raises `ValidationError` with a sentence for each that is not.
    """
    hosts = settings.VCBENCH.url_hosts
    if not hosts:
        raise ValidationError(
            _(
                "Downloads by URL are switched off. An administrator allows hosts by "
                "VCBENCH_URL_HOSTS."
            )
        )
    faults = [fault for url in urls if (fault := _fault_of(url, hosts))]
    if faults:
        raise ValidationError(faults)
    return list(urls)


def _fault_of(url: str, hosts: Sequence[str]) -> str:
    try:
        parts = urlsplit(url)
        host, scheme = parts.hostname or "", parts.scheme
        named = {host, f"{host}:{parts.port}"} if parts.port else {host}
    except ValueError:
        host, scheme, named = "", "", set()
    if scheme not in ("http", "https") or not host:
        return _("%(url)s is no http or https address.") % {"url": url}
    if parts.username or parts.password:
        return _("An address may not hold a user name or password.")
    if not named & set(hosts):
        return _("%(host)s is not among the allowed hosts: %(hosts)s.") % {
            "host": host,
            "hosts": ", ".join(hosts),
        }
    return ""
