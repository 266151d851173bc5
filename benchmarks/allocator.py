"""A training step with and without `keep_freed_memory`, each in processes of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.timing import interleave, ratio

ROUNDS = 5
_STEPS = 12
_CHILD = f"""
import sys
import time
import timm
import torch
from torch.nn import functional as F
from advprop_core.cli.memory import keep_freed_memory

if sys.argv[1] == "kept":
    keep_freed_memory()
torch.manual_seed(0)
model = timm.create_model("regnetx_002", num_classes=10).to(memory_format=torch.channels_last)
optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
pixels = torch.rand(64, 3, 64, 64).contiguous(memory_format=torch.channels_last)
labels = torch.arange(64) % 10
for step in range({_STEPS} + 2):
    if step == 2:
        start = time.perf_counter()
    F.cross_entropy(model(pixels), labels).backward()
    optimizer.step()
    optimizer.zero_grad()
print((time.perf_counter() - start) / {_STEPS})
"""


def run(data: Path | None) -> dict[str, Any]:
    """Speed does not depend on the photos, so ``data`` is not read."""
    seconds: dict[str, list[float]] = {"returned": [], "kept": []}
    contenders = {name: lambda name=name: seconds[name].append(_child(name)) for name in seconds}
    interleave(contenders, [()], ROUNDS, warm_up=0)
    gain = ratio(seconds["returned"], seconds["kept"])
    print(
        f"  vanilla step of RegNetX-002, 64 px, batch 64: {gain['median']:.2f}x faster with freed "
        f"memory kept (quartiles {gain['low']:.2f}-{gain['high']:.2f})"
    )
    return {"seconds": seconds, "gain": gain}


def _child(name: str) -> float:
    """Seconds of a step, in a process that keeps freed memory or does not."""
    command = [sys.executable, "-c", _CHILD, name]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
