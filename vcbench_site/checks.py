"""System checks: what would fail later is said at start-up, with a remedy."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register


@register(Tags.files)
def data_folder(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    folder = settings.VCBENCH.data_dir
    if folder.is_dir() and os.access(folder, os.W_OK | os.X_OK):
        return []
    return [
        Error(
            f"The data folder {folder} cannot be written.",
            hint="Create it, or name another by VCBENCH_DATA_DIR.",
            id="vcbench.E001",
        )
    ]


@register("channels")
def shared_layer(
    app_configs: Sequence[Any] | None, **kwargs: Any
) -> list[CheckMessage]:
    backend = settings.CHANNEL_LAYERS["default"]["BACKEND"]
    if "InMemory" not in backend or settings.VCBENCH.mode != "server":
        return []
    return [
        Error(
            "The channel layer lives in one process; log lines of the workers would "
            "not reach the browsers at once.",
            hint="Set VCBENCH_REDIS_URL and use channels_redis.",
            id="vcbench.E002",
        )
    ]


@register(Tags.database)
def server_database(
    app_configs: Sequence[Any] | None, **kwargs: Any
) -> list[CheckMessage]:
    engine = settings.DATABASES["default"]["ENGINE"]
    if settings.VCBENCH.mode != "server" or "sqlite" not in engine:
        return []
    return [
        Warning(
            "SQLite serves one machine and few writers.",
            hint="Set VCBENCH_DATABASE_URL to a PostgreSQL database.",
            id="vcbench.W001",
        )
    ]
