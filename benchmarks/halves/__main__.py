"""Measures which half of the norm makes a branch robust; written down before the runs.

    .venv/bin/python -m benchmarks.halves --photos FOLDER --val FOLDER

The question. Main and aux differ in γ and β and in running mean and variance. If γ and β carry
the robustness, aux's γ and β stay robust with statistics estimated again on clean images, and
main's γ and β stay weak with statistics of adversarial images. If the statistics carry it, it is
the other way round. A half that is swapped naively, with statistics that belong to other weights,
answers neither: it is measured beside them, to show by how much it misleads.

The networks are all bundled ones with an auxiliary branch. Robust means right under PGD-10 at
ε = 2/255 (L∞) through the mixture itself. Statistics are estimated on 512 training images, on
clean ones or on ones that the same attack makes through the same γ and β. Accuracy is measured
on the first 500 validation images (300 photos), spread evenly over the classes. Both lines between
the branches are measured at 25, 50 and 75 %: γ and β with estimated statistics, and all four
tensors without.

The second question is what `advprop calibrate` gives to a network that was trained without an
auxiliary branch: statistics alone, and with five passes that train γ and β.

--photos holds train/ with class folders of Imagenette; --val holds its class folders of
validation photos. Networks of drawn shapes need neither. What is in the file is not measured again.
assets/make_results.py writes the tables of docs/results.md from it.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from advprop_core.anatomy.halves import (
    ENDS,
    MIXTURES,
    Mixture,
    MixtureAccuracy,
    measure,
    mix,
)
from advprop_core.datasets.listed import Images
from advprop_core.datasets.named import load_images
from advprop_core.models.bundle import open_model
from advprop_core.models.checkpoints import Checkpoint
from advprop_core.training.calibrate import calibrate
from advprop_core.types import AttackConfig

FILE = Path(__file__).parents[2] / "assets" / "results" / "norm-halves.json"
ATTACK = AttackConfig.pgd(2 / 255, steps=10)
PAIRS = (
    ("imagenette-advprop", "aux"),
    ("shapes-advprop", "aux"),
    ("shapes-fast-advprop", "aux"),
    ("imagenette-advprop", "aux2"),
)
VANILLA = ("imagenette-vanilla", "shapes-vanilla")
AFFINE_EPOCHS = (0, 5)
REFERENCE = 512
MEASURED = {"imagenette": 300, "shapes": 500}
"""Photos take four times as long as drawn scenes, for their networks are larger."""


def main() -> None:
    """Measure what the file lacks."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--photos", metavar="FOLDER")
    parser.add_argument("--val", metavar="FOLDER")
    asked = parser.parse_args()
    measure_all(asked.photos, asked.val)


def measure_all(photos: str, val: str) -> None:
    """Everything that the file lacks."""
    content = json.loads(FILE.read_text()) if FILE.exists() else _empty()
    done = {(row["model"], row["second"], _mixture(row)) for row in content["results"]}
    for model, second in PAIRS:
        lacking = [m for m in MIXTURES if (model, second, m) not in done]
        if lacking:
            checkpoint = open_model(model)
            reference, images = _images(checkpoint, photos, val)
            for row in _mixtures(checkpoint, second, lacking, reference, images):
                content["results"].append({"model": model, "second": second, **row.to_json()})
                _write(content)
    known = {(row["model"], row["affine_epochs"]) for row in content["calibrated"]}
    for epochs in AFFINE_EPOCHS:
        for model in VANILLA:
            if (model, epochs) not in known:
                checkpoint = open_model(model)
                row = _calibrated(checkpoint, epochs, *_images(checkpoint, photos, val))
                content["calibrated"].append({"model": model, "affine_epochs": epochs, **row})
                _write(content)


def _empty() -> dict[str, Any]:
    return {
        "format": 1,
        "kind": "norm-halves",
        "command": "python -m benchmarks.halves --photos imagenette-144 --val imagenette-val-224",
        "attack": asdict(ATTACK),
        "reference_images": REFERENCE,
        "results": [],
        "calibrated": [],
    }


def _mixture(row: Mapping[str, Any]) -> Mixture:
    return Mixture(row["affine"], row["statistics"])


def _images(checkpoint: Checkpoint, photos: str, val: str) -> tuple[Images, Images]:
    """What statistics are estimated on, and what is measured on."""
    info = checkpoint.info
    kind = info.name.partition("-")[0]
    drawn = kind == "shapes"
    return (
        load_images(
            "shapes" if drawn else photos,
            info.input_size,
            split="train",
            classes=info.classes,
            limit=REFERENCE,
        ),
        load_images(
            "shapes" if drawn else val,
            info.input_size,
            classes=info.classes,
            limit=MEASURED[kind],
        ),
    )


def _mixtures(
    checkpoint: Checkpoint,
    second: str,
    mixtures: list[Mixture],
    reference: Images,
    images: Images,
) -> Iterator[MixtureAccuracy]:
    for mixture in mixtures:
        network = mix(
            checkpoint.model,
            mixture,
            reference.pixels.float() / 255,
            reference.labels,
            ATTACK,
            second=second,
        )
        yield measure(network, mixture, images.pixels, images.labels, ATTACK)


def _calibrated(
    checkpoint: Checkpoint, epochs: int, reference: Images, images: Images
) -> dict[str, Any]:
    """Accuracies of main and of the branch that calibrating gives it."""
    made = calibrate(
        checkpoint, reference.pixels, reference.labels, ATTACK, affine_epochs=epochs
    ).model
    branches = {}
    for branch, end in zip(("main", "aux"), ENDS, strict=True):
        row = measure(made.branch(branch), end, images.pixels, images.labels, ATTACK).to_json()
        branches[branch] = {k: v for k, v in row.items() if k not in ("affine", "statistics")}
    return branches


def _write(content: Mapping[str, Any]) -> None:
    FILE.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")
    row = (content["calibrated"] or content["results"])[-1]
    print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
