"""The whole comparison, as the app asks for it: attack, four predictions, four maps."""

from __future__ import annotations

import statistics
import time
from functools import partial
from pathlib import Path
from typing import Any

from torch import Tensor

from advprop_core.compare.compare import MapRequest, compare
from advprop_core.models.folding import fold
from advprop_core.types import AttackConfig
from benchmarks.subjects import open_subject
from benchmarks.timing import interleave, verdict

CONFIG = AttackConfig.pgd(4 / 255, steps=10)
REPEATS = 10
TARGET = 0.5  # seconds on two cores, with Grad-CAM
METHODS = ("grad-cam", "integrated-gradients")


def run(data: Path | None) -> dict[str, Any]:
    subject = open_subject(data, REPEATS)
    model, example = subject.model, subject.pixels[:1]
    start = time.perf_counter()
    branches = {name: fold(model.branch(name), example) for name in model.branch_names}
    folding = time.perf_counter() - start

    def compare_with(method: str, pixels: Tensor, label: Tensor) -> object:
        return compare(
            branches,
            pixels,
            CONFIG,
            attack_branch="main",
            true_class=int(label),
            maps=MapRequest(method),
        )

    images = list(zip(subject.pixels.split(1), subject.labels, strict=True))
    seconds = interleave(
        {method: partial(compare_with, method) for method in METHODS}, images, REPEATS
    )
    print(f"{CONFIG.name}, four predictions and four maps of one image with {subject.title}")
    print(f"  folding both branches took {folding:.2f} s, once; it is not part of what follows")
    middle = {method: statistics.median(values) for method, values in seconds.items()}
    for method, value in middle.items():
        low, high = min(seconds[method]), max(seconds[method])
        target = f"; target {TARGET} s: {verdict(value < TARGET)}" if method == METHODS[0] else ""
        print(f"  {method:20} {value:.3f} s, median of {REPEATS} ({low:.3f}–{high:.3f} s){target}")
    return {
        "subject": subject.title,
        "folding_seconds": folding,
        "seconds": seconds,
        "median": middle,
        "target": TARGET,
    }
