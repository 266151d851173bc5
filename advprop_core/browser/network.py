"""A network as the page takes it: a graph, a vector for each branch, and what describes them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from advprop_core.attacks.gradient import loss_gradient, walk
from advprop_core.browser.gallery import PagePicture, data_url, pictures_for
from advprop_core.browser.graph import (
    OUTPUTS,
    Step,
    check_graph,
    example_inputs,
    write_graph,
)
from advprop_core.browser.norms import norm_vector
from advprop_core.models.checkpoints import Checkpoint
from advprop_core.models.dual_bn import MAIN, DualBNModel, norm_layers
from advprop_core.pictures.decoding import to_image, to_pixels
from advprop_core.types import AttackConfig, ModelInfo

LARGEST_EPSILON = 16 / 255
"""Of the page's slider, and of the app's."""
FIRST_ATTACK = AttackConfig.pgd(2 / 255, steps=10)
_SHOWN = 8  # classes of each answer


@dataclass(frozen=True)
class PageNetwork:
    """What one network adds to a page.

    Attributes:
        entry: Of the manifest.
        assets: Name to bytes: graphs, and the norm layers of all branches or the sheet of pictures.
        first: What the page shows before the network is there, if it is its first network; empty
            for one that is trained in the page.
    """

    entry: dict[str, Any]
    assets: dict[str, bytes]
    first: Mapping[str, Any] = field(default_factory=dict)


def page_network(
    checkpoint: Checkpoint,
    name: str,
    size: int | None = None,
    pictures: Sequence[Path] = (),
    attack: AttackConfig = FIRST_ATTACK,
    attack_branch: str = MAIN,
) -> PageNetwork:
    """Export a network, compare the graph with PyTorch, and look at its first picture.

    Args:
        checkpoint: Frozen, with one branch or more.
        name: For the link and the picker.
        size: Side of its pictures in pixels; by default that of the network.
        pictures: Files to show before the page's own.
        attack: What the page begins with: PGD in L∞.
        attack_branch: Whose gradient it follows.

    Raises:
        NotExportable: If a browser cannot run the network.
        InputError: If it is given another size than it can take, or a file that is no picture.
    """
    model, info = checkpoint.model, checkpoint.info
    size = size or info.input_size
    gallery = pictures_for(info, size, tuple(pictures))
    model.branch(attack_branch)  # raises where there is none
    step = Step(model, size)
    norms = {branch: norm_vector(model.branch(branch)) for branch in model.branch_names}
    # Not on a photo: where it is flat, a ReLU's input may be 0, and rounding decides its gradient.
    example = example_inputs(model, size, info.num_classes)
    cases = [
        example._replace(attacks=torch.full((1,), attacks), norm=norm)
        for norm in norms.values()
        for attacks in (0.0, 1.0)
    ]
    graph = write_graph(step, cases[0]._asdict(), OUTPUTS)
    check_graph(graph, step, cases)
    first = first_look(step, norms, gallery[0], attack, attack_branch)
    entry = network_entry(name, model, info, step, gallery)
    vectors = torch.stack(list(norms.values())).contiguous().numpy().astype("<f4")
    assets = {f"graph:{name}": graph, f"norms:{name}": vectors.tobytes()}
    return PageNetwork(entry, assets, {"network": name, **first})


def network_entry(
    name: str,
    model: DualBNModel,
    info: ModelInfo,
    step: Step,
    pictures: Sequence[PagePicture],
) -> dict[str, Any]:
    """Of the manifest's list of networks; the step has run before."""
    classes, main = info.num_classes, model.branch(MAIN)
    return {
        "name": name,
        "title": info.name or name,
        "about": f"{info.architecture}, {classes} class{'es' if classes != 1 else ''}, "
        f"{step.size} × {step.size} pixels",
        "size": step.size,
        "classes": list(info.class_names),
        "branches": [
            {"name": branch, "origin": info.origin(branch).label} for branch in model.branch_names
        ],
        "channels": norm_vector(main).shape[1],
        "norm_layers": [norm.num_features for norm in norm_layers(main).values()],
        "cells": list(step.cells),
        "layer": step.layer,
        "graph": f"graph:{name}",
        "norms": f"norms:{name}",
        "pictures": [picture.entry() for picture in pictures],
    }


def first_look(
    step: Step,
    norms: dict[str, Tensor],
    picture: PagePicture,
    attack: AttackConfig,
    attack_branch: str,
) -> dict[str, Any]:
    """What the network makes of the picture, clean and perturbed, as the page's manifest has it.

    It is what the page shows before the network is there. ``norms`` are each branch's vector; the
    picture is of the network's size, and the attack is PGD in L∞.
    """
    pixels = to_pixels(picture.image, picture.image.height)
    through = step.through(norms[attack_branch])
    label = picture.true_class
    if not isinstance(label, int):
        label = int(through(pixels).argmax())
    # Where the page's PGD starts, so that what it shows first is what it finds with its network.
    drawn = torch.tensor(_uniform_numbers(pixels.numel())).reshape(pixels.shape)
    start, labels = (pixels + (2 * drawn - 1) * attack.epsilon).clamp(0, 1), torch.tensor([label])
    walked = walk(through, pixels, labels, attack, loss_gradient, start=start)
    perturbed = to_levels(walked, pixels, attack.epsilon)
    inputs = {"clean": pixels, "perturbed": perturbed}
    views = {
        kind: {branch: _view(step, norm, given) for branch, norm in norms.items()}
        for kind, given in inputs.items()
    }
    return {
        "picture": picture.name,
        "settings": {
            "attack": "pgd",
            "norm": "linf",
            "epsilon": attack.epsilon,
            "steps": attack.steps,
            "attack_branch": attack_branch,
            "method": "grad-cam",
            "target": None,
        },
        "perturbed": data_url(to_image(perturbed)),
        **{
            key: {kind: {b: view[key] for b, view in rows.items()} for kind, rows in views.items()}
            for key in ("answers", "maps")
        },
    }


def _uniform_numbers(count: int) -> list[float]:
    """Numbers in [0, 1) as the page draws them (mulberry32, in ``engine/numbers.ts``)."""
    limit, state, numbers = 0xFFFFFFFF, 0, []
    for _ in range(count):
        state = (state + 0x6D2B79F5) & limit
        mixed = ((state ^ (state >> 15)) * (state | 1)) & limit
        mixed ^= (mixed + ((mixed ^ (mixed >> 7)) * (mixed | 61))) & limit
        numbers.append((mixed ^ (mixed >> 14)) / 2**32)
    return numbers


def to_levels(walked: Tensor, clean: Tensor, epsilon: float) -> Tensor:
    """Pixels rounded to 8 bits inside the L∞ ball around clean ones, so that a PNG holds them."""
    tiny = 1e-4  # of a level: 2/255 is two whole levels
    lowest = ((clean - epsilon) * 255 - tiny).ceil().clamp(0, 255)
    highest = ((clean + epsilon) * 255 + tiny).floor().clamp(0, 255)
    return (walked * 255).round().clamp(lowest, highest) / 255


def _view(step: Step, norm: Tensor, pixels: Tensor) -> dict[str, Any]:
    """A branch's answer, and the Grad-CAM of its first class."""
    with torch.no_grad():
        probabilities = step.through(norm)(pixels).softmax(1)[0]
    values, classes = probabilities.topk(min(_SHOWN, len(probabilities)))
    answer = int(classes[0])
    one_hot = torch.eye(len(probabilities))[answer, None]
    _, _, cam = step(pixels, one_hot, torch.zeros(1), norm)
    return {
        "answers": list(zip(classes.tolist(), values.tolist(), strict=True)),
        "maps": {"class": answer, "values": cam.flatten().tolist()},
    }
