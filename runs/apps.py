from __future__ import annotations

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class RunsConfig(AppConfig):
    name = "runs"
    verbose_name = _("Runs")

    def ready(self) -> None:
        from runs import converters
        from runs.roles import ensure_groups

        converters.register()
        # Not control flow: Django's own hook for rows that must exist.
        post_migrate.connect(ensure_groups, sender=self)
