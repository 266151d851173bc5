"""Elastic transform: a random affine map, then small smooth displacements."""

from typing import Final, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from advprop_core.pictures.draws import Seed, streams, uniform
from advprop_core.pictures.filters import smooth


class Stretch(NamedTuple):
    """How far the picture is pulled about.

    Attributes:
        strength: What smoothed draws from [-1,1) are multiplied by, pixels.
        sigma: Standard deviation of the smoothing, pixels.
        shift: How far each of three points moves at most per direction, pixels.
    """

    strength: float
    sigma: float
    shift: float


ELASTIC: Final = tuple(
    Stretch(244 * strength, 244 * sigma, 244 * shift)  # the authors' 244, for pictures of 224
    for strength, sigma, shift in (
        (2, 0.7, 0.1),
        (2, 0.08, 0.2),
        (0.05, 0.01, 0.02),
        (0.07, 0.01, 0.02),
        (0.12, 0.01, 0.02),
    )
)


def elastic_transform(pixels: Tensor, severity: int, seed: Seed) -> Tensor:
    """Stretches the photo as a whole (severities 1 and 2 most) and then locally (3-5 most).

    Args:
        pixels: Float32 (N,3,H,W) in [0,1].
        severity: 1-5.
        seed: What the draws depend on.

    Returns:
        (N,3,H,W), read linearly between pixels; the photo is mirrored beyond its rim.
    """
    stretch = ELASTIC[severity - 1]
    height, width = pixels.shape[2:]
    draws = streams(seed, len(pixels))
    moves = stretch.shift * uniform(draws, 3, 2)
    rough = uniform(draws, 2, height, width).to(pixels.device)
    moved = _read(pixels, affine_places(moves, height, width).to(pixels), last_twice=False)
    local = stretch.strength * smooth(rough, stretch.sigma, truncate=3, edge="reflect")
    return _read(moved, _own_places(height, width).to(pixels) + local, last_twice=True)


def affine_places(moves: Tensor, height: int, width: int) -> Tensor:
    """Finds what each pixel reads when three points of the picture are moved.

    Args:
        moves: (N,3,2) by how much, right and down, pixels: of the points to the lower right, the
            upper right and the upper left of the centre, at a third of the shorter side.
        height: Pixels.
        width: Pixels.

    Returns:
        (N,2,H,W) float64 places, from the left and from the top, pixels.
    """
    arm = min(height, width) // 3
    signs = torch.tensor([[1, 1], [1, -1], [-1, -1]], dtype=torch.float64)
    before = torch.tensor([width // 2, height // 2]) + arm * signs
    after = F.pad(before + moves.double(), (0, 1), value=1)
    back = torch.linalg.solve(after, before.expand(len(moves), -1, -1))  # (N,3,2)
    own = _own_places(height, width)
    linear = torch.einsum("nij,ihw->njhw", back[:, :2], own)
    places: Tensor = linear + back[:, 2, :, None, None]
    return places


def _own_places(height: int, width: int) -> Tensor:
    """(2,H,W) float64: each pixel's own place from the left and from the top."""
    across, down = torch.arange(width).double(), torch.arange(height).double()
    return torch.stack(torch.meshgrid(across, down, indexing="xy"))


def _read(pixels: Tensor, places: Tensor, last_twice: bool) -> Tensor:
    """Reads pixels at places (N,2,H,W); beyond the rim mirrored, the last pixel once or twice."""
    height, width = pixels.shape[2:]
    size = torch.tensor([width, height], device=pixels.device)[:, None, None]
    unit = (2 * places + 1) / size - 1 if last_twice else 2 * places / (size - 1) - 1
    return F.grid_sample(
        pixels,
        unit.movedim(1, -1),
        padding_mode="reflection",
        align_corners=not last_twice,
    )
