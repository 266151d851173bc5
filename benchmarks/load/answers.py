"""What a page of the Playground shows, and whether it is what the library answers."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn

from advprop_core.compare.compare import compare
from advprop_core.models.bundle import open_model
from advprop_core.models.folding import fold
from advprop_core.pictures.decoding import decode, to_pixels
from advprop_core.types import INPUT_KINDS, AttackConfig
from app.playground.view import PlaygroundView
from app.shell.pictures import open_picture
from app.shell.store import BoundedStore

_TOLERANCE = 1e-3
"""How far a share may be from the library's; the page rounds it."""


def shown_strength(board: Mapping[str, Any] | None) -> float | None:
    """The strength that all of a page is about, in 1/255; None while something is missing."""
    if board is None or not board["facts"] or board["isOld"]:
        return None
    if {branch["name"] for branch in board["branches"]} != board["maps"].keys():
        return None
    return float(board["facts"][0]["value"].removesuffix("/255"))


def is_right(board: Mapping[str, Any], strength: float) -> bool:
    """Whether every branch's answers are those that the library gives to this attack.

    It computes with one thread, as the server's workers do: with more of them sums come in another
    order, the signs of a small gradient change, and a share may be another by 0.05.
    """
    torch.set_num_threads(1)
    view = PlaygroundView()
    branches, pixels, names = _subject(view)
    attack = AttackConfig.pgd(strength / 255, steps=view.steps)
    result = compare(branches, pixels, attack, attack_branch=view.attack_branch)
    for branch in board["branches"]:
        for answer in branch["answers"]:
            index = names.index(answer["name"])
            for kind, share in zip(INPUT_KINDS, answer["shares"], strict=True):
                expected = float(result.predictions[kind, branch["name"]].probabilities[index])
                if abs(share - expected) > _TOLERANCE:
                    return False
    return True


@cache
def _subject(view: PlaygroundView) -> tuple[dict[str, nn.Module], Tensor, tuple[str, ...]]:
    """The network and the picture that the Playground begins with, and the classes' names."""
    checkpoint = open_model(view.model)
    model, size = checkpoint.model, checkpoint.info.input_size
    pixels = to_pixels(decode(open_picture(view.image, size, BoundedStore(1)).data), size)
    branches = {name: fold(model.branch(name), pixels) for name in model.branch_names}
    return branches, pixels, checkpoint.info.class_names
