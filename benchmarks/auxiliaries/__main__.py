"""Compares the ways to add an auxiliary branch to a network; written down before the runs.

    .venv/bin/python -m benchmarks.auxiliaries --data imagenette-144 [--runs DIR]

The question. On bundled networks that AdvProp trained, γ and β carry the robustness of aux, and
statistics hardly any (benchmarks/halves). Does that hold for a branch that is added later? The
network is `imagenet-lite0` at 128 pixels. The ways:

- copied: aux is main.
- statistics: running statistics estimated again on adversarial photos, as `advprop calibrate` does.
- trained: γ, β and statistics learn in 300 steps of 32 photos with an attack step of 1/255
  (`train --objective auxiliary`). It is measured with its own statistics, with main's, and with
  statistics estimated again on clean or on adversarial photos.
- control: the same training on clean photos (ε = 0). It shows what the smaller size gives without
  the attack, for the network was trained at 224 pixels.
- advprop: all weights are fine-tuned for one epoch (`train --objective advprop`) at a learning rate
  of 0.003. aux begins as a copy of main, and main becomes another network too.

Three seeds. A tenth of `train` is held out by a hash of the file name, and 300 photos of it are
measured, spread evenly over the classes: clean, and under PGD-10 at ε = 1/255 and 2/255 (L∞)
through the branch that answers. Answers are among the ten classes. Statistics are estimated on 512
of the other photos, drawn by the seed. `val` plays no part.

What is expected: statistics alone give next to nothing, and it does not matter on which photos
they are estimated after the training.

Runs that are finished in --runs are not trained again, and what is in the results file is not
measured again.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from advprop_core.anatomy.halves import Mixture, mix
from advprop_core.attacks.gradient import attack
from advprop_core.datasets.class_folders import draw_evenly
from advprop_core.datasets.listed import ImageList
from advprop_core.datasets.named import list_images
from advprop_core.models.bundle import open_model
from advprop_core.models.checkpoints import export
from advprop_core.models.class_names import match_classes
from advprop_core.training.data import held_out
from advprop_core.types import AttackConfig

FILE = Path(__file__).parents[2] / "assets" / "results" / "added-auxiliaries.json"
SIZE, HOLDOUT, MEASURED, REFERENCE = 128, 0.1, 300, 512
SEEDS = (0, 1, 2)
ATTACKS = {levels: AttackConfig.pgd(levels / 255, steps=10) for levels in (1, 2)}
WAYS: dict[str, tuple[str, str, Mixture]] = {
    "copied": ("trained", "main", Mixture(0.0, 0.0)),
    "statistics": ("trained", "main", Mixture(0.0, "adversarial")),
    "trained": ("trained", "aux", Mixture(1.0, 1.0)),
    "trained, main's statistics": ("trained", "aux", Mixture(1.0, 0.0)),
    "trained, statistics of clean photos": ("trained", "aux", Mixture(1.0, "clean")),
    "trained, statistics of adversarial photos": ("trained", "aux", Mixture(1.0, "adversarial")),
    "control": ("control", "aux", Mixture(1.0, 1.0)),
    "advprop, main": ("advprop", "main", Mixture(0.0, 0.0)),
    "advprop, aux": ("advprop", "aux", Mixture(1.0, 1.0)),
}
"""Each way with the run it is made from, the branch whose γ and β it has, and its statistics."""
_COMMON = f"--size {SIZE} --batch-size 32 --holdout {HOLDOUT}"
RUNS = {
    "trained": f"--objective auxiliary --start-from imagenet-lite0 {_COMMON} --max-steps 300",
    "control": f"--objective auxiliary --start-from imagenet-lite0 {_COMMON} --max-steps 300 "
    "--epsilon 0 --step-size 0",
    "advprop": f"--objective advprop --start-from {{main}} {_COMMON} --epochs 1 "
    "--warmup-epochs 0.1 --learning-rate 0.003 --epsilon 1/255 --step-size 1/255",
}


def main() -> None:
    """Train and measure what is not there yet."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--runs", type=Path, default=Path("runs/auxiliaries"))
    asked = parser.parse_args()
    content = json.loads(FILE.read_text()) if FILE.exists() else _empty()
    done = {(row["way"], row["seed"]) for row in content["results"]}
    for seed in SEEDS:
        for run in RUNS:
            ways = [way for way in WAYS if WAYS[way][0] == run and (way, seed) not in done]
            for row in _measured(run, seed, ways, asked.data, asked.runs) if ways else ():
                content["results"].append(row)
                FILE.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")
                print(json.dumps(row), flush=True)


def _empty() -> dict[str, Any]:
    return {
        "format": 1,
        "kind": "added-auxiliaries",
        "command": "python -m benchmarks.auxiliaries --data imagenette-144",
        "runs": RUNS,
        "results": [],
    }


def _measured(
    run: str, seed: int, ways: list[str], data: Path, runs: Path
) -> Iterator[Mapping[str, Any]]:
    out = runs / f"{run}-{seed}"
    if not (out / "model.safetensors").exists():
        main = runs / "lite0-main.safetensors"  # alone: aux is to begin as its copy
        main.parent.mkdir(parents=True, exist_ok=True)
        export(open_model("imagenet-lite0"), "main", main)
        options = RUNS[run].format(main=main).split()
        words = ["train", "--data", str(data), *options, "--seed", str(seed)]
        words += ["--out", str(out), "--resume"]
        subprocess.run([sys.executable, "-m", "advprop_core.cli", *words], check=True)
    opened = open_model(out / "model.safetensors")
    photos = list_images(str(data / "train"))
    ids = [class_id for class_id, _ in photos.classes]
    rows = match_classes(opened.info.classes, ids)
    among = torch.tensor([rows[class_id] for class_id in ids])
    is_held_out = torch.tensor([held_out(file.name, HOLDOUT) for file in photos.files])
    apart, rest = is_held_out.nonzero().flatten(), (~is_held_out).nonzero().flatten()
    by_class = [apart[photos.labels[apart] == label].tolist() for label in range(len(ids))]
    images, labels = _load(photos, draw_evenly(by_class, MEASURED))
    order = torch.randperm(len(rest), generator=torch.Generator().manual_seed(seed))
    reference, reference_labels = _load(photos, rest[order[:REFERENCE]].tolist())
    for way in ways:
        _, _, mixture = WAYS[way]
        branch = mix(opened.model, mixture, reference, among[reference_labels], ATTACKS[1])
        network = Among(branch, among).eval()
        robust = {
            f"robust_{levels}": _right(network, images, labels, config)
            for levels, config in ATTACKS.items()
        }
        clean = _right(network, images, labels, None)
        yield {"way": way, "seed": seed, "n": len(labels), "clean": clean, **robust}


class Among(nn.Module):
    """A network whose answers are among some of its classes."""

    def __init__(self, network: nn.Module, rows: Tensor) -> None:
        super().__init__()
        self.network, self.rows = network, rows

    def forward(self, pixels: Tensor) -> Tensor:
        """(N, K) logits of these classes."""
        logits: Tensor = self.network(pixels)
        return logits[:, self.rows]


def _load(photos: ImageList, rows: Sequence[int]) -> tuple[Tensor, Tensor]:
    loaded = photos.select(rows).load(SIZE)
    return loaded.pixels.float() / 255, loaded.labels


def _right(network: nn.Module, images: Tensor, labels: Tensor, config: AttackConfig | None) -> int:
    """How many images it gets right, as they are or under an attack through itself."""
    right = 0
    for pixels, truth in zip(images.split(50), labels.split(50), strict=True):
        shown = pixels if config is None else attack(network, pixels, truth, config)
        with torch.no_grad():
            right += int((network(shown).argmax(1) == truth).sum())
    return right


if __name__ == "__main__":
    main()
