"""Memory that is fast to come by, for a process that does one comparison and ends."""

from __future__ import annotations

import ctypes
import mmap
import sys

M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -2, -3, -8
LARGEST = 32 << 20
"""glibc takes no larger threshold; numpy asks for huge pages itself above 4 MiB."""
ROOM = 1 << 30
"""Bytes of addresses, not of memory: pages come when they are written to."""
HUGE_PAGE = 2 << 20


def expect_large_arrays() -> None:
    """Let arrays share one heap of huge pages that is never given back.

    A page of 4 KiB that is touched for the first time costs some microseconds on a
    virtual machine, and a comparison would touch 150,000. Does nothing where the C
    library is not glibc.
    """
    if not sys.platform.startswith("linux"):
        return
    libc = ctypes.CDLL(None)
    if not hasattr(libc, "mallopt"):
        return
    libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
    libc.free.argtypes = [ctypes.c_void_p]
    libc.sbrk.restype, libc.sbrk.argtypes = ctypes.c_void_p, [ctypes.c_ssize_t]
    libc.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    for option, value in (
        (M_ARENA_MAX, 1),
        (M_MMAP_THRESHOLD, LARGEST),
        (M_TRIM_THRESHOLD, 2**31 - 1),
        (M_TOP_PAD, ROOM),
    ):
        libc.mallopt(option, value)
    before = libc.sbrk(0)
    libc.free(libc.malloc(LARGEST - 4096))
    libc.mallopt(M_TOP_PAD, LARGEST)
    start = -(-before // HUGE_PAGE) * HUGE_PAGE
    size = libc.sbrk(0) - start
    if size > 0:
        libc.madvise(start, size, mmap.MADV_HUGEPAGE)
