"""Who may do what: viewers look, operators start, cancel and retry, administrators
keep. A role is a Django group; a permission is what the code asks for."""

from __future__ import annotations

from typing import Any

VIEW = "runs.view_run"
OPERATE = "runs.operate_run"

VIEWS = ["runs.view_run", "runs.view_sample", "runs.view_artifact"]
ROLES: dict[str, list[str]] = {
    "Viewers": VIEWS,
    "Operators": [*VIEWS, OPERATE],
}


def ensure_groups(**_kwargs: Any) -> None:
    """Make the groups, with at least the permissions that the roles name."""
    from django.apps import apps
    from django.contrib.auth.management import create_permissions
    from django.contrib.auth.models import Group, Permission

    create_permissions(apps.get_app_config("runs"), verbosity=0)
    for name, wanted in ROLES.items():
        group, _created = Group.objects.get_or_create(name=name)
        codenames = [permission.partition(".")[2] for permission in wanted]
        group.permissions.add(
            *Permission.objects.filter(
                content_type__app_label="runs", codename__in=codenames
            )
        )
