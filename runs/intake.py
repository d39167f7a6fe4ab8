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
from runs.sources import address_rules
from runs.transfers.addresses import AddressRules, allowed_host
from runs.transfers.base import is_file_name
from runs.transfers.https import name_of


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
    try:
        path = path.resolve()
        there = path.exists()
    except (OSError, RuntimeError, ValueError):  # too long, a circle of links, a NUL
        there = False
    if not any(path.is_relative_to(root) for root in roots):
        raise ValidationError(
            _("%(path)s lies outside the allowed folders: %(roots)s."),
            params={"path": text, "roots": ", ".join(map(str, roots))},
        )
    if not there:
        raise ValidationError(
            _("%(path)s is not there. Check the spelling and that it is mounted."),
            params={"path": text},
        )
    return path


def allowed_urls(urls: Sequence[str]) -> list[str]:
    """The URLs, all of hosts in the allow-list.

    Raises `ValidationError` with a sentence for each that is not.
    """
    if not settings.VCBENCH.url_hosts:
        raise ValidationError(
            _(
                "Downloads by URL are switched off. An administrator allows hosts by "
                "VCBENCH_URL_HOSTS."
            )
        )
    rules = address_rules()
    faults = [fault for url in urls if (fault := _fault_of(url, rules))]
    if faults:
        raise ValidationError(faults)
    return list(urls)


def _fault_of(url: str, rules: AddressRules) -> str:
    try:
        parts = urlsplit(url)
        whole = bool(parts.hostname) and parts.port != 0
    except ValueError:
        whole = False
    if not whole or parts.scheme not in ("http", "https"):
        return _("%(url)s is no http or https address.") % {"url": url}
    if parts.scheme == "http" and not rules.allow_http:
        return _("%(url)s has to begin with https.") % {"url": url}
    if parts.username or parts.password:
        return _("An address may not hold a user name or password.")
    if not allowed_host(parts, rules):
        return _("%(host)s is not among the allowed hosts: %(hosts)s.") % {
            "host": parts.netloc,
            "hosts": ", ".join(rules.hosts),
        }
    if not is_file_name(name_of(url)):
        return _("%(url)s does not end with the name of a file.") % {"url": url}
    return ""
