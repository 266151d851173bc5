"""What a branch is shown besides clean images: adversarial, noisy or augmented ones."""

from collections.abc import Callable
from dataclasses import replace

import torch
from timm.data.auto_augment import rand_augment_transform
from timm.utils import random_seed
from torch import Tensor, nn

from advprop_core.attacks.gradient import unchecked_gradient, walk
from advprop_core.errors import InputError
from advprop_core.pictures.corruptions import ALL_CORRUPTIONS, CorruptionConfig
from advprop_core.pictures.corruptions.apply import corrupt
from advprop_core.pictures.decoding import to_bytes, to_image
from advprop_core.pictures.noise import NOISES, draw_noise
from advprop_core.text import did_you_mean
from advprop_core.training.augment import jitter_colors
from advprop_core.training.batch import Batch, View, mixed_seed
from advprop_core.training.recipe import Attacker, Recipe
from advprop_core.types import AttackConfig

Input = Callable[[Batch], Tensor]
_AUGMENTATIONS = ("color-jitter", "randaugment")
_TARGETS, _COLORS, _NOISE, _POLICY = range(1, 5)  # what a generator is for


def make_input(
    kind: str, strength: float, attacker: Attacker, make_view: Callable[[], View], classes: int
) -> Input:
    """From a batch to the (N, 3, H, W) pixels that an auxiliary branch is shown.

    Args:
        kind: ``attack``, a noise, a corruption, ``color-jitter`` or ``randaugment``.
        strength: Epsilon; a noise's severity in [0, 1]; a corruption's, 1 to 5; the jitter's
            in [0, 1]; RandAugment's magnitude, 0 to 10.
        attacker: How ``attack`` moves.
        make_view: Makes the view of the branch that is attacked; called for an attack only.
        classes: How many there are.

    Raises:
        InputError: For an unknown kind (near matches are listed) or a strength out of range, or
            that is no whole number where one is needed.
    """
    if kind == "attack":
        return attack_input(make_view(), attacker, classes, strength)
    change = _change(kind, strength)

    def changed(batch: Batch) -> Tensor:
        # Autocast is for networks: a blur in bfloat16 would be another picture.
        with torch.autocast(batch.pixels.device.type, enabled=False):
            return change(batch)

    return changed


def _change(kind: str, strength: float) -> Input:
    if (kind in NOISES or kind == "color-jitter") and not 0 <= strength <= 1:
        raise InputError(f"{kind} needs a strength in [0, 1], got {strength:g}")
    if kind in NOISES:
        return lambda batch: draw_noise(
            batch.pixels,
            kind,
            torch.full((len(batch.pixels),), strength, device=batch.pixels.device),
            _generator(batch, _NOISE),
        )
    if kind in ALL_CORRUPTIONS:
        if strength != int(strength):
            raise InputError(f"{kind} has whole severities, got {strength:g}")
        config = CorruptionConfig(kind, int(strength))
        return lambda batch: corrupt(batch.pixels, replace(config, seed=batch.seed))
    if kind == "color-jitter":
        return lambda batch: jitter_colors(batch.pixels, strength, _generator(batch, _COLORS))
    if kind == "randaugment":
        return _randaugment(strength)
    kinds = (*NOISES, *ALL_CORRUPTIONS, *_AUGMENTATIONS)
    raise InputError(f"An auxiliary branch cannot be shown {kind!r}. {did_you_mean(kind, kinds)}")


def require_known_inputs(recipe: Recipe) -> None:
    """Refuse what :func:`make_input` would, before there is anything to train."""
    for kind, strength in recipe.auxiliary_inputs:
        make_input(kind, strength, recipe.attack, lambda: nn.Identity, 2)


def attack_input(
    view: View, attacker: Attacker, classes: int, epsilon: float | None = None
) -> Input:
    """From a batch to adversarial images, made through the view.

    The labels are the batch's, or with the goal ``random`` classes drawn anew, whose loss falls.
    The radius is the attacker's own unless another is given.
    """
    config, descend = attacker.config(epsilon), attacker.goal == "random"

    def perturb(batch: Batch) -> Tensor:
        labels = batch.targets
        if descend:
            labels = wrong_classes(labels, classes, _generator(batch, _TARGETS))
        attack = at_strength(config, batch)
        return walk(view(), batch.pixels, labels, attack, unchecked_gradient, descend=descend)

    return perturb


def at_strength(config: AttackConfig, batch: Batch) -> AttackConfig:
    """The attack with this step's seed and share of its epsilon and step size."""
    return replace(
        config,
        epsilon=config.epsilon * batch.strength,
        step_size=config.step_size * batch.strength,
        seed=batch.seed,
    )


def wrong_classes(targets: Tensor, classes: int, generator: torch.Generator) -> Tensor:
    """(N,) classes, uniform over those that are not the image's.

    Targets are (N,) class indices, or (N, C) probabilities of mixed images, of which no class with
    more than the smallest probability is drawn. The generator is on their device.
    """
    allowed = torch.ones(len(targets), classes, device=targets.device)
    if targets.ndim == 1:
        allowed.scatter_(1, targets[:, None], 0.0)
    else:
        allowed = (targets <= targets.amin(1, keepdim=True)).float()
    # The largest of equal draws, for torch's multinomial waits for the device.
    draws = torch.rand(allowed.shape, generator=generator, device=targets.device)
    return (allowed * (1 + draws)).argmax(1)


def _randaugment(magnitude: float) -> Input:
    if magnitude not in range(11):
        raise InputError(f"randaugment needs a whole magnitude from 0 to 10, got {magnitude:g}")
    change = rand_augment_transform(f"rand-m{magnitude:g}", {"img_mean": (128, 128, 128)})

    def augment(batch: Batch) -> Tensor:
        random_seed(mixed_seed(batch.seed, _POLICY))  # which timm draws from
        images = [to_bytes(change(to_image(image))) for image in batch.pixels.cpu()]
        return (torch.stack(images).float() / 255).to(batch.pixels)

    return augment


def _generator(batch: Batch, purpose: int) -> torch.Generator:
    """Apart from the attack's start, which is drawn from the batch's own seed."""
    return torch.Generator(batch.pixels.device).manual_seed(mixed_seed(batch.seed, purpose))
