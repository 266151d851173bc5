"""Measures every network of the comparison, once, on photos that no run has seen."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import mean
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from advprop_core import checkpoints, studies
from advprop_core.checkpoints import Checkpoint
from advprop_core.corruptions import CORRUPTIONS, CorruptionConfig, corrupt
from advprop_core.datasets.named import load_images
from advprop_core.evaluation import Condition, evaluate
from advprop_core.perturbations import NoiseConfig, add_noise
from advprop_core.types import AttackConfig, format_epsilon
from benchmarks.effect.design import Study

ATTACK = AttackConfig.pgd(2 / 255, steps=10)
NOISE = 0.1
_BATCH = 50


def measure_all(study: Study, data: Path, large: Path, runs: Path, out: Path) -> None:
    """Write one row for each network, branch and measure; for corruptions, one for each kind."""
    networks = {
        (label, seed): checkpoints.load(runs / f"{label}-{seed}" / "model.safetensors")
        for label in study.runs
        for seed in study.seeds
    }
    info = next(iter(networks.values())).info
    small = load_images(str(data / "val"), info.input_size, classes=info.classes, strict=True)
    rows: list[dict[str, Any]] = []
    rows += _rows(networks, small.pixels, small.labels, Condition(), {"measure": "clean"})
    noisy = add_noise(small.pixels.float() / 255, NoiseConfig("gaussian", NOISE))
    rows += _rows(networks, _to_bytes(noisy), small.labels, Condition(), {"measure": "noise"})
    rows += _rows(networks, small.pixels, small.labels, Condition(ATTACK), {"measure": "attack"})
    photos = load_images(str(large), 224, classes=info.classes, strict=True)
    for kind, severity, images in _corrupted(study, photos.pixels, info.input_size):
        corrupted = {"measure": "corruption", "corruption": kind, "severity": severity}
        rows += _rows(networks, images, photos.labels, Condition(), corrupted)
        print(kind, severity, flush=True)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(_text(study, data, len(small.labels), _by_kind(rows)))


def _text(study: Study, data: Path, n: int, rows: list[dict[str, Any]]) -> str:
    """Readable JSON with a row on each line."""
    levels = ", ".join(map(str, study.severities))
    head = {
        "format": studies.FORMAT,
        "kind": studies.KIND,
        "title": study.title,
        "about": study.about,
        "data": f"{data.name} val",
        "n": n,
        "command": shlex.join(["python", "-m", "benchmarks.effect", *sys.argv[1:]]),
        "measures": {
            "clean": "clean",
            "corruption": f"15 corruptions, severity {levels}",
            "noise": f"Gaussian noise, σ = {NOISE}",
            "attack": f"{ATTACK.name}, L∞ ε = {format_epsilon(ATTACK.epsilon)}",
        },
        "runs": study.titles,
        "bases": study.bases,
        "questions": [
            {"title": title, "runs": own, "contrasts": contrasts}
            for title, own, contrasts in study.questions
        ],
    }
    lines = ",\n".join(json.dumps(row) for row in rows)
    text = json.dumps(head, indent=1, ensure_ascii=False)
    return f'{text[:-2]},\n "results": [\n{lines}\n]}}\n'


def _by_kind(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without severities: the mean over them stands for each kind of corruption."""
    shares: dict[tuple[tuple[str, Any], ...], list[float]] = {}
    for row in rows:
        kept = {key: value for key, value in row.items() if key not in ("severity", "top1")}
        shares.setdefault(tuple(kept.items()), []).append(row["top1"])
    return [dict(kept) | {"top1": mean(several)} for kept, several in shares.items()]


def _rows(
    networks: dict[tuple[str, int], Checkpoint],
    images: Tensor,
    labels: Tensor,
    condition: Condition,
    described: dict[str, Any],
) -> Iterator[dict[str, Any]]:
    for (label, seed), one in networks.items():
        for result in evaluate(one.model, images, labels, [condition]):
            who = {"run": label, "seed": seed, "branch": result.branch}
            yield {**who, **described, "top1": result.top1}


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
