"""Random noises as perturbations: what a picture suffers without an adversary."""

from dataclasses import dataclass
from typing import Annotated, Final

import torch
from annotated_types import Ge, Le
from torch import Tensor

from advprop_core.errors import Checked, InputError
from advprop_core.pictures.draws import streams
from advprop_core.pictures.pixels import checked_pixels
from advprop_core.text import did_you_mean

NOISES: Final = ("gaussian", "poisson", "salt-and-pepper")
"""Kinds of noise that `add_noise` knows."""


@dataclass(frozen=True)
class NoiseConfig(Checked):
    """One random noise; an InputError for a value of the wrong kind or out of its range.

    Attributes:
        kind: One of `NOISES`.
        severity: Strength in [0,1]; 0 is the identity, and more is always noisier. By kind:

            - `gaussian`: the standard deviation, in pixel units.
            - `poisson`: photon noise with a peak of 1/severity² photons. Its standard deviation is
              severity·sqrt(p) where the pixel is p, so it compares with `gaussian` at white.
            - `salt-and-pepper`: the expected fraction of pixels replaced, half by white and half
              by black, all channels at once.
        seed: What the draw depends on.
    """

    kind: str
    severity: Annotated[float, Ge(0), Le(1)]
    seed: Annotated[int, Ge(0)] = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.kind not in NOISES:
            raise InputError(f"There is no noise {self.kind!r}. {did_you_mean(self.kind, NOISES)}")


def add_noise(pixels: Tensor, config: NoiseConfig) -> Tensor:
    """Adds random noise to (N,3,H,W) pixels in [0,1].

    The draw for a sample depends on the seed, its place in the batch, its size and (for Poisson)
    its own pixels; not on the other samples, their number, the device or any global generator.

    Returns:
        A new tensor of the same shape, type and device, clamped to [0,1], without gradient.

    Raises:
        TypeError: `pixels` are not floats.
        ValueError: `pixels` have another shape or range.
    """
    clean = checked_pixels(pixels)
    if config.severity == 0 or clean.numel() == 0:
        return clean
    severity = torch.tensor([config.severity])
    pairs = zip(clean.cpu().float().split(1), streams(config.seed, len(clean)), strict=True)
    noisy = [draw_noise(sample, config.kind, severity, draw) for sample, draw in pairs]
    return torch.cat(noisy).to(clean)


def draw_noise(pixels: Tensor, kind: str, severity: Tensor, generator: torch.Generator) -> Tensor:
    """Adds noise of a severity (N,) to a whole batch, as fast as the device allows.

    The generator is on the device of the pixels; every draw depends on the whole batch's shape.
    """
    return _DRAWS[kind](pixels, severity.view(-1, 1, 1, 1), generator).clamp(0, 1)


def _gaussian(pixels: Tensor, severity: Tensor, generator: torch.Generator) -> Tensor:
    noise = torch.randn(pixels.shape, generator=generator, device=pixels.device)
    return pixels + severity * noise


def _poisson(pixels: Tensor, severity: Tensor, generator: torch.Generator) -> Tensor:
    # Below 1e-6 the noise is finer than float32 tells apart, and the counts would overflow.
    peak = severity.double().clamp_min(1e-6) ** -2
    return (torch.poisson(pixels.double() * peak, generator) / peak).float()


def _salt_and_pepper(pixels: Tensor, severity: Tensor, generator: torch.Generator) -> Tensor:
    shape = (len(pixels), 1, *pixels.shape[2:])
    lot = torch.rand(shape, generator=generator, device=pixels.device)
    return pixels.masked_fill(lot < severity / 2, 0.0).masked_fill(lot >= 1 - severity / 2, 1.0)


_DRAWS: Final = {"gaussian": _gaussian, "poisson": _poisson, "salt-and-pepper": _salt_and_pepper}
