"""Makes the bundled models again: trains what is missing, measures, writes cards and manifest.

    .venv/bin/python assets/make_models.py IMAGENETTE [NAME …] [--runs runs] [--photos PHOTOS]

IMAGENETTE is a folder named imagenette-144 with train/ and val/, each with one folder a class
(shorter side 144 pixels or more). Finished runs under --runs are taken as they are. With names,
these models alone are made. Two of them are trained and measured but not bundled, for all together
would take more room than the assets may; they stay under --runs, each with its card.

PHOTOS is a folder with a folder of photos for each of some classes of ImageNet, named by its wnid,
of 260 pixels or more; the published networks are measured on 200 of them.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shlex
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from advprop_core.datasets.named import load_images
from advprop_core.models import checkpoints
from advprop_core.models.bundle import open_model
from advprop_core.models.cards import model_card
from advprop_core.models.published import PUBLISHED
from advprop_core.training.data import list_split
from advprop_core.training.measure import measure

MODELS = Path(__file__).parent / "models"
RUNS = {
    "shapes-advprop": "--recipe shapes --objective advprop",
    "shapes-vanilla": "--recipe shapes --objective vanilla",
    "shapes-adversarial": "--recipe shapes --objective adversarial --epsilon 2/255 "
    "--step-size 2/255 --epochs 8",  # at 4/255 seven epochs were too few
    "shapes-mixed": "--recipe shapes --objective mixed",
    "shapes-fast-advprop": "--recipe shapes --objective fast-advprop",
    "imagenette-vanilla": "--recipe imagenette --objective vanilla",
    "imagenette-advprop": "--recipe imagenette --auxiliaries 1/255,4/255",
}
NOT_BUNDLED = {
    "shapes-adversarial-l2": "--recipe shapes --objective adversarial --norm l2 --epsilon 0.5 "
    "--step-size 0.5 --epochs 8 --attack-warmup-epochs 4",  # at once, it does not start
    "shapes-advprop-two": "--recipe shapes --objective advprop --auxiliaries 1/255,4/255",
}

ADAPTERS = {
    name: f"--objective auxiliary --start-from {name} --auxiliaries 1/255,3/255 --max-steps 300"
    for name in PUBLISHED
}
"""For published networks."""


def main() -> None:
    """Train, measure, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    known = RUNS | NOT_BUNDLED | dict.fromkeys(PUBLISHED, "")
    parser.add_argument("imagenette", type=Path)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(known))
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    parser.add_argument("--photos", type=Path, help="for the published networks")
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(known):
        parser.error(f"there is no {', '.join(sorted(unknown))}: one of {', '.join(known)}")
    MODELS.mkdir(exist_ok=True)
    for name in arguments.names or RUNS:
        if name in PUBLISHED:
            _describe_published(name, arguments)
            continue
        data = "shapes" if name.startswith("shapes") else str(arguments.imagenette)
        trained = arguments.runs / name / "model.safetensors"
        if not trained.exists():
            _train(name, known[name], data, arguments.runs / name)
        if name in NOT_BUNDLED:
            print(f"{name}: {trained.with_suffix('.md')} has what was measured")
            continue
        path = _measured(name, trained, data)
        print(f"{name}: {path.stat().st_size / 1e6:.1f} MB")
    files = {name: MODELS / f"{name}.safetensors" for name in (*PUBLISHED, *RUNS)}
    manifest = {
        name: {
            "file": path.name,
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            **({"base": name} if name in PUBLISHED else {}),
        }
        for name, path in files.items()
        if path.exists()
    }
    (MODELS / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")


def _train(name: str, options: str, data: str, out: Path) -> None:
    words = ["train", "--data", data, *options.split(), "--name", name, "--out", str(out)]
    words.append("--resume")
    subprocess.run([sys.executable, "-m", "advprop_core.cli", *words], check=True)


def _without_places(command: str) -> str:
    """The command with the last names of folders: where they lay says nothing to others."""
    words = [word for word in shlex.split(command) if word != "--resume"]
    for flag, kept in (("--data", 1), ("--out", 2)):
        place = words.index(flag) + 1
        words[place] = "/".join(Path(words[place]).parts[-kept:])
    return shlex.join(words)


def _measured(name: str, trained: Path, data: str) -> Path:
    """A copy in assets/ whose figures were measured by the present code on the file itself."""
    checkpoint = checkpoints.load(trained)
    info = replace(checkpoint.info, name=name)
    held_out = list_split(data, "val", strict=True).load(info.input_size, strict=True)
    metrics = measure(checkpoint.model, held_out, data, f"{Path(data).name} val")
    recipe = {**info.recipe, "command": _without_places(str(info.recipe["command"]))}
    info = replace(info, metrics=metrics, recipe=recipe)
    path = MODELS / f"{name}.safetensors"
    checkpoints.save(path, checkpoint.model, info, half=True)
    path.with_suffix(".md").write_text(model_card(info))
    return path


def _describe_published(name: str, arguments: argparse.Namespace) -> None:
    """An adapter: the norm layers that were trained, and the digest of the package's weights."""
    trained = arguments.runs / name / "model.safetensors"
    if not trained.exists():
        _train(name, ADAPTERS[name], str(arguments.imagenette), trained.parent)
    opened = open_model(trained)
    command = _without_places(opened.info.recipe["command"])
    model, info = opened.model, opened.info
    info = replace(info, name=name, recipe={**info.recipe, "command": command})
    photos = arguments.photos
    images = load_images(str(photos), info.input_size, classes=info.classes, limit=200)
    info = replace(info, metrics=measure(model.freeze(), images, photos.name, photos.name))
    path = MODELS / f"{name}.safetensors"
    checkpoints.save(path, model, info)
    path.with_suffix(".md").write_text(model_card(info))


if __name__ == "__main__":
    main()
