"""`python -m benchmarks.visualise [--data DIR] [--json FILE]`: is the difference plain to see?

How coarse visualisations and loss gradients are, and whether another network sees the class.

A row is a branch. Each of ten classes is visualised from two seeds of noise and, where photos are
given, from two photos of another class. The witness is another network with weights of its own.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from advprop_core.attacks.gradient import loss_gradient
from advprop_core.evaluation.intervals import bounded_interval, wilson_interval
from advprop_core.models.bundle import open_model
from advprop_core.models.checkpoints import Checkpoint
from advprop_core.models.class_names import find_class
from advprop_core.models.folding import fold
from advprop_core.pictures import decoding
from advprop_core.visualise.ascent import ascent, noise_start, visualise
from advprop_core.visualise.measures import coarse_share, look

NETWORKS = ("imagenette-vanilla", "imagenette-advprop", "imagenet-lite0")
WITNESS = "imagenet-lite1"
STARTS = 2  # of each kind, for each class
GRADIENTS = 5  # photos of each class
EPSILONS = {128: 20.0, 224: 35.0}
"""By side of the picture: as long for each pixel."""
STEP = 1 / 24
"""Of epsilon: short steps, which end soon after a network is certain."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.visualise", description=__doc__)
    help = "holds a folder of photos for each Imagenette class, named by its WordNet id"
    parser.add_argument("--data", type=Path, metavar="DIR", help=help)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers here too")
    asked = parser.parse_args()
    rows = measure(asked.data)
    if asked.json is not None:
        asked.json.write_text(json.dumps(rows, indent=2) + "\n")


def measure(data: Path | None) -> dict[str, Any]:
    ten = [identity for identity, _ in open_model(NETWORKS[0]).info.classes]
    witness, rows = _witness(ten), dict[str, Any]()
    for name in NETWORKS:
        opened = open_model(name)
        for branch in opened.model.branch_names:
            rows[f"{name} {branch}"] = row = _measure(opened, branch, ten, witness, data)
            print(f"  {name} {branch}")
            for title, figures in row.items():
                print(f"    {title}: {figures['mean']:.3f} [{figures['low']:.3f}, "
                      f"{figures['high']:.3f}], n = {figures['n']}", flush=True)  # fmt: skip
    return rows


def _witness(ten: Sequence[str]) -> tuple[nn.Module, int, list[int]]:
    opened = open_model(WITNESS)
    side = opened.info.input_size
    module = fold(opened.model.branch("main"), torch.zeros(1, 3, side, side))
    return module, side, [_index(opened, identity) for identity in ten]


def _measure(
    opened: Checkpoint,
    branch: str,
    ten: Sequence[str],
    witness: tuple[nn.Module, int, list[int]],
    data: Path | None,
) -> dict[str, Any]:
    side = opened.info.input_size
    module = fold(opened.model.branch(branch), torch.zeros(1, 3, side, side))
    config = ascent(EPSILONS[side], step_size=STEP * EPSILONS[side])
    other_network, other_side, classes = witness
    coarse: dict[str, list[float]] = {"noise": []}
    seen: dict[str, list[bool]] = {"noise": []}
    gradients: list[float] = []
    for place, identity in enumerate(ten):
        index = _index(opened, identity)
        starts = [("noise", noise_start(side, seed)) for seed in range(STARTS)]
        if data is not None:
            other = ten[(place + 1) % len(ten)]
            starts += [("photo", photo) for photo in _photos(data / other, side, STARTS)]
            batch = torch.cat(_photos(data / identity, side, GRADIENTS))
            labels = torch.full((len(batch),), index)
            gradients += coarse_share(loss_gradient(module, batch, labels)).tolist()
        for kind, start in starts:
            made = visualise({branch: module}, start, index, config)[branch]
            coarse.setdefault(kind, []).append(float(coarse_share(made.change[None])[0]))
            logits = look(other_network, other_side, made.picture).logits[classes]
            seen.setdefault(kind, []).append(int(logits.argmax()) == place)
    row = {f"coarse share of the change, from {kind}": _mean(v) for kind, v in coarse.items()}
    if gradients:
        row["coarse share of the loss gradient"] = _mean(gradients)
    return row | {f"{WITNESS} names the class, from {k}": _share(v) for k, v in seen.items()}


def _index(opened: Checkpoint, identity: str) -> int:
    index = find_class(opened.info.classes, identity)
    assert index is not None
    return index


def _photos(folder: Path, side: int, count: int) -> list[Tensor]:
    files = sorted(path for path in folder.iterdir() if path.is_file())[:count]
    return [decoding.to_pixels(decoding.decode(path.read_bytes()), side) for path in files]


def _mean(values: Sequence[float]) -> dict[str, float]:
    low, high = bounded_interval(values, 0.0, 1.0) or (0.0, 1.0)
    return {"mean": sum(values) / len(values), "low": low, "high": high, "n": len(values)}


def _share(hits: Sequence[bool]) -> dict[str, float]:
    low, high = wilson_interval(sum(hits), len(hits))
    return {"mean": sum(hits) / len(hits), "low": low, "high": high, "n": len(hits)}


if __name__ == "__main__":
    main()
