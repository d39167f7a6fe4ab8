from __future__ import annotations

from django.apps import AppConfig


class SiteConfig(AppConfig):
    name = "vcbench_site"
    verbose_name = "VCBench"

    def ready(self) -> None:
        from vcbench_site import checks  # noqa: F401  registers the system checks
