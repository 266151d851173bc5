"""Everything that decides a training run, in one frozen value."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

from advprop_core.types import AttackConfig

ObjectiveName = Literal["vanilla", "adversarial", "advprop"]
OBJECTIVES: tuple[ObjectiveName, ...] = get_args(ObjectiveName)


@dataclass(frozen=True)
class Recipe:
    """A training run; the same recipe on the same data and machine gives the same weights.

    Attributes:
        architecture: timm's name of the network.
        objective: What is minimised; see :mod:`advprop_core.training.objectives`.
        attack: How the adversarial images are made; unused by ``vanilla``.
        size: Side of the square training images in pixels.
        epochs: Passes over the training images.
        batch_size: Source photos a step draws.
        learning_rate: Peak of the cosine schedule, for SGD with Nesterov momentum 0.9.
        weight_decay: Applied to weights of convolutions and linear layers only.
        warmup_epochs: Epochs over which the learning rate rises linearly.
        label_smoothing: Of the training loss; the attack uses hard labels.
        crop_scale: Smallest share of the image's area that a random crop keeps, in (0, 1].
        seed: Of initial weights, order, augmentation and attacks.
    """

    architecture: str = "regnetx_002"
    objective: ObjectiveName = "advprop"
    attack: AttackConfig = field(
        default_factory=lambda: AttackConfig.pgd(2 / 255, steps=1, step_size=2 / 255)
    )
    size: int = 96
    epochs: int = 20
    batch_size: int = 64
    learning_rate: float = 0.1
    weight_decay: float = 5e-4
    warmup_epochs: float = 1.0
    label_smoothing: float = 0.0
    crop_scale: float = 0.35
    seed: int = 0

    def __post_init__(self) -> None:
        if self.objective not in OBJECTIVES:
            raise ValueError(
                f"objective must be one of {', '.join(OBJECTIVES)}, got {self.objective!r}"
            )
        for name, low in (("size", 32), ("epochs", 1), ("batch_size", 2), ("seed", 0)):
            if (value := getattr(self, name)) < low:
                raise ValueError(f"{name} must be at least {low}, got {value}")
        if not 0 < self.crop_scale <= 1:
            raise ValueError(f"crop_scale must lie in (0, 1], got {self.crop_scale}")

    @property
    def auxiliaries(self) -> int:
        """Number of auxiliary branches the objective trains."""
        return 1 if self.objective == "advprop" else 0
