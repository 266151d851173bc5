"""Everything that decides a training run, in one frozen value."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import Any, Literal, get_args

from advprop_core.text import parse_radius
from advprop_core.types import LARGEST_COUNT, AttackConfig

ObjectiveName = Literal[
    "vanilla", "adversarial", "mixed", "advprop", "fast-advprop", "adv-reg", "trades"
]
AttackerName = Literal["pgd", "i-fgsm", "gd", "fgsm"]
Goal = Literal["untargeted", "random"]
Precision = Literal["auto", "float32", "bfloat16"]
Schedule = Literal["cosine", "step", "constant"]

OBJECTIVES: tuple[ObjectiveName, ...] = get_args(ObjectiveName)
ATTACKERS: tuple[AttackerName, ...] = get_args(AttackerName)
_LOWEST = {
    "size": 32,
    "epochs": 1,
    "seed": 0,
    "unfreeze_patience": 0,
    "momentum": 0,
    "weight_decay": 0,
    "warmup_epochs": 0,
    "decay_epochs": 0,
    "decay_rate": 0,
    "weight": 0,
    "optimizer_eps": 0,
}
_WEIGHTS: dict[ObjectiveName, float] = {"adv-reg": 0.2, "trades": 6.0}  # of their authors' code
USED_BY: Mapping[str, tuple[ObjectiveName, ...]] = MappingProxyType(
    {"adversarial_weight": tuple(_WEIGHTS), "adversarial_share": ("fast-advprop",)}
)
"""Values that some objectives alone have a use for."""


@dataclass(frozen=True)
class Attacker:
    """How the adversarial images of a run are made.

    Attributes:
        name: ``pgd`` (random start), ``i-fgsm`` (without it), ``gd`` (without projection either,
            so that ``steps * step_size`` is the radius) or ``fgsm`` (one step of size epsilon).
        norm: The ball's norm, ``linf`` or ``l2``.
        epsilon: Its radius in pixel units on [0, 1].
        steps: Number of gradient steps.
        step_size: Move per step; None is ``2.5 * epsilon / steps``, at most epsilon.
        goal: ``untargeted`` raises the loss of the label; ``random`` lowers that of another
            class, drawn anew for each image and never the label.
        warmup_epochs: Epochs over which epsilon and step size grow linearly from 0.
    """

    name: AttackerName = "pgd"
    norm: Literal["linf", "l2"] = "linf"
    epsilon: float = 2 / 255
    steps: int = 1
    step_size: float | None = None
    goal: Goal = "untargeted"
    warmup_epochs: float = 0.0

    def __post_init__(self) -> None:
        _require_one_of("attack name", self.name, ATTACKERS)
        _require_one_of("attack goal", self.goal, get_args(Goal))
        _require_at_least("attack warmup_epochs", self.warmup_epochs, 0)
        if self.name == "fgsm" and (self.steps != 1 or self.step_size is not None):
            raise ValueError(
                "fgsm is one step of size epsilon: leave out steps and step_size, or use i-fgsm"
            )
        if self.name == "gd" and self.step_size is None:
            raise ValueError("gd has no radius, so it needs a step_size")
        self.config()

    def config(self, epsilon: float | None = None) -> AttackConfig:
        """The attack at full strength, or with another radius and the step scaled to it."""
        step = min(self.epsilon, 2.5 * self.epsilon / max(self.steps, 1))
        if self.step_size is not None:
            step = self.step_size
        if self.name == "fgsm":
            step = self.epsilon
        radius = step * self.steps if self.name == "gd" else self.epsilon
        if epsilon not in (None, radius) and not radius:
            raise ValueError("an attack of epsilon 0 cannot be scaled to another radius")
        scale = 1.0 if epsilon in (None, radius) else epsilon / radius
        return AttackConfig(
            self.norm, radius * scale, step * scale, self.steps, random_start=self.name == "pgd"
        )


@dataclass(frozen=True)
class Augmentation:
    """What happens to a photo before it is shown; strengths of 0 leave a kind out.

    Attributes:
        crop_scale: Smallest share of the area that a random crop keeps, in (0, 1].
        flip: Whether half of the images are mirrored.
        color_jitter: Brightness, contrast and saturation are scaled by factors drawn from
            [1 - c, 1 + c].
        gaussian: Largest severity of Gaussian noise; each image draws its own up to it. The
            severities are those of :class:`~advprop_core.pictures.noise.NoiseConfig`.
        poisson: The same for Poisson noise.
        salt_and_pepper: The same for salt-and-pepper noise.
        randaugment: timm's description, such as ``rand-m9-mstd0.5``, or ``original`` for
            AutoAugment; empty for none.
        mixup: Alpha of MixUp (Zhang et al., arXiv 1710.09412).
        cutmix: Alpha of CutMix (Yun et al., arXiv 1905.04899).
    """

    crop_scale: float = 0.35
    flip: bool = True
    color_jitter: float = 0.0
    gaussian: float = 0.0
    poisson: float = 0.0
    salt_and_pepper: float = 0.0
    randaugment: str = ""
    mixup: float = 0.0
    cutmix: float = 0.0

    def __post_init__(self) -> None:
        if not 0 < self.crop_scale <= 1:
            raise ValueError(f"crop_scale must lie in (0, 1], got {self.crop_scale}")
        for name in ("color_jitter", "gaussian", "poisson", "salt_and_pepper"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must lie in [0, 1], got {getattr(self, name)}")
        for name in ("mixup", "cutmix"):
            _require_at_least(name, getattr(self, name), 0)


@dataclass(frozen=True)
class Recipe:
    """A training run; the same recipe on the same data and machine gives the same weights.

    Attributes:
        architecture: timm's name of the network.
        objective: What is minimised; see :mod:`advprop_core.training.objectives`.
        attack: How the adversarial images are made; unused by ``vanilla``.
        auxiliaries: What each auxiliary branch of ``advprop`` is shown: a radius such as
            ``4/255`` (the attack with that epsilon), or ``KIND:STRENGTH`` with a noise
            (``gaussian:0.1``) or a corruption (``fog:3``), ``color-jitter:0.4`` or
            ``randaugment:9``. Empty means one branch, shown the attack.
        adversarial_weight: Multiplier of the adversarial term of ``adv-reg`` (0.2 when None)
            and beta of ``trades`` (6 when None).
        adversarial_share: Share of the images that ``fast-advprop`` attacks.
        augmentation: Crops, flips, colours, noises, mixing.
        size: Side of the square training images in pixels.
        epochs: Passes over the training images.
        batch_size: Source photos a step draws, on all processes together.
        optimizer: timm's name, such as ``sgd`` (Nesterov), ``adamw`` or ``rmsproptf``.
        learning_rate: Its peak.
        optimizer_eps: What is added to a denominator by optimisers that divide; 0 for their own.
        momentum: For optimisers that have one.
        weight_decay: Applied to weights of convolutions and linear layers only.
        schedule: ``cosine`` to 0, ``step`` (times ``decay_rate`` every ``decay_epochs``) or
            ``constant``.
        warmup_epochs: Epochs over which the learning rate rises linearly.
        decay_epochs: For ``step``.
        decay_rate: For ``step``.
        drop_rate: Share of the classifier's inputs that are dropped.
        drop_path_rate: Share of the deepest residual blocks that are skipped (stochastic depth).
        label_smoothing: Of the training loss; attacks use unsmoothed labels, except that
            ``fast-advprop`` reuses the gradient of the training loss.
        ema_decay: Decay per step of an exponential moving average of the weights, which then is
            what is saved; 0 for none.
        start_from: A checkpoint, or timm's name of pretrained weights; empty for none.
        trainable: ``all``, ``head``, ``norm`` (norm layers and head) or ``last:K`` (the last K
            stages and the head).
        unfreeze_patience: Epochs without a lower loss before one more stage is trained, from
            the last to the first; 0 for never.
        holdout: Share of the training photos that are left out, by a hash of their file names,
            and measured after every epoch.
        precision: ``auto`` is bfloat16 autocast on a GPU and float32 on a CPU.
        compile: Whether each branch is compiled; None means on a GPU.
        sync_bn: Whether statistics are those of the batches of all processes (GPU only).
        seed: Of initial weights, order, augmentation and attacks.
    """

    architecture: str = "regnetx_002"
    objective: ObjectiveName = "advprop"
    attack: Attacker = field(default_factory=Attacker)
    auxiliaries: tuple[str, ...] = ()
    adversarial_weight: float | None = None
    adversarial_share: float = 0.2
    augmentation: Augmentation = field(default_factory=Augmentation)
    size: int = 64
    epochs: int = 20
    batch_size: int = 64
    optimizer: str = "sgd"
    optimizer_eps: float = 0.0
    learning_rate: float = 0.1
    momentum: float = 0.9
    weight_decay: float = 5e-4
    schedule: Schedule = "cosine"
    warmup_epochs: float = 1.0
    decay_epochs: float = 30.0
    decay_rate: float = 0.1
    drop_rate: float = 0.0
    drop_path_rate: float = 0.0
    label_smoothing: float = 0.0
    ema_decay: float = 0.0
    start_from: str = ""
    trainable: str = "all"
    unfreeze_patience: int = 0
    holdout: float = 0.0
    precision: Precision = "auto"
    compile: bool | None = None
    sync_bn: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        _require_one_of("objective", self.objective, OBJECTIVES)
        _require_one_of("precision", self.precision, get_args(Precision))
        _require_one_of("schedule", self.schedule, get_args(Schedule))
        for name, low in _LOWEST.items():
            _require_at_least(name, getattr(self, name), low)
        if not self.learning_rate > 0:
            raise ValueError(f"learning_rate must be above 0, got {self.learning_rate}")
        if self.seed > LARGEST_COUNT:
            raise ValueError(f"seed must be at most {LARGEST_COUNT}, got {self.seed}")
        if self.batch_size < 2:
            raise ValueError(
                f"batch_size must be at least 2, got {self.batch_size}: BatchNorm cannot take the "
                "statistics of a single image"
            )
        for name in ("holdout", "ema_decay", "drop_rate", "drop_path_rate", "label_smoothing"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} must lie in [0, 1), got {getattr(self, name)}")
        if not 0 < self.adversarial_share < 1:
            raise ValueError(
                f"adversarial_share must lie between 0 and 1, got {self.adversarial_share}"
            )
        kind, _, count = self.trainable.partition(":")
        if self.trainable not in ("all", "head", "norm") and not (
            kind == "last" and count.isdecimal() and int(count) > 0
        ):
            raise ValueError(f"trainable must be all, head, norm or last:K, got {self.trainable!r}")
        if self.unfreeze_patience and self.trainable in ("all", "norm"):
            raise ValueError("unfreeze_patience needs trainable to be head or last:K")
        if self.auxiliaries and self.objective != "advprop":
            raise ValueError(f"auxiliaries are advprop's: {self.objective} has none to choose")
        if self.schedule == "step" and not self.decay_epochs > 0:
            raise ValueError("the schedule step needs decay_epochs above 0")
        self._require_fitting_attack()
        self.auxiliary_inputs  # noqa: B018  raises for what cannot be read

    def _require_fitting_attack(self) -> None:
        """Some objectives are defined with one kind of attack."""
        attack, untargeted = self.attack, self.attack.goal == "untargeted"
        if self.objective == "adv-reg" and not (attack.name == "fgsm" and untargeted):
            raise ValueError(
                "adv-reg's neighbour is one untargeted step of size epsilon: name the attack fgsm"
            )
        if self.objective == "fast-advprop" and not (attack.steps == 1 and untargeted):
            raise ValueError(
                "fast-advprop reuses the gradient of one untargeted step: set steps to 1"
            )
        if self.objective == "trades" and not (attack.name == "pgd" and untargeted):
            raise ValueError(
                "trades needs an attack with a random start and no target: name it pgd"
            )

    @property
    def auxiliary_count(self) -> int:
        """Number of auxiliary branches the objective trains."""
        if self.objective == "fast-advprop":
            return 1
        return len(self.auxiliary_inputs) if self.objective == "advprop" else 0

    @property
    def auxiliary_inputs(self) -> tuple[tuple[str, float], ...]:
        """(kind, strength) of what each auxiliary branch is shown; ``attack`` has its epsilon.

        Raises:
            ValueError: If a text is neither a radius nor ``KIND:STRENGTH``.
        """
        if not self.auxiliaries:
            return (("attack", self.attack.config().epsilon),)
        return tuple(map(_read_auxiliary, self.auxiliaries))

    @property
    def weight(self) -> float:
        """The adversarial weight, the objective's own where none was given."""
        own = _WEIGHTS.get(self.objective, 1.0)
        return own if self.adversarial_weight is None else self.adversarial_weight

    def to_json(self) -> dict[str, Any]:
        """Plain values, from which :func:`~.files.make_recipe` makes the same recipe."""
        return asdict(self) | {"auxiliaries": list(self.auxiliaries)}


def _read_auxiliary(text: str) -> tuple[str, float]:
    kind, colon, strength = text.rpartition(":")
    try:
        return (kind if colon else "attack", parse_radius(strength))
    except ValueError:
        raise ValueError(
            f"auxiliaries hold a radius such as 4/255 or KIND:STRENGTH such as gaussian:0.1, "
            f"got {text!r}"
        ) from None


def _require_one_of(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise ValueError(f"{name} must be one of {', '.join(known)}, got {value!r}")


def _require_at_least(name: str, value: float, low: float) -> None:
    if not low <= value < math.inf:
        raise ValueError(f"{name} must be at least {low}, got {value}")
