"""Influence of 10,000 training images, and whether it tells the truth on drawn scenes."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor

from advprop_core.datasets.named import list_images
from advprop_core.influence.features import FeatureCache, Features
from advprop_core.influence.head import fit_head
from advprop_core.influence.tracing import CheckpointTrace
from advprop_core.models.bundle import open_model
from benchmarks.influence_checks import leave_one_out, plant_wrong_labels
from benchmarks.timing import verdict

IMAGES = 10_000
CHECKED = 2_000
LEFT_OUT = 40
WRONG = 0.05
TARGET = 2.0  # seconds
BRANCHES = (("shapes-vanilla", "main"), ("shapes-advprop", "main"), ("shapes-advprop", "aux"))
_CHECKPOINTS, _WIDTH, _CLASSES = 5, 368, 10


def run(data: Path | None) -> dict[str, Any]:
    """Scenes are drawn, so ``data`` is not read."""
    return {"checked": _checked(), "speed": _speed()}


def _checked() -> dict[str, Any]:
    cache, found = FeatureCache(), dict[str, Any]()
    train, test = (
        list_images("shapes", limit=CHECKED),
        list_images("shapes", split="val", limit=200),
    )
    print(
        f"  on {CHECKED} training scenes: rank correlation with leaving {LEFT_OUT} out in turn, and"
    )
    print(f"  area under the curve of self-influence with {WRONG:.0%} wrong labels planted")
    for model, branch in BRANCHES:
        opened = open_model(model)
        seen = cache.features(opened, branch, train)
        tested = cache.features(opened, branch, test)
        found[f"{model} {branch}"] = figures = {
            "leave_one_out": _leave_one_out(seen, tested),
            "wrong_labels": _wrong_labels(seen),
        }
        print(f"  {model} {branch}: " + ", ".join(f"{k} {v:.4f}" for k, v in figures.items()))
    return found


def _leave_one_out(seen: Features, tested: Features) -> float:
    rows = range(0, len(seen.labels), len(seen.labels) // LEFT_OUT)
    left_out = leave_one_out(seen.values, seen.labels, _CLASSES, tested.values, tested.labels, rows)
    return left_out.rank_correlation


def _wrong_labels(seen: Features) -> float:
    labels, wrong = plant_wrong_labels(seen.labels, _CLASSES, WRONG)
    return float(roc_auc_score(wrong, fit_head(seen.values, labels, _CLASSES).self_influence()))


def _speed() -> dict[str, Any]:
    """From cached features to the influence of every image on one prediction."""
    model, branch = BRANCHES[0]
    opened, cache = open_model(model), FeatureCache()
    start = time.perf_counter()
    seen = cache.features(opened, branch, list_images("shapes", limit=IMAGES))
    print(f"  features of {IMAGES} scenes: {time.perf_counter() - start:.1f} s, or read from disk")
    test = cache.features(opened, branch, list_images("shapes", split="val", limit=200))
    one = slice(0, 1)
    rates = torch.linspace(0.1, 0.02, _CHECKPOINTS)
    generator = torch.Generator().manual_seed(0)
    layers = [
        (0.05 * torch.randn(_CLASSES, _WIDTH + 1, generator=generator), rate)
        for rate in rates.tolist()
    ]
    stacked = seen.values[:, None].expand(-1, _CHECKPOINTS, -1)
    asked = test.values[one, None].expand(-1, _CHECKPOINTS, -1)

    def last_layer() -> Tensor:
        head = fit_head(seen.values, seen.labels, _CLASSES)
        return head.influence(test.values[one], test.labels[one])

    def tracin() -> Tensor:
        trace = CheckpointTrace(stacked, seen.labels, layers)
        return trace.influence(asked, test.labels[one])

    return {"last-layer": _time("last-layer", last_layer), "tracin": _time("tracin", tracin)}


def _time(name: str, call: Callable[[], object]) -> dict[str, float]:
    call()
    wall, processor = time.perf_counter(), time.process_time()
    call()
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    print(
        f"  {name}, {IMAGES} images, one prediction: {wall:.2f} s ({processor:.2f} s of processor "
        f"time); target {TARGET:g} s: {verdict(wall < TARGET)}"
    )
    return {"seconds": wall, "processor_seconds": processor}
