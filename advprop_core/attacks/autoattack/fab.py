"""FAB: the nearest adversarial image, from one linearised boundary to the next.

Croce and Hein, arXiv 1907.02044, in its targeted form. The article's last search between the
nearest point and the clean one is left out: it moves a point that already counts.
"""

import torch
from torch import Tensor

from advprop_core.attacks.autoattack.config import AutoAttackConfig
from advprop_core.attacks.autoattack.search import Adversarials, of_class
from advprop_core.attacks.balls import BALLS, per_image
from advprop_core.attacks.gradient import with_gradient
from advprop_core.attacks.inputs import Model
from advprop_core.types import Norm

_BEYOND = 1.05  # how far across a boundary each move goes
_HOMEWARD = 0.1  # largest share of the way that leads from the clean image
_BACK = 0.9  # what is left of a perturbation that suffices, before the search goes on
_NEWTON = 30


def fab(
    model: Model,
    pixels: Tensor,
    labels: Tensor,
    targets: Tensor,
    config: AutoAttackConfig,
) -> tuple[Tensor, Tensor]:
    """Move each image to where its target takes over, and from there towards the clean image.

    Arguments are those of :func:`~.apgd.apgd`. The boundary towards the target is followed, but
    any wrong answer counts; an image whose perturbation is no longer than the config's epsilon is
    left as it is.

    Returns:
        (N, 3, H, W) nearest adversarial images, the clean one where none was found; and (N,)
        lengths of their perturbations, infinite where none was found.
    """
    norm = config.norm
    best = Adversarials.none_yet(pixels)
    lengths = torch.full((len(pixels),), torch.inf, device=pixels.device)
    point = pixels
    for _ in range(config.steps):
        rows = (lengths > config.epsilon).nonzero()[:, 0]
        if not len(rows):
            break
        clean, label = pixels[rows], labels[rows]
        moved = _across(model, point[rows], clean, label, targets[rows], norm)
        with torch.no_grad():
            wrong = model(moved).argmax(1) != label
        length = BALLS[norm].length(moved - clean)
        nearer = wrong & (length < lengths[rows])
        best.add(rows[nearer], moved[nearer])
        lengths[rows[nearer]] = length[nearer]
        moved = torch.where(per_image(wrong), clean + _BACK * (moved - clean), moved)
        point = point.index_copy(0, rows, moved)
    return best.points, lengths


def _across(
    model: Model, point: Tensor, clean: Tensor, labels: Tensor, targets: Tensor, norm: Norm
) -> Tensor:
    """A little beyond the linearised boundary, seen from the point and from the clean image."""
    _, lead, slope = with_gradient(
        model, point, lambda z: of_class(z, labels) - of_class(z, targets)
    )
    clean_lead = lead + (slope * (clean - point)).flatten(1).sum(1)
    here = lowering(point, slope, lead, norm)
    home = lowering(clean, slope, clean_lead, norm)
    # The farther the point's own boundary is, the more the next one starts from the clean image.
    near, far = map(BALLS[norm].length, (here, home))
    way = near + far
    share = per_image((near / torch.where(way > 0, way, 1)).clamp_max(_HOMEWARD))
    from_point, from_clean = point + _BEYOND * here, clean + _BEYOND * home
    return (from_point * (1 - share) + from_clean * share).clamp(0, 1)


def lowering(pixels: Tensor, slope: Tensor, drop: Tensor, norm: Norm) -> Tensor:
    """The shortest perturbation that lowers a linear function within [0, 1].

    Args:
        pixels: (N, 3, H, W) in [0, 1].
        slope: (N, 3, H, W), the function's gradient.
        drop: (N,) by how much it shall fall; a negative drop is a rise.
        norm: Whose length is to be short.

    Returns:
        (N, 3, H, W). Where no perturbation within [0, 1] suffices, the one that does most.
    """
    # In units of the steepest pixel, so that a rescaling of logits changes nothing.
    steepest = slope.flatten(1).abs().amax(1)
    unit = torch.where(steepest > 0, steepest, 1)
    slope, drop = slope / per_image(unit), drop / unit
    slope = slope * per_image(torch.where(drop < 0, -1.0, 1.0))
    weight = slope.abs()
    room = torch.where(slope > 0, pixels, 1 - pixels)
    pace = BALLS[norm].direction(weight)
    # Each pixel goes at its pace until its room is used up, so what is gained is a concave,
    # piecewise linear function of the time; Newton's method, from 0, climbs it without overshoot.
    time = torch.zeros_like(drop)
    for _ in range(_NEWTON):
        reach = per_image(time) * pace
        gained = (weight * torch.minimum(reach, room)).flatten(1).sum(1)
        rate = (weight * pace * (reach < room)).flatten(1).sum(1)
        missing = (drop.abs() - gained).clamp_min(0)
        if not (missing > 1e-6 * drop.abs()).any():
            break
        time = time + missing / rate.clamp_min(1e-12)
    return -slope.sign() * torch.minimum(per_image(time) * pace, room)
