"""A network as the page takes it: a graph, a vector for each branch, and what describes them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from advprop_core.browser.check import check_graph
from advprop_core.browser.first_look import FirstLook, first_look
from advprop_core.browser.gallery import PagePicture, pictures_for
from advprop_core.browser.graph import OUTPUTS, Step, example_inputs, write_graph
from advprop_core.browser.norms import norm_vector
from advprop_core.models.checkpoints import Checkpoint
from advprop_core.models.dual_bn import DualBNModel, norm_layers
from advprop_core.types import ModelInfo


@dataclass(frozen=True)
class PageNetwork:
    """What one network adds to a page.

    Attributes:
        entry: Of the manifest's list of networks.
        assets: Name to bytes: the graph, and the norm layers of all branches.
        first: What the page shows before the network is there, if it is its first network.
    """

    entry: dict[str, Any]
    assets: dict[str, bytes]
    first: dict[str, Any]


def page_network(
    checkpoint: Checkpoint,
    name: str,
    size: int | None = None,
    pictures: Sequence[Path] = (),
    look: FirstLook | None = None,
) -> PageNetwork:
    """Export a network, compare the graph with PyTorch, and look at its first picture.

    Args:
        checkpoint: Frozen, with one branch or more.
        name: For the link and the picker.
        size: Side of its pictures in pixels; by default that of the network.
        pictures: Files to show before the page's own.
        look: What the page begins with.

    Raises:
        NotExportable: If a browser cannot run the network.
        InputError: If it is given another size than it can take, or a file that is no picture.
    """
    model, info = checkpoint.model, checkpoint.info
    size = size or info.input_size
    gallery = pictures_for(info, size, tuple(pictures))
    look = look or FirstLook()
    model.branch(look.attack_branch)  # raises where there is none
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
    _, _, cam = step(*cases[0])
    entry = network_entry(name, model, info, step, cam, gallery)
    vectors = torch.stack(list(norms.values())).contiguous().numpy().astype("<f4")
    assets = {f"graph:{name}": graph, f"norms:{name}": vectors.tobytes()}
    return PageNetwork(
        entry, assets, {"network": name, **first_look(step, norms, gallery[0], look)}
    )


def network_entry(
    name: str,
    model: DualBNModel,
    info: ModelInfo,
    step: Step,
    cam: Tensor,
    pictures: Sequence[PagePicture],
) -> dict[str, Any]:
    """Of the manifest's list of networks; ``cam`` is a map that the step gave."""
    classes, main = info.num_classes, model.branch("main")
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
        "cells": list(cam.shape[1:]),
        "layer": step.layer,
        "graph": f"graph:{name}",
        "norms": f"norms:{name}",
        "pictures": [picture.entry() for picture in pictures],
    }
