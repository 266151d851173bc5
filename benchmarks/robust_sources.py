"""Which sources learn CIFAR-10 from few photos; written down before the runs.

    .venv/bin/python -m benchmarks.robust_sources --data DIR [--runs runs] [GRID …]

The question. Utrera et al. (arXiv 2007.05869) find that ResNet-50 networks that were trained
adversarially, above all in L2, learn a new task from fewer images than a naturally trained one.
Does that show for small networks that were fine-tuned adversarially, and do AdvProp's branches
take part in it? The grids:

- fine-tuned: EfficientNet-lite0, fine-tuned from ImageNet on Imagenette at 128 pixels in the same
  way but for its objective (`train --recipe imagenette`): natural, L∞ at 1/255 and 4/255, L2 at 0.5
  and 2, each with attacks of two steps, and AdvProp's three branches. 100 to 6400 photos of
  CIFAR-10, the head alone, five seeds. Each is compared with the natural one. imagenet-lite0 at the
  same size was added after the first results: it shows what the fine-tuning itself changes.
- adapters: `imagenet-lite0` at 224 pixels through main and through the auxiliaries that were added
  to it, and the natural network of the first grid, which shows what the fine-tuning itself costs.
  100 to 1600 photos, the head alone, five seeds.
- scenes: networks that were trained on drawn scenes from nothing, at 96 pixels. 100 to 6400
  photos, the head alone, five seeds.
- blocks: four sources of the first grid, where three blocks or all layers are trained with the
  head. 100 and 400 photos, 30 epochs, three seeds.

Photos are drawn from the first 1000 of each class, so that features are computed for 10,000 alone.
Two draws of 6400 of them share most photos, and their intervals are a little too narrow. All else
is the article's (`advprop transfer`), and accuracy is measured on 2000 test photos. What is
expected after the article: robust sources ahead at few photos, by some points, L2 before L∞,
and the lead gone at many; aux of AdvProp like an adversarial source, main between.

DIR holds imagenette-144 and cifar10, each with train/ and val/ or test/. What is finished under
--runs is not done again. The results lie in assets/results/transfer-GRID.json.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parents[1] / "assets" / "results"
SOURCES = {
    "imagenette-linf-1": "--epsilon 1/255",
    "imagenette-linf-4": "--epsilon 4/255",
    "imagenette-l2-05": "--norm l2 --epsilon 0.5",
    "imagenette-l2-2": "--norm l2 --epsilon 2",
}
"""Adversarial networks that are trained for these grids, and are not bundled."""
PHOTOS = 1000
"""Training photos of each class that are drawn from."""
_MOST = "100,200,400,800,1600,3200,6400"
GRIDS = {
    "fine-tuned": "--source imagenette-vanilla,imagenette-linf-1.safetensors,"
    "imagenette-linf-4.safetensors,imagenette-l2-05.safetensors,imagenette-l2-2.safetensors,"
    "imagenette-advprop,imagenette-advprop:aux,imagenette-advprop:aux2,imagenet-lite0 --size 128 "
    f"--num-images {_MOST}",
    "adapters": "--source imagenet-lite0,imagenet-lite0:aux,imagenet-lite0:aux2,imagenette-vanilla "
    "--num-images 100,200,400,800,1600",
    "scenes": "--source shapes-vanilla,shapes-adversarial,shapes-mixed,shapes-fast-advprop:aux,"
    f"shapes-advprop,shapes-advprop:aux --num-images {_MOST}",
    "blocks": "--source imagenette-vanilla,imagenette-linf-1.safetensors,"
    "imagenette-l2-2.safetensors,imagenette-advprop:aux --num-images 100,400 --trainable 3,all "
    "--epochs 30 --seeds 3",
}


def main() -> None:
    """Train the sources that are not there, then run the grids."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("grids", nargs="*", metavar="GRID", help=", ".join(GRIDS))
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    parser.add_argument("--workers", type=int, default=2)
    asked = parser.parse_args()
    if unknown := set(asked.grids) - set(GRIDS):
        parser.error(f"there is no {', '.join(sorted(unknown))}: one of {', '.join(GRIDS)}")
    asked.runs.mkdir(parents=True, exist_ok=True)
    data, runs = asked.data.resolve(), asked.runs.resolve()
    for name in asked.grids or GRIDS:
        for source in SOURCES:
            if source in GRIDS[name]:
                _train(source, data, runs)
        _run(name, data, runs, asked.workers)


def _train(name: str, data: Path, runs: Path) -> None:
    """The network as ``runs/NAME.safetensors``."""
    folder, network = runs / "sources" / name, runs / f"{name}.safetensors"
    if not network.exists():
        words = ["train", "--data", str(data / "imagenette-144"), "--recipe", "imagenette"]
        words += ["--objective", "adversarial", "--steps", "2", *SOURCES[name].split()]
        _advprop([*words, "--name", name, "--out", str(folder), "--resume"], runs)
        network.symlink_to(folder / "model.safetensors")


def _run(name: str, data: Path, runs: Path, workers: int) -> None:
    if not (runs / "cifar10").exists():
        _choose_photos(data / "cifar10", runs / "cifar10")
    words = ["transfer", *GRIDS[name].split(), "--data", "cifar10", "--out", name]
    _advprop([*words, "--workers", str(workers)], runs)
    # A source is shown by its name alone; the command keeps the ending of the file.
    text = (runs / name / "results.json").read_text("utf-8").replace('.safetensors"', '"')
    content: dict[str, Any] = json.loads(text)
    path = RESULTS / f"transfer-{name}.json"
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", "utf-8")


def _choose_photos(cifar10: Path, chosen: Path) -> None:
    """Links to the first photos of each class, beside all test photos."""
    for folder in sorted((cifar10 / "train").iterdir()):
        (chosen / "train" / folder.name).mkdir(parents=True)
        for photo in sorted(folder.iterdir())[:PHOTOS]:
            (chosen / "train" / folder.name / photo.name).symlink_to(photo)
    (chosen / "test").symlink_to(cifar10 / "test")


def _advprop(words: list[str], folder: Path) -> None:
    path = os.pathsep.join([str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    subprocess.run(
        [sys.executable, "-m", "advprop_core.cli", *words],
        check=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path},
    )


if __name__ == "__main__":
    main()
