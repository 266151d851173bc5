"""Measuring side by side, and saying on what machine."""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

PACKAGES = ("torch", "timm", "captum", "streamlit", "torchattacks", "foolbox")


def interleave(
    contenders: Mapping[str, Callable[..., object]],
    inputs: Sequence[tuple[Any, ...]],
    rounds: int,
    warm_up: int = 3,
) -> dict[str, list[float]]:
    """Seconds of each call, round by round.

    Each round takes the next input and calls every contender once with it, one right after the
    other. Who begins changes from round to round.
    """
    names = list(contenders)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(-warm_up, rounds):
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            start = time.perf_counter()
            contenders[name](*inputs[turn % len(inputs)])
            if turn >= 0:
                seconds[name].append(time.perf_counter() - start)
    return seconds


def summary(values: Sequence[float]) -> dict[str, float]:
    """Median and quartiles."""
    low, middle, high = statistics.quantiles(values, n=4)
    return {"median": middle, "low": low, "high": high}


def ratio(slower: Sequence[float], faster: Sequence[float]) -> dict[str, float]:
    """How many times faster, judged round by round, so that a machine's mood cancels out."""
    return summary([a / b for a, b in zip(slower, faster, strict=True)])


def verdict(met: bool) -> str:
    return "met" if met else "MISSED"


def cores() -> int:
    """Cores this process may use."""
    allowed = getattr(os, "sched_getaffinity", None)  # not on macOS
    return len(allowed(0)) if allowed else os.cpu_count() or 1


def machine() -> dict[str, Any]:
    """What a reader of the numbers must know."""
    return {
        "cpu": _cpu_name(),
        "cores": cores(),
        "load": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in PACKAGES},
    }


def _cpu_name() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"
