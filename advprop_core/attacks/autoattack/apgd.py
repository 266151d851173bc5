"""Auto-PGD: projected gradient ascent that halves its own steps.

Croce and Hein, arXiv 2003.01690, section 4.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

import torch
from torch import Tensor

from advprop_core.attacks.autoattack.config import AutoAttackConfig
from advprop_core.attacks.autoattack.search import Adversarials, Score
from advprop_core.attacks.balls import BALLS, per_image
from advprop_core.attacks.gradient import own_starts, with_gradient
from advprop_core.attacks.inputs import Model
from advprop_core.pictures.draws import Streams
from advprop_core.types import Norm

_NEW = 0.75  # share of the new move; the rest goes on where the last one went
_RISES = 0.75  # share of moves that must raise the score


def apgd(
    model: Model,
    pixels: Tensor,
    labels: Tensor,
    targets: Tensor,
    config: AutoAttackConfig,
    draws: Streams,
    *,
    score: Score,
) -> Adversarials:
    """Raise the score of each image within its ball until its label is no longer the answer.

    Args:
        model: (N, 3, H, W) pixels to (N, C) logits.
        pixels: (N, 3, H, W) in [0, 1], answered by their labels.
        labels: (N,) true classes.
        targets: (N,) wrong classes, for a score that has a use for them.
        config: Gives the ball and the number of steps; an image that has turned moves no further.
        draws: A generator for each image, for its random start.
        score: What is raised.

    Returns:
        Adversarial images in the ball and in [0, 1], where some were found.
    """
    adversarials = Adversarials.none_yet(pixels)
    norm, epsilon = config.norm, config.epsilon
    at = _begin(pixels, labels, targets, norm, epsilon, draws)
    checks = _checkpoints(config.steps)
    for step in range(config.steps + 1):
        if step:
            _move(at, norm, epsilon, share=_NEW if step > 1 else 1.0)
        wrong = _ask(model, at, score)
        if wrong.any():
            adversarials.add(at.rows[wrong], at.point[wrong])
            at = at.of(~wrong)
            if not len(at.rows):
                break
        if step in checks:
            _halve(at, moves=checks[step])
    return adversarials


@dataclass(eq=False)
class _At:
    """Where the images are that have not turned: a row for each of them in each field."""

    rows: Tensor  # places in the batch
    clean: Tensor
    labels: Tensor
    targets: Tensor
    point: Tensor
    before: Tensor  # the point of the step before
    slope: Tensor  # gradient at the point
    score: Tensor
    best: Tensor
    best_slope: Tensor
    best_score: Tensor
    size: Tensor  # of a step
    rises: Tensor  # moves since the last check that raised the score
    checked_size: Tensor  # the size, and below the best score, that the last check left
    checked_score: Tensor

    def of(self, rows: Tensor) -> _At:
        return _At(*(getattr(self, field.name)[rows] for field in fields(self)))


def _begin(
    pixels: Tensor, labels: Tensor, targets: Tensor, norm: Norm, epsilon: float, draws: Streams
) -> _At:
    point = _inside(pixels + own_starts(pixels, norm, epsilon, draws), pixels, norm, epsilon)
    rows = torch.arange(len(pixels), device=pixels.device)
    none = torch.zeros(len(pixels), device=pixels.device)
    size, low = torch.full_like(none, 2 * epsilon), torch.full_like(none, -torch.inf)
    blank = torch.zeros_like(point)
    return _At(rows, pixels, labels, targets, point, point, blank, low, point, blank, low, size,
               none, size, low)  # fmt: skip


def _move(at: _At, norm: Norm, epsilon: float, share: float) -> None:
    """One step up, which goes on a little where the last one went."""
    ahead = at.point + per_image(at.size) * BALLS[norm].direction(at.slope)
    move = _inside(ahead, at.clean, norm, epsilon) - at.point
    glide = at.point - at.before
    at.before = at.point
    onward = at.point + share * move + (1 - share) * glide
    at.point = _inside(onward, at.clean, norm, epsilon)


def _ask(model: Model, at: _At, score: Score) -> Tensor:
    """Score and slope at the new points, and (N,) whether their answers are wrong."""
    logits, new, at.slope = with_gradient(
        model, at.point, lambda z: score(z, at.labels, at.targets)
    )
    at.rises = at.rises + (new > at.score)
    at.score = new
    better = new > at.best_score
    at.best = torch.where(per_image(better), at.point, at.best)
    at.best_slope = torch.where(per_image(better), at.slope, at.best_slope)
    at.best_score = torch.where(better, new, at.best_score)
    return logits.argmax(1) != at.labels


def _halve(at: _At, moves: int) -> None:
    """Halve the steps of images that no longer rise, and send them back to their best point."""
    seldom = at.rises < _RISES * moves
    stuck = (at.checked_size == at.size) & (at.checked_score == at.best_score)
    halved = seldom | stuck
    at.checked_size, at.checked_score = at.size, at.best_score
    at.size = torch.where(halved, at.size / 2, at.size)
    at.point = torch.where(per_image(halved), at.best, at.point)
    at.slope = torch.where(per_image(halved), at.best_slope, at.slope)
    at.score = torch.where(halved, at.best_score, at.score)
    at.rises = torch.zeros_like(at.rises)


def _inside(points: Tensor, clean: Tensor, norm: Norm, epsilon: float) -> Tensor:
    return (clean + BALLS[norm].project(points - clean, epsilon)).clamp(0, 1)


def _checkpoints(steps: int) -> dict[int, int]:
    """Steps after which sizes are looked at, and how many moves that is since the last look."""
    shares = [0, 22]  # in hundredths, for 0.22 + 0.19 + 0.16 would be a rounding above 0.57
    checks: dict[int, int] = {}
    while True:
        last, this = (math.ceil(share * steps / 100) for share in shares[-2:])
        if this > steps:
            return checks
        if this > last:  # of few steps, several shares may end at one
            checks[this] = this - last
        # Each stretch is 3 hundredths shorter than the one before, and at least 6 long.
        shares.append(shares[-1] + max(shares[-1] - shares[-2] - 3, 6))
