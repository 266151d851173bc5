"""A recipe, photos and runs so small that a step takes milliseconds."""

from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator
from PIL import Image

from advprop_core.datasets.listed import Images
from advprop_core.evaluation.processes import Processes
from advprop_core.training import state
from advprop_core.training.data import TrainingData, load_data
from advprop_core.training.network import new_model
from advprop_core.training.recipe import OBJECTIVES, Attacker, Recipe
from advprop_core.training.sources import InMemory
from advprop_core.training.trainer import Trainer

WHOLE = tuple(name for name in OBJECTIVES if name != "auxiliary")
"""Objectives that train a whole network; test_auxiliary is about the other."""


def attacker(objective: object, **fields: object) -> Attacker:
    """One that fits the objective: most take any, adv-reg only one step without a random start."""
    name = "fgsm" if objective == "adv-reg" else "pgd"
    return Attacker(name, **fields)  # type: ignore[arg-type]


def tiny_recipe(**changes: object) -> Recipe:
    """Three steps an epoch on the photos of `draw_photos`."""
    values: dict[str, object] = {
        "architecture": "test_resnet",
        "attack": attacker(changes.get("objective"), epsilon=4 / 255),
        "size": 32,
        "epochs": 2,
        "batch_size": 4,
        "warmup_epochs": 0.5,
        "compile": False,
    }
    return Recipe(**{**values, **changes})  # type: ignore[arg-type]


def draw_photos(folder: Path) -> Path:
    """Twelve images of noise in two classes to train with, and four to validate with."""
    rng = np.random.default_rng(0)
    for split, count in (("train", 6), ("val", 2)):
        for name in ("cats", "dogs"):
            (folder / split / name).mkdir(parents=True)
            for index in range(count):
                pixels = rng.integers(0, 256, (43, 43, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(folder / split / name / f"{name}-{index}.png")
    return folder


def numbered_photos(recipe: Recipe, count: int = 24, device: str = "cpu") -> TrainingData:
    """Images of noise, each a class of its own, so that its label says which one it is."""
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (count, 3, 43, 43), generator=generator, dtype=torch.uint8)
    labels = torch.arange(count)
    classes = tuple((str(index), str(index)) for index in range(count))
    source = InMemory(
        images.to(torch.device(device)), labels.to(torch.device(device)), recipe, count
    )
    return TrainingData(source, None, Images(images, labels, classes), "made")


def start(recipe: Recipe, photos: str | Path | TrainingData, out: Path) -> Trainer:
    """A run as `train` sets it up, at its first step or where the state in `out` left it."""
    out.mkdir(parents=True, exist_ok=True)
    accelerator = Accelerator()
    name, data = "made", photos
    if not isinstance(data, TrainingData):
        name, data = str(data), load_data(str(data), recipe, accelerator.device)
    model, _ = new_model(recipe, data.classes)
    processes = Processes(accelerator.process_index, accelerator.num_processes)
    identity = state.identity(recipe, name, data.digest, processes.count)
    saved = state.read(out / state.STATE, processes)
    return Trainer(recipe, data, out, accelerator, model, identity, saved)
