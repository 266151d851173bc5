"""FGSM, I-FGSM and PGD as one loop; a norm is three pure functions.

The attacks take any callable from (N, 3, H, W) pixels to (N, C) logits and know nothing of
branches. They never change the model they are given: gradients come from ``autograd.grad``,
randomness from their own generator.

Papers: FGSM, Goodfellow et al., arXiv 1412.6572; I-FGSM, Kurakin et al., arXiv 1607.02533;
PGD, Madry et al., arXiv 1706.06083.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from advprop_core.attacks.balls import BALLS, Length, per_image
from advprop_core.attacks.inputs import Model, own_inputs, require_labels
from advprop_core.attacks.losses import lifted_log_odds
from advprop_core.pictures.draws import Streams
from advprop_core.types import AttackConfig, Norm

Gradient = Callable[[Model, Tensor, Tensor], Tensor]
StepHook = Callable[[int, Tensor], None]


class Sizes(NamedTuple):
    """How far each image of a batch goes, where they differ; (N, 1, 1, 1) each."""

    epsilon: Tensor
    step_size: Tensor


@torch.inference_mode(False)
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
        (N, 3, H, W) perturbed pixels in [0, 1], within epsilon of the clean ones in the norm, of
        the clean ones' type.

    Raises:
        TypeError, ValueError: For what :func:`~advprop_core.attacks.inputs.own_inputs` refuses.
        InputError: For labels or a target class that the model does not have.
    """
    inputs, targets = own_inputs(model, pixels, labels)
    adversarial = walk(model, inputs, targets, config, loss_gradient, on_step=on_step, draws=draws)
    return adversarial.to(pixels.dtype)


@torch.inference_mode(False)
def attack_until_turned(
    model: Model,
    pixels: Tensor,
    labels: Tensor,
    config: AttackConfig,
    restarts: int,
    draws: Streams,
) -> Tensor:
    """Attack each image from one random start after another until its answer is wrong.

    Arguments are those of :func:`attack`, for a config with a random start and without a target
    class, and ``restarts``: from how many starts at most, at least 1.

    Returns:
        (N, 3, H, W): of each image the first point that turns it, else the last one.
    """
    inputs, targets = own_inputs(model, pixels, labels)
    adversarial, robust = inputs.clone(), torch.arange(len(inputs))
    for _ in range(restarts):
        rows = robust.to(inputs.device)
        starts = [draws[index] for index in robust.tolist()]
        adversarial[rows] = attack(model, inputs[rows], targets[rows], config, draws=starts)
        with torch.no_grad():
            still_right = model(adversarial[rows]).argmax(1) == targets[rows]
        robust = robust[still_right.cpu()]
        if not len(robust):
            break
    return adversarial.to(pixels.dtype)


@torch.inference_mode(False)
def attack_each(
    model: Model,
    pixels: Tensor,
    label: Tensor,
    configs: Sequence[AttackConfig],
    on_step: StepHook | None = None,
) -> Tensor:
    """One image under attacks that differ in radius and step size, as one batch of copies.

    Each copy goes the way :func:`attack` sends it alone: a random start is drawn once, and each
    radius scales it. Arguments and what is refused are those of :func:`attack`, but for pixels
    (1, 3, H, W), their (1,) label, and configs that differ in ``epsilon`` and ``step_size`` alone.

    Returns:
        (N, 3, H, W) perturbed pixels, one for each configuration.
    """
    pixels, label = own_inputs(model, pixels, label)
    epsilon, step_size = (
        per_image(torch.tensor(values, dtype=pixels.dtype, device=pixels.device))
        for values in zip(*((c.epsilon, c.step_size) for c in configs), strict=True)
    )
    copies = pixels.expand(len(configs), -1, -1, -1)
    labels, sizes = label.expand(len(configs)), Sizes(epsilon, step_size)
    return walk(model, copies, labels, configs[0], loss_gradient, sizes=sizes, on_step=on_step)


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
    start: Tensor | None = None,
) -> Tensor:
    """The loop of :func:`attack` without its checks, which would wait for the device.

    Arguments are those of :func:`attack`, but for ``labels``, which are whatever ``gradient``
    takes, (N,) class indices or (N, C) probabilities, and are not looked at with a target class;
    ``gradient``: :func:`loss_gradient`, or :func:`unchecked_gradient` while training; ``descend``:
    lower the loss on the labels instead of raising it; and ``sizes``, for copies of one image: a
    radius and a step size for each, and one random start for all; and ``start``, pixels in the
    balls to begin at instead. Sizes and draws exclude each other.
    """
    if config.target_class is not None:
        labels, descend = torch.full_like(labels, config.target_class), True
    ball = BALLS[config.norm]
    clean = pixels.detach()
    epsilon, step_size = sizes or (config.epsilon, config.step_size)
    step_size = -step_size if descend else step_size
    if start is not None:
        adversarial = start.detach().clone()
    elif config.random_start:
        adversarial = random_start(clean, config, sizes, draws)
    else:
        adversarial = clean.clone()
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
    """(N, 3, H, W) gradient of each sample's log odds against its (N,) label, detached.

    It points where the cross-entropy's gradient points, and does not vanish where the softmax
    saturates; see :func:`lifted_log_odds`. Samples do not affect each other.

    Raises:
        InputError: If a label is not one of the model's classes.
    """

    def loss(logits: Tensor) -> Tensor:
        require_labels(labels, logits.shape[1])
        return lifted_log_odds(logits, labels)

    return with_gradient(model, pixels, loss)[2]


def unchecked_gradient(model: Model, pixels: Tensor, labels: Tensor) -> Tensor:
    """The cross-entropy's gradient, unchecked, and for (N, C) class probabilities too."""
    return with_gradient(model, pixels, lambda z: F.cross_entropy(z, labels, reduction="none"))[2]


def with_gradient(
    model: Model, pixels: Tensor, score: Callable[[Tensor], Tensor]
) -> tuple[Tensor, Tensor, Tensor]:
    """Logits (N, C), scores (N,), and the gradient of each score for its own pixels."""
    with torch.enable_grad():
        point = pixels.detach().clone().requires_grad_()
        logits = model(point).float()
        scores = score(logits)
        (gradient,) = torch.autograd.grad(scores.sum(), point)
    return logits.detach(), scores.detach(), gradient
