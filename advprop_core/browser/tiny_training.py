"""What a page needs to train a tiny network by itself: graphs, pictures, and how it starts."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from advprop_core.browser.gallery import pictures_for
from advprop_core.browser.graph import (
    OUTPUTS,
    example_inputs,
    open_session,
    run_beside,
    write_graph,
)
from advprop_core.browser.network import PageNetwork, network_entry
from advprop_core.browser.tiny_network import (
    MEAN,
    SIZE,
    STD,
    flat_norms,
    flat_weights,
    start_deviations,
    tiny_model,
)
from advprop_core.browser.tiny_step import (
    NORM_EPSILON,
    OBJECTIVES,
    Evaluation,
    LabStep,
    Objective,
    StepData,
    StepFigures,
    StepState,
    TrainingStep,
)
from advprop_core.datasets.texture_shapes.scenes import SEEDS, SHAPES, Scene, draw_scene
from advprop_core.models.dual_bn import DualBNModel, norm_layers
from advprop_core.types import ModelInfo

NAME = "trained-here"
"""Of the network in the page's links."""
BATCH, STEPS, LEARNING_RATE = 64, 600, 0.2
TRAINING_PICTURES, VALIDATION_PICTURES = 1500, 200
_BRANCHES = {"advprop": ["main", "aux"], "mixed": ["main"], "vanilla": ["main"]}
_SPREAD = 0.1  # standard deviation of a channel in a comparison
_COLUMNS = 50  # of the sheet of pictures
_QUALITY = 70  # of its WebP: at 32 pixels a picture then takes 230 bytes


def page_training(objectives: Sequence[Objective] = OBJECTIVES) -> PageNetwork:
    """A network that is trained in the page: what it needs, each graph compared with PyTorch.

    The objectives are in the order of the page's picker; the first is the usual one.

    Raises:
        NotExportable: If the runtime refuses a graph, or one differs from PyTorch.
    """
    train = draw_scenes("train", TRAINING_PICTURES)
    validation = draw_scenes("val", VALIDATION_PICTURES)
    model = tiny_model(len(SHAPES), 1).freeze()
    assets = {f"train:{objective}": training_graph(objective) for objective in objectives}
    assets["train:evaluation"] = evaluation_graph()
    assets[f"graph:{NAME}"] = _checked_graph(LabStep(model, SIZE), _lab_inputs(model), OUTPUTS)
    assets["train:pictures"] = _sheet([*train, *validation])
    return PageNetwork(training_plan(train, validation, objectives), assets)


def draw_scenes(split: str, count: int) -> list[Scene]:
    """The first scenes of TextureShapes' split, "train" or "val", at the network's size."""
    return [draw_scene(SEEDS[split], index, size=SIZE) for index in range(count)]


def training_plan(
    train: Sequence[Scene], validation: Sequence[Scene], objectives: Sequence[Objective]
) -> dict[str, Any]:
    """What the page's manifest says of training, with these pictures and ways to learn."""
    model = tiny_model(len(SHAPES), 1).freeze()
    lab = LabStep(model, SIZE)
    lab(*_lab_inputs(model).values())
    branches = dict.fromkeys(model.branch_names, "trained")
    info = ModelInfo("", SHAPES, SHAPES, SIZE, MEAN, STD, branches)  # type: ignore[arg-type]
    entry = network_entry(NAME, model, info, lab.step, pictures_for(info, SIZE))
    return {
        "network": entry | {"title": "", "about": ""},  # the page has words of its own
        "objectives": {
            objective: {"graph": f"train:{objective}", "branches": _BRANCHES[objective]}
            for objective in objectives
        },
        "evaluation": "train:evaluation",
        "weights": start_deviations(model),
        "norm_layers": [
            {"name": name.removeprefix("network."), "channels": norm.num_features}
            for name, norm in norm_layers(model.branch("main")).items()
        ],
        "norm_epsilon": NORM_EPSILON,
        "batch": BATCH,
        "steps": STEPS,
        "learning_rate": LEARNING_RATE,
        "pictures": {
            "sheet": "train:pictures",
            "columns": _COLUMNS,
            "train": [scene.shape for scene in train],
            "validation": [scene.shape for scene in validation],
        },
    }


def training_graph(objective: Objective, batch: int = BATCH) -> bytes:
    """The step of an objective as an ONNX file, compared with PyTorch.

    Its inputs are those of :class:`~advprop_core.browser.tiny_step.StepState` and ``StepData`` that
    the objective uses; its outputs are ``new_`` and each part of the state, and the figures.

    Raises:
        NotExportable: If the runtime refuses it, or it differs from PyTorch.
    """
    step, state, data = example_step(objective, batch)
    outputs = (*(f"new_{name}" for name in StepState._fields), *StepFigures._fields)
    return _checked_graph(step, state._asdict() | data._asdict(), outputs)


def example_step(
    objective: Objective, batch: int = BATCH
) -> tuple[TrainingStep, StepState, StepData]:
    """An objective's step, with a state amid training and random pictures, for comparisons.

    Half of the channels are far above 0 and half far below: a ReLU that is given nearly 0 may be on
    in one runtime and off in another, and their steps would differ by a hundredth.
    """
    model = tiny_model(len(SHAPES), len(_BRANCHES[objective]) - 1)
    draw = torch.Generator().manual_seed(0)

    def near(tensor: Tensor, distance: float) -> Tensor:
        return tensor + distance * torch.rand(tensor.shape, generator=draw)

    weights, norms = flat_weights(model), flat_norms(model)
    norms[:, 0] = _SPREAD
    norms[:, 1, ::2] = 8 * _SPREAD
    norms[:, 1, 1::2] = -8 * _SPREAD
    state = StepState(
        near(weights, 0.01),
        near(torch.zeros_like(weights), 0.01),
        near(norms, 0.2 * _SPREAD),
        near(torch.zeros_like(norms[:, :2]), 0.01),
    )
    pixels = torch.rand(batch, 3, SIZE, SIZE, generator=draw)
    noise = 2 * torch.rand(pixels.shape, generator=draw) - 1
    data = StepData(
        pixels, _one_hot(batch), noise, torch.tensor([4 / 255]), torch.tensor([LEARNING_RATE])
    )
    return TrainingStep(model, objective), state, data


def _one_hot(count: int) -> Tensor:
    classes = len(SHAPES)
    return torch.eye(classes)[torch.arange(count) % classes]


def evaluation_graph(count: int = VALIDATION_PICTURES) -> bytes:
    """``tiny_step.Evaluation`` as an ONNX file, for so many pictures.

    Raises:
        NotExportable: If the runtime refuses it, or it differs from PyTorch.
    """
    model = tiny_model(len(SHAPES), 1).freeze()
    draw = torch.Generator().manual_seed(0)
    inputs = {
        "weights": flat_weights(model),
        "norm": flat_norms(model)[0],
        "pixels": torch.rand(count, 3, SIZE, SIZE, generator=draw),
        "class_one_hot": _one_hot(count),
        "epsilon": torch.tensor([4 / 255]),
    }
    return _checked_graph(Evaluation(model), inputs, ("losses", "hits"))


def _lab_inputs(model: DualBNModel) -> dict[str, Tensor]:
    example = example_inputs(model, SIZE, len(SHAPES))
    return example._asdict() | {"weights": flat_weights(model)}


def _checked_graph(
    module: nn.Module, inputs: Mapping[str, Tensor], outputs: Sequence[str]
) -> bytes:
    graph = write_graph(module, inputs, outputs)
    run_beside(open_session(graph), module, inputs, outputs)
    return graph


def _sheet(scenes: Sequence[Scene]) -> bytes:
    """All pictures as one WebP, row by row: as PNG it would be eight times as large."""
    rows = -(-len(scenes) // _COLUMNS)
    images = np.zeros((rows * _COLUMNS, SIZE, SIZE, 3), np.uint8)
    images[: len(scenes)] = [scene.image for scene in scenes]
    in_rows = images.reshape(rows, _COLUMNS, SIZE, SIZE, 3).swapaxes(1, 2)
    sheet = in_rows.reshape(rows * SIZE, _COLUMNS * SIZE, 3)
    file = io.BytesIO()
    Image.fromarray(sheet).save(file, "WEBP", quality=_QUALITY, method=6)
    return file.getvalue()
