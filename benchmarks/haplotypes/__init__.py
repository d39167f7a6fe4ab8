"""The small-variant engine: haplotypes compared over columns, compiled with numba.

Compiled code is kept in a folder that is named after the modules whose compiled
functions others call: numba itself looks at the file of a function only, and would go
on using what other, changed files were compiled into.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

CALLED_BY_OTHERS = (
    "align",
    "classify",
    "normalise",
    "paths",
    "reference",
    "scan",
    "search",
    "spell",
)


def _cache_folder() -> Path:
    """Where compiled code lies: the user's cache, or a temporary folder without one."""
    digest = hashlib.sha256()
    for module in CALLED_BY_OTHERS:
        digest.update(Path(__file__).with_name(f"{module}.py").read_bytes())
    name = Path("vcbench") / "compiled" / digest.hexdigest()[:16]
    homes = (
        os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache",
        Path(tempfile.gettempdir()) / f"cache-{os.getuid()}",
    )
    for home in homes:
        folder = Path(home) / name
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(folder, os.W_OK):
            return folder
    return Path(tempfile.mkdtemp(prefix="vcbench-compiled-"))


os.environ.setdefault("NUMBA_CACHE_DIR", str(_cache_folder()))
# Its threads wait in a loop for products that are far too small for two.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
