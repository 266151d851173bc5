"""Measures every network of the comparison, once, on photos that no run has seen."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from advprop_core import checkpoints
from advprop_core.checkpoints import Checkpoint
from advprop_core.corruptions import CORRUPTIONS, CorruptionConfig, corrupt
from advprop_core.datasets.named import load_images
from advprop_core.evaluation import Condition, evaluate
from advprop_core.perturbations import NoiseConfig, add_noise
from advprop_core.types import AttackConfig
from benchmarks.effect.design import RECIPE, Study

ATTACK = AttackConfig.pgd(2 / 255, steps=10)
NOISE = 0.1
_BATCH = 50


def measure_all(study: Study, data: Path, large: Path, runs: Path, out: Path) -> None:
    """Write one row for each network, branch and condition."""
    networks = {
        (label, seed): checkpoints.load(runs / f"{label}-{seed}" / "model.safetensors")
        for label in study.runs
        for seed in study.seeds
    }
    info = next(iter(networks.values())).info
    small = load_images(str(data / "val"), info.input_size, classes=info.classes, strict=True)
    rows: list[dict[str, Any]] = []
    rows += _rows(networks, small.pixels, small.labels, Condition(), {"kind": "clean"})
    attack = {"kind": "attack", "attack": ATTACK.name, "epsilon": ATTACK.epsilon}
    rows += _rows(networks, small.pixels, small.labels, Condition(ATTACK), attack)
    noisy = {"kind": "noise", "noise": "gaussian", "severity": NOISE}
    pixels = add_noise(small.pixels.float() / 255, NoiseConfig("gaussian", NOISE))
    rows += _rows(networks, _to_bytes(pixels), small.labels, Condition(), noisy)
    photos = load_images(str(large), 224, classes=info.classes, strict=True)
    for kind, severity, images in _corrupted(study, photos.pixels, info.input_size):
        corrupted = {"kind": "corruption", "corruption": kind, "severity": severity}
        rows += _rows(networks, images, photos.labels, Condition(), corrupted)
        print(kind, severity, flush=True)
    out.parent.mkdir(parents=True, exist_ok=True)
    head = {"data": data.name, "n": len(small.labels), "recipe": RECIPE}
    lines = ",\n".join(json.dumps(row) for row in rows)
    out.write_text(json.dumps(head)[:-1] + f', "results": [\n{lines}\n]}}\n')


def _rows(
    networks: dict[tuple[str, int], Checkpoint],
    images: Tensor,
    labels: Tensor,
    condition: Condition,
    described: dict[str, Any],
) -> Iterator[dict[str, Any]]:
    for (label, seed), one in networks.items():
        for result in evaluate(one.model, images, labels, [condition]):
            yield {
                "run": label,
                "seed": seed,
                "branch": result.branch,
                "condition": described,
                "top1": result.top1,
            }


def _corrupted(study: Study, photos: Tensor, size: int) -> Iterator[tuple[str, int, Tensor]]:
    """Every kind and severity, made at 224 pixels and then made as small as the network's input."""
    for kind in CORRUPTIONS:
        for severity in study.severities:
            small = []
            for number, part in enumerate(photos.split(_BATCH)):
                config = CorruptionConfig(kind, severity, seed=number)
                pixels = corrupt(part.float() / 255, config)
                small.append(_to_bytes(_resized(pixels, size)))
            yield kind, severity, torch.cat(small)


def _resized(pixels: Tensor, size: int) -> Tensor:
    return F.interpolate(pixels, (size, size), mode="bicubic", antialias=True, align_corners=False)


def _to_bytes(pixels: Tensor) -> Tensor:
    return (pixels.clamp(0, 1) * 255).round().byte()
