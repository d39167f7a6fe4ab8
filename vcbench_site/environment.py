"""What the environment says, typed; every fault is told at once.

Each setting of the portal is read here and nowhere else. `docs/settings.md` lists
them, and a test holds the list against this file.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from environs import Env, EnvValidationError
from marshmallow.validate import OneOf, Range

POSITIVE = Range(min=1)


@dataclass(frozen=True, slots=True)
class Environment:
    """The settings as the environment gives them; see `docs/settings.md`."""

    mode: str
    debug: bool
    bind: str
    port: int
    data_dir: Path
    secret_key: str
    hosts: list[str]
    trusted_origins: list[str]
    https: bool
    database_url: str
    redis_url: str
    log_level: str
    s3_bucket: str
    s3_prefix: str
    s3_endpoint: str
    s3_region: str
    s3_profile: str
    s3_anonymous: bool
    s3_layout: str
    s3_checksums: str
    path_roots: list[Path]
    url_hosts: list[str]
    url_private: bool
    catalog: str
    giab_urls: list[str]
    engine: str
    threads: int
    happy_command: str
    rtg_command: str
    tool_memory_mb: int
    tool_hours: float
    tool_silence_minutes: float
    beat_seconds: float
    lost_seconds: float
    attempts: int
    retries: int
    retry_seconds: float
    runs_per_user: int
    retention_days: int
    upload_max_gb: float


def read(base: Path) -> Environment:
    """Read the environment; raise `ImproperlyConfigured` with all faults at once."""
    env = Env(eager=False, prefix="VCBENCH_")
    mode = env.str("MODE", "embedded", validate=OneOf(["embedded", "server"]))
    values: dict[str, Any] = {
        "mode": mode,
        "debug": env.bool("DEBUG", False),
        "bind": env.str("BIND", "127.0.0.1"),
        "port": env.int("PORT", 8000, validate=Range(min=1, max=65535)),
        "data_dir": env.path("DATA_DIR", base / "data"),
        "secret_key": env.str("SECRET_KEY", ""),
        "hosts": env.list("HOSTS", ["localhost", "127.0.0.1", "[::1]"]),
        "trusted_origins": env.list("TRUSTED_ORIGINS", []),
        "https": env.bool("HTTPS", False),
        "database_url": env.str("DATABASE_URL", ""),
        "redis_url": env.str("REDIS_URL", "redis://127.0.0.1:6379/0"),
        "log_level": env.str(
            "LOG_LEVEL", "INFO", validate=OneOf(["DEBUG", "INFO", "WARNING", "ERROR"])
        ),
        "s3_bucket": env.str("S3_BUCKET", ""),
        "s3_prefix": env.str("S3_PREFIX", ""),
        "s3_endpoint": env.str("S3_ENDPOINT", ""),
        "s3_region": env.str("S3_REGION", ""),
        "s3_profile": env.str("S3_PROFILE", ""),
        "s3_anonymous": env.bool("S3_ANONYMOUS", False),
        "s3_layout": env.str(
            "S3_LAYOUT", "{prefix}/{sample_id}/vcf/dragen/{id}/varcaller/{file}"
        ),
        "s3_checksums": env.str(
            "S3_CHECKSUMS",
            "when_supported",
            validate=OneOf(["when_required", "when_supported"]),
        ),
        "path_roots": env.list("PATH_ROOTS", [], subcast=Path),
        "url_hosts": env.list("URL_HOSTS", []),
        "url_private": env.bool("URL_PRIVATE", False),
        "catalog": env.str("CATALOG", ""),
        "giab_urls": env.list("GIAB_URLS", []),
        "engine": env.str(
            "ENGINE", "builtin", validate=OneOf(["builtin", "happy", "vcfeval"])
        ),
        "threads": env.int("THREADS", 2, validate=POSITIVE),
        "happy_command": env.str("HAPPY_COMMAND", ""),
        "rtg_command": env.str("RTG_COMMAND", ""),
        "tool_memory_mb": env.int("TOOL_MEMORY_MB", 0, validate=Range(min=0)),
        "tool_hours": env.float("TOOL_HOURS", 12.0, validate=Range(min=0.001)),
        "tool_silence_minutes": env.float(
            "TOOL_SILENCE_MINUTES", 60.0, validate=Range(min=0.01)
        ),
        "beat_seconds": env.float("BEAT_SECONDS", 10.0, validate=Range(min=0.05)),
        "lost_seconds": env.float("LOST_SECONDS", 60.0, validate=Range(min=0.2)),
        "attempts": env.int("ATTEMPTS", 3, validate=POSITIVE),
        "retries": env.int("RETRIES", 8, validate=Range(min=0)),
        "retry_seconds": env.float("RETRY_SECONDS", 10.0, validate=Range(min=0.01)),
        "runs_per_user": env.int("RUNS_PER_USER", 4, validate=Range(min=0)),
        "retention_days": env.int("RETENTION_DAYS", 0, validate=Range(min=0)),
        "upload_max_gb": env.float("UPLOAD_MAX_GB", 50.0, validate=Range(min=0.001)),
    }
    try:
        env.seal()
    except EnvValidationError as error:
        told = error.error_messages
        faults = "\n".join(
            f"  {name}: {' '.join(told[name])}"  # type: ignore[call-overload]
            for name in sorted(told)
        )
        raise ImproperlyConfigured(
            f"These environment variables cannot be used:\n{faults}"
        ) from error
    if mode == "server" and not values["secret_key"]:
        raise ImproperlyConfigured(
            "VCBENCH_SECRET_KEY is not set. With VCBENCH_MODE=server give it a long "
            "random value that is the same for every process."
        )
    values["data_dir"] = values["data_dir"].resolve()
    values["secret_key"] = values["secret_key"] or kept_secret(values["data_dir"])
    return Environment(**values)


def kept_secret(data_dir: Path) -> str:
    """The secret key of an embedded portal, made once and kept in its data folder."""
    path = data_dir / "secret-key"
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        with path.open("x") as file:
            path.chmod(0o600)
            file.write(secrets.token_urlsafe(50))
    except FileExistsError:
        pass
    except OSError as error:
        raise ImproperlyConfigured(
            f"VCBENCH_DATA_DIR {data_dir} cannot be written: {error.strerror}. "
            "Name a folder that this user can write."
        ) from error
    return path.read_text()
