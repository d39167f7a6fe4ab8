"""The portal's settings for tests: own data folder, channel layer in memory.

Tests that want the real Redis or PostgreSQL say so by VCBENCH_REDIS_URL and
VCBENCH_DATABASE_URL, or start a server of their own.
"""

from __future__ import annotations

import atexit
import os
import tempfile
from pathlib import Path

if "VCBENCH_DATA_DIR" not in os.environ:
    folder = tempfile.TemporaryDirectory(prefix="vcbench-test-")
    os.environ["VCBENCH_DATA_DIR"] = folder.name
    atexit.register(folder.cleanup)
os.environ.setdefault("VCBENCH_SECRET_KEY", "only-for-tests")

from vcbench_site.settings import *
from vcbench_site.settings import DATABASES, RQ_QUEUES, STATIC_ROOT

CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
AXES_ENABLED = False
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
if "sqlite" in DATABASES["default"]["ENGINE"]:
    # A file, as in earnest: in memory, threads and processes cannot share it.
    DATABASES["default"]["TEST"] = {
        "NAME": Path(os.environ["VCBENCH_DATA_DIR"]) / "test.sqlite3"
    }
STATIC_ROOT.mkdir(parents=True, exist_ok=True)
