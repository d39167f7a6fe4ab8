"""Kernels: kept machine code does what numba's does, and numba stays away."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.haplotypes import compiled, warm
from benchmarks.haplotypes.compiled import njit

RUN = """
import sys
from pathlib import Path
from benchmarks.haplotypes.warm import _run_all
_run_all(Path(sys.argv[1]))
print("numba" in sys.modules)
"""


@njit(cache=True, nogil=True)
def _twice(values, most):  # type: ignore[no-untyped-def]
    """(the doubled values up to a limit, their sum)."""
    made = np.empty(len(values), dtype=np.int64)
    total = 0
    for k in range(len(values)):
        made[k] = min(values[k] * 2, most)
        total += made[k]
    return made, total


@njit(cache=True, nogil=True)
def _fails(value):  # type: ignore[no-untyped-def]
    if value < 0:
        raise ValueError("below zero")
    return value


@pytest.fixture(scope="module")
def frozen() -> compiled._Frozen:
    """Both kernels for 64-bit integers, as a later process finds them."""
    codes = {}
    for kernel, args in ((_twice, (np.arange(3), 9)), (_fails, (1,))):
        types = tuple(kernel.dispatcher.typeof_pyval(value) for value in args)
        kernel.dispatcher.compile(types)
        codes[kernel.name, compiled._key(args)] = compiled._code(kernel, types)
    return compiled._Frozen(codes)


def test_only_kernels_of_the_engine_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = tmp_path / "kernels.bin"
    monkeypatch.setattr(compiled, "_file", lambda: kept)
    _twice(np.arange(3), 9)
    assert _twice.called
    compiled.freeze()
    names = {name for name, _ in pickle.loads(kept.read_bytes())}  # noqa: S301
    assert not any(name.startswith("tests.") for name in names)


def test_kept_code_returns_what_numba_returns(frozen: compiled._Frozen) -> None:
    values = np.array([1, 2, 300])
    entry = frozen.entry(_twice.name, compiled._key((values, 100)))
    assert entry is not None
    made, total = entry(values, 100)
    assert made.tolist() == [2, 4, 100] == _twice(values, 100)[0].tolist()
    assert total == 106


def test_kept_code_raises_what_numba_raises(frozen: compiled._Frozen) -> None:
    entry = frozen.entry(_fails.name, compiled._key((1,)))
    assert entry is not None
    with pytest.raises(ValueError, match="below zero"):
        entry(-1)


@pytest.mark.parametrize(
    "other",
    [
        np.arange(3, dtype=np.int32),
        np.arange(6)[::2],
        np.arange(4).reshape(2, 2),
        np.frombuffer(bytes(8), dtype=np.int64),
        3,
    ],
    ids=["narrow", "strided", "matrix", "read-only", "number"],
)
def test_kept_code_is_not_given_another_type(
    frozen: compiled._Frozen, other: object
) -> None:
    """It would read past the end of the memory, not complain."""
    assert frozen.entry(_twice.name, compiled._key((other, 9))) is None


def test_numba_answers_where_nothing_is_kept() -> None:
    made, total = _twice(np.arange(4, dtype=np.uint8), 5)
    assert (made.tolist(), total) == ([0, 2, 4, 5], 11)


def test_a_run_needs_no_numba_once_the_engine_is_compiled(tmp_path: object) -> None:
    warm.warm()
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(tmp_path)],
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout.split() == ["False"]
