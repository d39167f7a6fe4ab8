"""The application as the web server loads it."""

from __future__ import annotations

import json
import subprocess
import sys

from django.conf import settings

LOADED = """
import gc, json, sys
import vcbench_site.asgi
print(json.dumps([gc.get_freeze_count(), len(gc.get_objects()), sorted(sys.modules)]))
"""


def test_garbage_collection_leaves_out_what_was_loaded() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", LOADED], capture_output=True, check=True, text=True
    )

    frozen, collected, modules = json.loads(ran.stdout)

    assert frozen > 10 * collected
    assert settings.ROOT_URLCONF in modules
