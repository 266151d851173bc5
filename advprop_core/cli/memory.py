"""How a command's process treats the memory it has freed."""

import ctypes
import platform

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX = -1, -2, -4  # of glibc's malloc.h
_PAD = 64 << 20

SERVER_ALLOCATOR = {
    "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(256 << 20),
    "MALLOC_TOP_PAD_": str(16 << 20),
}
"""What glibc reads when a process starts: a server keeps up to 256 MB of what it has freed.

It is faster for the reason that :func:`keep_freed_memory` gives. All three belong together: with
one of them alone glibc no longer adapts the others, and each tensor is mapped anew.
"""


def keep_freed_memory() -> None:
    """Let glibc's allocator keep what is freed; other systems are left as they are.

    Every step asks for the same large tensors and frees them again. By default each goes back to
    the system, which clears and maps its pages anew; a step spends a tenth of its time on that
    (``python -m benchmarks allocator``). It holds for the whole process and cannot be undone, so
    it is for commands that compute and end, not for a library or the app.
    """
    if platform.libc_ver()[0] != "glibc":
        return
    mallopt = ctypes.CDLL(None).mallopt
    mallopt(_MMAP_MAX, 0)
    mallopt(_TRIM_THRESHOLD, -1)
    mallopt(_TOP_PAD, _PAD)
