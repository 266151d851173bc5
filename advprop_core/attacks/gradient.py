"""FGSM, I-FGSM and PGD as one loop; a norm is three pure functions.

The attacks take any callable from (N, 3, H, W) pixels to (N, C) logits and know nothing of
branches. They never change the model they are given: gradients come from ``autograd.grad``,
randomness from their own generator.

Papers: FGSM, Goodfellow et al., arXiv 1412.6572; I-FGSM, Kurakin et al., arXiv 1607.02533;
PGD, Madry et al., arXiv 1706.06083.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from advprop_core.pictures.draws import Streams
from advprop_core.types import AttackConfig, Norm

Model = Callable[[Tensor], Tensor]
Gradient = Callable[[Model, Tensor, Tensor], Tensor]
StepHook = Callable[[int, Tensor], None]
Length = float | Tensor  # one for the whole batch, or (N, 1, 1, 1): one per image


@dataclass(frozen=True)
class Ball:
    """A norm as an attack sees it; every function maps (N, …) to (N, …), sample by sample.

    Attributes:
        start: (shape, epsilon, generator, device) to a random point of the ball; a shape of one
            image and several radii give the same draw at each of them.
        direction: A gradient to the steepest move of length 1.
        project: (perturbation, epsilon) to the nearest point of the ball.
    """

    start: Callable[[torch.Size, Length, torch.Generator, torch.device], Tensor]
    direction: Callable[[Tensor], Tensor]
    project: Callable[[Tensor, Length], Tensor]


@dataclass(frozen=True)
class Sizes:
    """How far each image of a batch goes, where they differ.

    Attributes:
        epsilon: (N, 1, 1, 1) radii.
        step_size: (N, 1, 1, 1) moves per step.
    """

    epsilon: Tensor
    step_size: Tensor


def _linf_start(
    shape: torch.Size, epsilon: Length, generator: torch.Generator, device: torch.device
) -> Tensor:
    return (torch.rand(shape, generator=generator, device=device) * 2 - 1) * epsilon


def _clip(x: Tensor, epsilon: Length) -> Tensor:
    if isinstance(epsilon, Tensor):  # not one call for both: they are two signatures of clamp
        return x.clamp(-epsilon, epsilon)
    return x.clamp(-epsilon, epsilon)


def _l2_start(
    shape: torch.Size, epsilon: Length, generator: torch.Generator, device: torch.device
) -> Tensor:
    # A Gaussian direction with radius u^(1/d) is uniform in the ball of dimension d.
    noise = torch.randn(shape, generator=generator, device=device)
    dimension = noise[0].numel()
    radius = torch.rand(shape[0], generator=generator, device=device) ** (1 / dimension)
    return _unit(noise) * (_per_sample(radius, noise) * epsilon)


def _unit(x: Tensor) -> Tensor:
    length = x.flatten(1).norm(dim=1).clamp_min(1e-12)
    return x / _per_sample(length, x)


def _shrink(x: Tensor, epsilon: Length) -> Tensor:
    length = x.flatten(1).norm(dim=1).clamp_min(1e-12)
    return x * (epsilon / _per_sample(length, x)).clamp_max(1.0)


def _per_sample(values: Tensor, like: Tensor) -> Tensor:
    return values.view(-1, *[1] * (like.ndim - 1))


BALLS: dict[Norm, Ball] = {
    "linf": Ball(_linf_start, torch.sign, _clip),
    "l2": Ball(_l2_start, _unit, _shrink),
}


def attack(
    model: Model,
    pixels: Tensor,
    labels: Tensor,
    config: AttackConfig,
    on_step: StepHook | None = None,
    *,
    draws: Streams | None = None,
) -> Tensor:
    """Move each image inside its ball so that the model's loss on its label rises.

    With ``config.target_class`` set, the loss of that class falls instead.

    Args:
        model: (N, 3, H, W) pixels to (N, C) logits. A module must be in eval mode, and its
            parameters should not require gradients (a frozen branch, or
            :func:`~advprop_core.models.dual_bn.attack_view` while training).
        pixels: (N, 3, H, W) float in [0, 1].
        labels: (N,) class indices whose loss an untargeted attack raises.
        config: Norm, radius, steps and the rest.
        on_step: Called with (step, perturbed pixels) for the start, step 0, and after each step.
        draws: A generator on the CPU for each image's random start, instead of one with the
            configuration's seed for the batch. They are moved on.

    Returns:
        (N, 3, H, W) perturbed pixels in [0, 1], within epsilon of the clean ones in the norm.

    Raises:
        TypeError: If pixels are not floating point.
        ValueError: For a module in training mode, pixels outside [0, 1], labels or a target
            class the model does not have.
    """
    require_inputs(model, pixels, labels)
    return _towards_its_goal(model, pixels, labels, config, None, on_step, draws)


def attack_until_turned(
    model: Model,
    pixels: Tensor,
    labels: Tensor,
    config: AttackConfig,
    restarts: int,
    draws: Streams,
) -> Tensor:
    """Attack each image from one random start after another until its answer is wrong.

    Args:
        model: As for :func:`attack`.
        pixels: (N, 3, H, W) float in [0, 1].
        labels: (N,) true classes.
        config: With a random start and without a target class.
        restarts: From how many starts at most, at least 1.
        draws: As for :func:`attack`.

    Returns:
        (N, 3, H, W): of each image the first point that turns it, else the last one.

    Raises:
        TypeError: If pixels are not floating point.
        ValueError: For what :func:`attack` refuses.
    """
    found, standing = pixels.detach().clone(), torch.arange(len(pixels))
    for _ in range(restarts):
        own = [draws[place] for place in standing.tolist()]
        rows = standing.to(pixels.device)
        found[rows] = attack(model, pixels[rows], labels[rows], config, draws=own)
        with torch.no_grad():
            held = model(found[rows]).argmax(1) == labels[rows]
        standing = standing[held.cpu()]
        if not len(standing):
            break
    return found


def attack_each(
    model: Model,
    pixels: Tensor,
    label: Tensor,
    configs: Sequence[AttackConfig],
    on_step: StepHook | None = None,
) -> Tensor:
    """One image under attacks that differ in radius and step size, as one batch of copies.

    Each copy goes the way :func:`attack` sends it alone: a random start is drawn once, and each
    radius scales it.

    Args:
        model: As for :func:`attack`.
        pixels: (1, 3, H, W) float in [0, 1].
        label: (1,) class index.
        configs: Equal but for ``epsilon`` and ``step_size``.
        on_step: As for :func:`attack`.

    Returns:
        (N, 3, H, W) perturbed pixels, one for each configuration.

    Raises:
        TypeError: If pixels are not floating point.
        ValueError: For more than one image, configurations that differ in more, or what
            :func:`attack` refuses.
    """
    require_inputs(model, pixels, label)
    kinds = {replace(config, epsilon=0.0, step_size=0.0) for config in configs}
    if len(pixels) != 1 or len(kinds) != 1:
        raise ValueError(
            "attack_each takes one image, and configs that differ in epsilon and step_size alone, "
            f"got {len(pixels)} images and {len(kinds)} kinds of attack"
        )
    epsilon, step_size = (
        _per_sample(torch.tensor(values, dtype=pixels.dtype, device=pixels.device), pixels)
        for values in zip(*((c.epsilon, c.step_size) for c in configs), strict=True)
    )
    copies = pixels.expand(len(configs), -1, -1, -1)
    sizes = Sizes(epsilon, step_size)
    return _towards_its_goal(model, copies, label.expand(len(configs)), configs[0], sizes, on_step)


def _towards_its_goal(
    model: Model,
    pixels: Tensor,
    labels: Tensor,
    config: AttackConfig,
    sizes: Sizes | None,
    on_step: StepHook | None,
    draws: Streams | None = None,
) -> Tensor:
    target = config.target_class
    return walk(
        model,
        pixels,
        labels if target is None else torch.full_like(labels, target),
        config,
        loss_gradient,
        descend=target is not None,
        sizes=sizes,
        on_step=on_step,
        draws=draws,
    )


def walk(
    model: Model,
    pixels: Tensor,
    labels: Tensor,
    config: AttackConfig,
    gradient: Gradient,
    *,
    descend: bool = False,
    sizes: Sizes | None = None,
    on_step: StepHook | None = None,
    draws: Streams | None = None,
) -> Tensor:
    """The loop of :func:`attack` without its checks, which would wait for the device.

    Args:
        model: As for :func:`attack`.
        pixels: (N, 3, H, W) float in [0, 1].
        labels: Whatever ``gradient`` takes: (N,) class indices or (N, C) probabilities.
        config: Norm, radius, steps, start and seed; its target class is not looked at.
        gradient: :func:`loss_gradient`, or :func:`unchecked_gradient` while training.
        descend: Lower the loss on the labels instead of raising it.
        sizes: For copies of one image: a radius and a step size for each instead of the
            configuration's, and one random start for all.
        on_step: As for :func:`attack`.
        draws: As for :func:`attack`; without sizes.
    """
    ball = BALLS[config.norm]
    clean = pixels.detach()
    epsilon = sizes.epsilon if sizes else config.epsilon
    adversarial = (
        random_start(clean, config, sizes, draws) if config.random_start else clean.clone()
    )
    step_size = sizes.step_size if sizes else config.step_size
    step_size = -step_size if descend else step_size
    if on_step:
        on_step(0, adversarial)
    for step in range(config.steps):
        direction = ball.direction(gradient(model, adversarial, labels))
        # In place on tensors of this step's own: fresh memory for each would cost 3 % of it.
        perturbation = _moved(adversarial, direction, step_size).sub_(clean)
        adversarial = ball.project(perturbation, epsilon).add_(clean).clamp_(0, 1)
        if on_step:
            on_step(step + 1, adversarial)
    return adversarial


def _moved(x: Tensor, direction: Tensor, step_size: Length) -> Tensor:
    if isinstance(step_size, Tensor):
        return torch.addcmul(x, direction, step_size)
    return x.add(direction, alpha=step_size)


def random_start(
    clean: Tensor,
    config: AttackConfig,
    sizes: Sizes | None = None,
    draws: Streams | None = None,
) -> Tensor:
    """(N, 3, H, W) images at random points of their balls, in [0, 1].

    With sizes, for copies of one image: the same draw for each, scaled to its radius. With draws,
    each image's own.
    """
    ball = BALLS[config.norm]
    shape, epsilon = (clean[:1].shape, sizes.epsilon) if sizes else (clean.shape, config.epsilon)
    if draws is None:
        generator = torch.Generator(clean.device).manual_seed(config.seed)
        start = ball.start(shape, epsilon, generator, clean.device).to(clean.dtype)
    else:
        start = own_starts(clean, config.norm, config.epsilon, draws)
    return (clean + ball.project(start, epsilon)).clamp(0, 1)


def own_starts(like: Tensor, norm: Norm, epsilon: float, draws: Streams) -> Tensor:
    """(N, 3, H, W) random perturbations in the ball, each from a generator of its own."""
    start, shape = BALLS[norm].start, like[:1].shape
    return torch.cat([start(shape, epsilon, draw, draw.device) for draw in draws]).to(like)


def loss_gradient(model: Model, pixels: Tensor, labels: Tensor) -> Tensor:
    """Gradient of each sample's cross-entropy with respect to its own pixels.

    Args:
        model: Pixels to (N, C) logits.
        pixels: (N, 3, H, W); not modified.
        labels: (N,) class indices.

    Returns:
        (N, 3, H, W), detached. Samples do not affect each other: the losses are summed.

    Raises:
        ValueError: If a label is not one of the model's classes.
    """
    return _gradient(model, pixels, labels, require_labels)


def unchecked_gradient(model: Model, pixels: Tensor, labels: Tensor) -> Tensor:
    """Like :func:`loss_gradient`, without its checks, and for (N, C) class probabilities too."""
    return _gradient(model, pixels, labels, None)


def _gradient(
    model: Model, pixels: Tensor, labels: Tensor, check: Callable[[Tensor, int], None] | None
) -> Tensor:
    with torch.enable_grad():
        point = pixels.detach().clone().requires_grad_()
        logits = model(point)
        if check:
            check(labels, logits.shape[1])
        loss = F.cross_entropy(logits.float(), labels, reduction="sum")
        (gradient,) = torch.autograd.grad(loss, point)
    return gradient


def require_inputs(model: Model, pixels: Tensor, labels: Tensor) -> None:
    """Refuse what no attack can take.

    Raises:
        TypeError: If pixels are not floating point.
        ValueError: For a module in training mode, pixels of another shape or outside [0, 1], or
            labels that are not one per image.
    """
    if isinstance(model, nn.Module) and any(part.training for part in model.modules()):
        raise ValueError(
            "model must be in eval mode, or the attack would move its running statistics: "
            "pass a frozen branch, or attack_view(branch) while training"
        )
    if not pixels.is_floating_point():
        raise TypeError(f"pixels must be floating point in [0, 1], got {pixels.dtype}")
    if pixels.ndim != 4:
        raise ValueError(f"pixels must have shape (N, 3, H, W), got {tuple(pixels.shape)}")
    if labels.shape != pixels.shape[:1]:
        raise ValueError(
            f"labels must have shape ({pixels.shape[0]},), one per image, got {tuple(labels.shape)}"
        )
    if pixels.numel() and not (pixels.min() >= 0 and pixels.max() <= 1):
        raise ValueError(
            f"pixels must lie in [0, 1], got [{pixels.min():.3g}, {pixels.max():.3g}]: "
            "pass them before mean/std normalisation"
        )


def require_labels(labels: Tensor, classes: int) -> None:
    """Refuse labels that the model does not have, with a ValueError that lists them."""
    if labels.numel() and not (labels.min() >= 0 and labels.max() < classes):
        raise ValueError(
            f"labels and target_class must lie in [0, {classes - 1}], the model has {classes} "
            f"classes, got {sorted(set(labels.tolist()))}"
        )
