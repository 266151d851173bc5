"""What a process does with freed memory, told by the pages it has to fetch anew."""

import mmap
import platform
import subprocess
import sys

import pytest

from advprop_core.cli import memory

CHILD = """
import resource
import torch
from advprop_core.cli.memory import keep_freed_memory

keep_freed_memory()
for turn in range(25):
    if turn == 20:  # the heap has found its shape
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    torch.empty(16 << 20).fill_(1.0)  # 64 MiB, freed at once
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="it is glibc's allocator")
def test_freed_memory_is_used_again():
    done = subprocess.run([sys.executable, "-c", CHILD], capture_output=True, text=True, check=True)
    pages = 5 * (64 << 20) // mmap.PAGESIZE
    assert int(done.stdout) < pages / 100


def test_other_systems_are_left_as_they_are(monkeypatch):
    monkeypatch.setattr(platform, "libc_ver", lambda: ("", ""))
    monkeypatch.setattr(memory.ctypes, "CDLL", lambda _: pytest.fail("nothing is called"))
    memory.keep_freed_memory()
