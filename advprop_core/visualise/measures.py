"""Numbers beside the eye: how coarse a change is, and whether other networks see it too."""

from collections.abc import Hashable, Mapping
from typing import TypeVar

import torch
from torch import Tensor, nn

from advprop_core.pictures.pixels import resized
from advprop_core.predict import predict
from advprop_core.types import Prediction

Name = TypeVar("Name", bound=Hashable)

SHORTEST_COARSE = 16
"""Pixels: patterns at least as long count as coarse."""


def coarse_share(change: Tensor) -> Tensor:
    """The share of a change's energy in patterns at least 16 pixels long.

    White noise has 1.2 %. The mean colour counts as a pattern without end.

    Args:
        change: (N, C, H, W): a gradient, or what was added to a picture.

    Returns:
        (N,) in [0, 1]; not a number where nothing changed.
    """
    energy = torch.fft.fft2(change.detach().double()).abs().square().sum(1)
    down, across = (torch.fft.fftfreq(side, dtype=torch.float64) for side in change.shape[2:])
    frequency = (down[:, None].square() + across.square()).sqrt().to(energy.device)
    coarse = energy * (frequency <= 1 / SHORTEST_COARSE)
    share: Tensor = coarse.sum((1, 2)) / energy.sum((1, 2))
    return share


def look(branch: nn.Module, side: int, picture: Tensor) -> Prediction:
    """What a branch sees in a picture (3, H, W) that another made, at its own input's side."""
    return predict(branch, resized(picture[None], side))[0]


def ask(
    pictures: Mapping[Name, Tensor], witnesses: Mapping[Name, tuple[nn.Module, int]]
) -> dict[Name, dict[Name, Prediction]]:
    """What each witness, a branch and its side, sees: picture to witness to its answer.

    A pattern that only the network that made it takes for the class is its own; one that other
    networks see too is of the class.
    """
    return {
        name: {each: look(*witness, picture) for each, witness in witnesses.items()}
        for name, picture in pictures.items()
    }
