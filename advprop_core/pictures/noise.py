"""Random noises as perturbations: what a picture suffers without an adversary."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor

from advprop_core.errors import InputError

NOISES: Final = ("gaussian", "poisson", "salt-and-pepper")
"""Kinds of noise that `add_noise` knows."""


@dataclass(frozen=True)
class NoiseConfig:
    """One random noise.

    Severity is in [0,1], 0 is the identity, and more is always noisier. It means, by kind:

    - `gaussian`: the standard deviation, in pixel units.
    - `poisson`: photon noise with a peak of 1/severity² photons: its standard deviation is
      severity at white (so it compares with `gaussian`), severity·sqrt(p) where the pixel is p,
      and 0 at black.
    - `salt-and-pepper`: the expected fraction of pixels replaced, half by white and half by
      black, all channels at once.

    Attributes:
        kind: One of `NOISES`.
        severity: Strength in [0,1], by kind as above.
        seed: What the draw depends on, a whole number of at least 0.

    Raises:
        TypeError: An attribute is of the wrong type.
        ValueError: An attribute is out of its range.
    """

    kind: str
    severity: float
    seed: int = 0

    def __post_init__(self) -> None:
        if self.kind not in NOISES:
            raise InputError(f"kind must be one of {', '.join(NOISES)}, got {self.kind!r}.")
        if isinstance(self.severity, bool) or not isinstance(self.severity, (int, float)):
            raise TypeError(f"severity must be a number in [0,1], got {self.severity!r}.")
        if not 0 <= self.severity <= 1:
            raise InputError(
                f"severity must be in [0,1], got {self.severity}: divide /255 values by 255."
            )
        if isinstance(self.seed, bool) or not isinstance(self.seed, int):
            raise TypeError(f"seed must be a whole number, got {self.seed!r}.")
        if self.seed < 0:
            raise InputError(f"seed must be at least 0, got {self.seed}: drop the sign.")


def add_noise(pixels: Tensor, config: NoiseConfig) -> Tensor:
    """Adds random noise to pixels.

    The draw for a sample depends on the seed, its place in the batch, its size and (for Poisson)
    its own pixels; not on the other samples, their number, the device or any global generator.

    Args:
        pixels: Floats (N,3,H,W) in [0,1].
        config: Kind, severity and seed.

    Returns:
        A new tensor of the same shape, type and device, clamped to [0,1], without gradient.

    Raises:
        TypeError: `pixels` are not floats.
        ValueError: `pixels` have another shape or range.
    """
    require_pixels(pixels)
    clean = pixels.detach()
    if config.severity == 0 or clean.numel() == 0:
        return clean.clone()
    severity = torch.tensor([config.severity])
    noisy = [
        draw_noise(sample, config.kind, severity, _generator(config.seed, place))
        for place, sample in enumerate(clean.cpu().float().split(1))
    ]
    return torch.cat(noisy).to(clean)


def draw_noise(pixels: Tensor, kind: str, severity: Tensor, generator: torch.Generator) -> Tensor:
    """Adds noise to a whole batch from one generator, as fast as the device allows.

    Args:
        pixels: Floats (N,3,H,W) in [0,1].
        kind: One of `NOISES`.
        severity: Floats (N,), by kind as in `NoiseConfig`.
        generator: On the device of the pixels; every draw depends on the whole batch's shape.

    Returns:
        Floats (N,3,H,W) in [0,1].
    """
    return _DRAWS[kind](pixels, severity.view(-1, 1, 1, 1), generator).clamp(0, 1)


def require_pixels(pixels: Tensor) -> None:
    """Refuses what is no batch of pixels.

    Raises:
        TypeError: `pixels` are not floats.
        ValueError: `pixels` are not (N,3,H,W), or not in [0,1].
    """
    if not pixels.is_floating_point():
        raise TypeError(f"pixels must be floats in [0,1], got {pixels.dtype}: divide by 255.")
    if pixels.ndim != 4 or pixels.shape[1] != 3:
        raise InputError(
            f"pixels must be (N,3,H,W), got {tuple(pixels.shape)}: add or move dimensions."
        )
    if pixels.numel() and not (pixels.min() >= 0 and pixels.max() <= 1):  # NaN fails as well
        low, high = pixels.min().item(), pixels.max().item()
        raise InputError(
            f"pixels must be in [0,1], got [{low:.3g},{high:.3g}]: undo any normalisation first."
        )


def _generator(seed: int, place: int) -> torch.Generator:
    """A stream of its own for each sample: seed + place would repeat a neighbour's."""
    state = np.random.SeedSequence((seed, place)).generate_state(1, np.uint64)
    return torch.Generator().manual_seed(int(state[0]))


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
