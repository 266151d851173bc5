"""Square Attack: random search that asks the network for logits alone.

Andriushchenko et al., arXiv 1912.00049: algorithm 1, with algorithm 2 for L-infinity and
algorithm 3 for L2.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from advprop_core.attacks.autoattack.config import AutoAttackConfig
from advprop_core.attacks.autoattack.search import Adversarials, margin
from advprop_core.attacks.balls import BALLS, per_image
from advprop_core.attacks.inputs import Model
from advprop_core.pictures.draws import Streams, uniform
from advprop_core.types import Norm

_FIRST_SHARE = 0.8
_HALVINGS = (10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000)  # of 10 000 queries
_LOTS = 8  # numbers that a query needs: two places, three signs, one orientation


def square(
    model: Model,
    pixels: Tensor,
    labels: Tensor,
    config: AutoAttackConfig,
    draws: Streams,
) -> Adversarials:
    """Paint squares into each perturbation, and keep those that lower the label's lead.

    Arguments and result are those of :func:`~.apgd.apgd`, but the model's gradient is not asked
    for.
    """
    norm, epsilon, queries = config.norm, config.epsilon, config.queries
    adversarials = Adversarials.none_yet(pixels)
    rows = torch.arange(len(pixels), device=pixels.device)
    clean, brush = pixels, _BRUSHES[norm]
    # All at once: a draw for each query and image would take longer than the network.
    lots = uniform(draws, queries, _LOTS).to(pixels.device)
    best = trial = (clean + brush.start(clean, epsilon, draws)).clamp(0, 1)
    lowest = torch.full((len(pixels),), torch.inf, device=pixels.device)
    for query in range(queries):
        if query:
            side = _side(query, queries, clean, brush.is_odd)
            painted = brush.paint(best - clean, side, lots[:, query], epsilon)
            trial = (clean + painted).clamp(0, 1)
        with torch.no_grad():
            logits = model(trial).float()
        lead = margin(logits, labels)
        best = torch.where(per_image(lead < lowest), trial, best)
        lowest = torch.minimum(lead, lowest)
        wrong = logits.argmax(1) != labels
        if wrong.any():
            adversarials.add(rows[wrong], trial[wrong])
            rows, clean, labels, lots, best, lowest = (
                values[~wrong] for values in (rows, clean, labels, lots, best, lowest)
            )
            if not len(rows):
                break
    return adversarials


def _side(query: int, queries: int, pixels: Tensor, is_odd: bool) -> int:
    """Side of the square, which shrinks as the search goes on."""
    height, width = pixels.shape[2:]
    halvings = sum(query / queries * 10_000 > moment for moment in _HALVINGS)
    side = round(math.sqrt(_FIRST_SHARE / 2**halvings * height * width))
    if is_odd:
        side = max(side, 3) | 1
    return max(1, min(side, height - 1, width - 1))


def _stripes(pixels: Tensor, epsilon: float, draws: Streams) -> Tensor:
    """Columns that are as bright or as dark as the ball allows."""
    return epsilon * _signs(uniform(draws, 3, 1, pixels.shape[3]).to(pixels)).expand_as(pixels)


def _painted_linf(perturbation: Tensor, side: int, lots: Tensor, epsilon: float) -> Tensor:
    """One square of one colour, at the edge of the ball."""
    inside = _window(perturbation, side, lots[:, 0], lots[:, 1])
    return torch.where(inside, epsilon * _colours(lots), perturbation)


def _tiles(pixels: Tensor, epsilon: float, draws: Streams) -> Tensor:
    """Five by five patterns of random sign, in the middle of the image."""
    height, width = pixels.shape[2:]
    side = max(1, min(height, width) // 5)
    tiles = min(5, height, width)
    signs = _signs(uniform(draws, 3, tiles, tiles).to(pixels))
    grid = signs.repeat_interleave(side, 2).repeat_interleave(side, 3)
    grid = grid * _pattern(side).to(pixels).repeat(tiles, tiles)
    painted = torch.zeros_like(pixels)
    top, left = (height - side * tiles) // 2, (width - side * tiles) // 2
    painted[:, :, top : top + side * tiles, left : left + side * tiles] = grid
    return epsilon * BALLS["l2"].direction(painted)


def _painted_l2(perturbation: Tensor, side: int, lots: Tensor, epsilon: float) -> Tensor:
    """A pattern in one window, with the length that another window and clipping leave for it."""
    here = _window(perturbation, side, lots[:, 0], lots[:, 1])
    there = _window(perturbation, side, lots[:, 5], lots[:, 6])
    # Clipping to [0, 1] may have left some of the ball's square: each channel gets a third of it.
    unused = (epsilon**2 - perturbation.square().sum((1, 2, 3), keepdim=True)).clamp_min(0)
    both = (perturbation * (here | there)).square().sum((2, 3), keepdim=True)
    old = _normed(perturbation * here)
    new = _colours(lots) * _placed(perturbation, side, lots) + old
    painted = torch.where(there, 0, perturbation)
    painted = torch.where(here, _normed(new) * (both + unused / 3).sqrt(), painted)
    return BALLS["l2"].project(painted, epsilon)


def _colours(lots: Tensor) -> Tensor:
    """(N, 3, 1, 1) of +1 and -1."""
    return _signs(lots[:, 2:5])[:, :, None, None]


def _placed(like: Tensor, side: int, lots: Tensor) -> Tensor:
    """(N, 1, H, W): the pattern, upright or lying, in each image's own window; 0 around it."""
    pattern = _pattern(side).to(like)
    rows, columns = _offsets(like, side, lots[:, 0], lots[:, 1])
    rows, columns = rows.clamp(0, side - 1), columns.clamp(0, side - 1)
    upright = per_image(lots[:, 7] < 0)
    placed = torch.where(upright, pattern[rows, columns], pattern[columns, rows])
    return placed * _window(like, side, lots[:, 0], lots[:, 1])


def _window(like: Tensor, side: int, down: Tensor, along: Tensor) -> Tensor:
    """(N, 1, H, W) bool, a square for each image, its place given by two lots in [-1, 1)."""
    rows, columns = _offsets(like, side, down, along)
    return (rows >= 0) & (rows < side) & (columns >= 0) & (columns < side)


def _offsets(like: Tensor, side: int, down: Tensor, along: Tensor) -> tuple[Tensor, Tensor]:
    """(N, 1, H, 1) rows and (N, 1, 1, W) columns, counted from each image's own window."""
    height, width = like.shape[2:]
    top = ((down + 1) / 2 * (height - side + 1)).long()
    left = ((along + 1) / 2 * (width - side + 1)).long()
    rows = torch.arange(height, device=like.device).view(1, 1, -1, 1) - per_image(top)
    columns = torch.arange(width, device=like.device).view(1, 1, 1, -1) - per_image(left)
    return rows, columns


def _pattern(side: int) -> Tensor:
    """(S, S) of length 1: two hills of opposite sign side by side, equation 2 of the article."""
    half = side // 2
    hills = torch.cat([_hill(side, half), -_hill(side, side - half)], 1)
    length: Tensor = hills.norm()
    return hills / length


def _hill(height: int, width: int) -> Tensor:
    """(H, W): rectangles on one another, each higher than the one below."""
    middle = height // 2
    down = (torch.arange(height) - middle).abs().view(-1, 1)
    along = (torch.arange(width) - width // 2).abs().view(1, -1)
    levels = middle - torch.maximum(down, along)
    steps: Tensor = 1 / torch.arange(middle + 1, 0, -1).float().square()
    return steps.cumsum(0)[levels]


def _normed(x: Tensor) -> Tensor:
    """Each image and channel divided by its length."""
    return x / x.square().sum((2, 3), keepdim=True).sqrt().clamp_min(1e-12)


def _signs(lots: Tensor) -> Tensor:
    return torch.where(lots < 0, -1.0, 1.0)


@dataclass(frozen=True)
class _Brush:
    """How one norm's squares are painted."""

    start: Callable[[Tensor, float, Streams], Tensor]
    paint: Callable[[Tensor, int, Tensor, float], Tensor]
    is_odd: bool  # sides, so that each half of a pattern has a middle


_BRUSHES: dict[Norm, _Brush] = {
    "linf": _Brush(_stripes, _painted_linf, is_odd=False),
    "l2": _Brush(_tiles, _painted_l2, is_odd=True),
}
