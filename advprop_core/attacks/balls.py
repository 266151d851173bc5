"""A norm as pure functions: a random start, the steepest direction, the way back, a length."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from advprop_core.types import Norm

Length = float | Tensor  # one for the whole batch, or (N, 1, 1, 1): one per image


@dataclass(frozen=True)
class Ball:
    """A norm as an attack sees it; every function takes and gives (N, 3, H, W), image by image.

    Attributes:
        start: (shape, epsilon, generator, device) to a random point of the ball; a shape of one
            image and several radii give the same draw at each of them.
        direction: A gradient to the steepest move of length 1.
        project: (perturbation, epsilon) to the nearest point of the ball.
        length: Perturbations to their (N,) lengths.
    """

    start: Callable[[torch.Size, Length, torch.Generator, torch.device], Tensor]
    direction: Callable[[Tensor], Tensor]
    project: Callable[[Tensor, Length], Tensor]
    length: Callable[[Tensor], Tensor]


def _linf_start(
    shape: torch.Size, epsilon: Length, generator: torch.Generator, device: torch.device
) -> Tensor:
    return (torch.rand(shape, generator=generator, device=device) * 2 - 1) * epsilon


def _clip(x: Tensor, epsilon: Length) -> Tensor:
    return x.clamp(-epsilon, epsilon)  # type: ignore[arg-type]  # has a signature for each kind


def _l2_start(
    shape: torch.Size, epsilon: Length, generator: torch.Generator, device: torch.device
) -> Tensor:
    # A Gaussian direction with radius u^(1/d) is uniform in the ball of dimension d.
    noise = torch.randn(shape, generator=generator, device=device)
    dimension = noise[0].numel()
    radius = torch.rand(shape[0], generator=generator, device=device) ** (1 / dimension)
    return _unit(noise) * (per_image(radius) * epsilon)


def _unit(x: Tensor) -> Tensor:
    """Of length 1, however short x is; zero where x is."""
    # The largest entry first: of a confident network's gradient the squares would underflow, and
    # any floor under the length would shorten its steps and overstate its robustness.
    largest = per_image(_largest(x))
    scaled = x / torch.where(largest > 0, largest, 1)
    return scaled / per_image(_euclidean(scaled).clamp_min(1))  # below 1 for x = 0 alone


def _shrink(x: Tensor, epsilon: Length) -> Tensor:
    length = per_image(_euclidean(x))
    return x * torch.where(length > epsilon, epsilon / length, 1)


def _largest(x: Tensor) -> Tensor:
    return x.flatten(1).abs().amax(1)


def _euclidean(x: Tensor) -> Tensor:
    length: Tensor = x.flatten(1).norm(dim=1)
    return length


def per_image(values: Tensor) -> Tensor:
    """(N,) to (N, 1, 1, 1)."""
    return values.view(-1, 1, 1, 1)


BALLS: dict[Norm, Ball] = {
    "linf": Ball(_linf_start, torch.sign, _clip, _largest),
    "l2": Ball(_l2_start, _unit, _shrink, _euclidean),
}
