"""Elastic transform: a random affine map, then small smooth displacements."""

from typing import Final

import torch
from torch import Tensor
from torch.nn import functional as F

from advprop_core.pictures.draws import Seed, streams, uniform
from advprop_core.pictures.filters import smooth

ELASTIC: Final = (
    (2, 0.7, 0.1),
    (2, 0.08, 0.2),
    (0.05, 0.01, 0.02),
    (0.07, 0.01, 0.02),
    (0.12, 0.01, 0.02),
)
"""What smoothed draws from [-1,1) are multiplied by, the standard deviation of the smoothing, and
how far each of three points moves at most per direction: shares of 244 pixels."""


def elastic_transform(pixels: Tensor, severity: int, seed: Seed) -> Tensor:
    """Stretches the photo as a whole (severities 1 and 2 most) and then locally (3-5 most)."""
    # the authors' 244, for pictures of 224
    strength, sigma, shift = (244 * share for share in ELASTIC[severity - 1])
    height, width = pixels.shape[2:]
    draws = streams(seed, len(pixels))
    moves = shift * uniform(draws, 3, 2)
    rough = uniform(draws, 2, height, width).to(pixels.device)
    moved = _read(pixels, affine_places(moves, height, width).to(pixels), last_twice=False)
    local = strength * smooth(rough, sigma, truncate=3, edge="reflect")
    return _read(moved, _own_places(height, width).to(pixels) + local, last_twice=True)


def affine_places(moves: Tensor, height: int, width: int) -> Tensor:
    """(N,2,H,W) float64 places that pixels read when three points of the picture are moved.

    `moves` (N,3,2) says by how many pixels, right and down: the points lie to the lower right, the
    upper right and the upper left of the centre, at a third of the shorter side.
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
    grid = unit.movedim(1, -1)
    return F.grid_sample(pixels, grid, padding_mode="reflection", align_corners=not last_twice)
