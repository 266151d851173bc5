"""What a process does with freed memory, told by the pages it has to fetch anew."""

import mmap
import os
import platform
import subprocess
import sys

import pytest

from advprop_core.cli import memory

COMMAND = """
from advprop_core.cli.memory import keep_freed_memory
keep_freed_memory()
"""
CHILD = """
import resource
import torch

for turn in range(25):
    if turn == 20:  # the heap has found its shape
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    torch.empty({megabytes} << 18).fill_(1.0)  # freed at once
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def _pages(child: str, environment: dict[str, str]) -> int:
    done = subprocess.run(
        [sys.executable, "-c", child],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return int(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="it is glibc's allocator")
@pytest.mark.parametrize(
    ("before", "environment", "megabytes"),
    [(COMMAND, {}, 64), ("", memory.SERVER_ALLOCATOR, 24)],
    ids=["command", "server"],
)
def test_freed_memory_is_used_again(before, environment, megabytes):
    pages = 5 * (megabytes << 20) // mmap.PAGESIZE
    assert _pages(before + CHILD.format(megabytes=megabytes), environment) < pages / 100


def test_other_systems_are_left_as_they_are(monkeypatch):
    monkeypatch.setattr(platform, "libc_ver", lambda: ("", ""))
    monkeypatch.setattr(memory.ctypes, "CDLL", lambda _: pytest.fail("nothing is called"))
    memory.keep_freed_memory()
