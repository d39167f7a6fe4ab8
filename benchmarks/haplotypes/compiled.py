"""Start numba once, early, and without what it does not need."""

from __future__ import annotations

import sys
import threading

from numba.core.registry import cpu_target

BLAS = "scipy.linalg.cython_blas"
_once = threading.Lock()
_started = False


def start_compiler() -> None:
    """Load numba's tables, which its first compiled function would wait for.

    Where SciPy is installed numba imports scipy.linalg (half a second) just to learn
    whether matrix products can be compiled. None are here, so it is told they cannot.
    """
    global _started
    with _once:
        if _started:
            return
        hidden = BLAS not in sys.modules
        if hidden:
            sys.modules[BLAS] = None  # type: ignore[assignment] # means: not there
        try:
            cpu_target.typing_context.refresh()
            cpu_target.target_context.refresh()
        finally:
            if hidden:
                del sys.modules[BLAS]
        _started = True
