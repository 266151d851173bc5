"""Everything that decides a training run, in one frozen value.

Each field says what it is, its kind, its range and its default in one place: the options and the
help of ``advprop train`` are made from them.
"""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import Annotated, Any, Literal, get_args

from annotated_types import Ge, Gt, Le, Lt

from advprop_core.errors import Checked, Count, Index, InputError
from advprop_core.models.settings import Deviation, Mean
from advprop_core.text import join, parse_radius
from advprop_core.types import AttackConfig, Norm, Radius, require_radius

ObjectiveName = Literal[
    "vanilla",
    "adversarial",
    "mixed",
    "advprop",
    "fast-advprop",
    "auxiliary",
    "adv-reg",
    "trades",
]
AttackerName = Literal["pgd", "i-fgsm", "gd", "fgsm"]
Goal = Literal["untargeted", "random"]
Precision = Literal["auto", "float32", "bfloat16"]
Schedule = Literal["cosine", "step", "constant"]

OBJECTIVES: tuple[ObjectiveName, ...] = get_args(ObjectiveName)

Amount = Annotated[float, Ge(0)]
Severity = Annotated[float, Ge(0), Le(1)]
Share = Annotated[float, Ge(0), Lt(1)]
Epochs = Annotated[float, Ge(0), Le(1_000_000)]

_TRAINABLE = re.compile(r"all|head|norm|(last|blocks):[1-9]\d{0,3}")
_WITH_AUXILIARIES: tuple[ObjectiveName, ...] = ("advprop", "auxiliary")
_WEIGHTS: dict[ObjectiveName, float] = {"adv-reg": 0.2, "trades": 6.0}  # of their authors' code
USED_BY: Mapping[str, tuple[ObjectiveName, ...]] = MappingProxyType(
    {"adversarial_weight": tuple(_WEIGHTS), "adversarial_share": ("fast-advprop",)}
)
"""Fields that only some objectives use."""
OF_SOURCE = ("mean", "std", "classes")
"""Fields that say what a foreign file in ``start_from`` does not."""


@dataclass(frozen=True)
class Attacker(Checked):
    """How the adversarial images of a run are made."""

    name: AttackerName = "pgd"
    """Attack in training. pgd starts at a random point. i-fgsm does not. gd also does not project,
    so its radius is steps × step size. fgsm is one step of size epsilon."""
    norm: Norm = "linf"
    """Norm of the attack: linf or l2."""
    epsilon: Radius = 2 / 255
    """Radius of the attack in pixel units, such as 2/255."""
    steps: Count = 1
    """Gradient steps of the attack."""
    step_size: Radius | None = None
    """Move per attack step, in the unit of epsilon; by default 2.5 × epsilon / steps, at most
    epsilon."""
    goal: Goal = "untargeted"
    """Goal of the attack: untargeted raises the loss of the label; random lowers the loss of a
    wrong class, drawn anew for each image."""
    warmup_epochs: Epochs = 0.0
    """Epochs over which epsilon and step size of the attack grow from 0."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.name == "fgsm" and (self.steps != 1 or self.step_size is not None):
            raise InputError(
                "fgsm is one step of size epsilon: leave out steps and step_size, or use i-fgsm"
            )
        if self.name == "gd" and self.step_size is None:
            raise InputError("gd has no radius, so it needs a step_size")
        require_radius("epsilon", self.epsilon, self.norm)
        self.config()  # refuses what no attack can do

    def config(self, epsilon: float | None = None) -> AttackConfig:
        """The attack at full strength, or with another radius and the step scaled to it."""
        step = self.step_size
        if step is None:  # of fgsm, whose only step it is, it is epsilon
            step = min(self.epsilon, 2.5 * self.epsilon / self.steps)
        radius = step * self.steps if self.name == "gd" else self.epsilon
        scale = 1.0
        if epsilon not in (None, radius):
            if not radius:
                raise InputError("an attack of epsilon 0 cannot be scaled to another radius")
            scale = epsilon / radius
        return AttackConfig(
            self.norm, radius * scale, step * scale, self.steps, random_start=self.name == "pgd"
        )


@dataclass(frozen=True)
class Augmentation(Checked):
    """What happens to a photo before it is shown; a strength of 0 leaves its kind out.

    Severities of noises are those of :class:`~advprop_core.pictures.noise.NoiseConfig`.
    """

    crop_scale: Annotated[float, Gt(0), Le(1)] = 0.35
    """Smallest share of a photo's area that a random crop keeps."""
    flip: bool = True
    """Mirror half of the images."""
    color_jitter: Severity = 0.0
    """Scale brightness, contrast and saturation by factors in [1 - c, 1 + c]."""
    gaussian: Severity = 0.0
    """Largest severity of Gaussian noise; each image draws its own up to it."""
    poisson: Severity = 0.0
    """Largest severity of Poisson noise."""
    salt_and_pepper: Severity = 0.0
    """Largest severity of salt-and-pepper noise."""
    randaugment: str = ""
    """timm's description of RandAugment, such as rand-m9-mstd0.5, or original for AutoAugment."""
    mixup: Amount = 0.0
    """Alpha of MixUp (Zhang et al., arXiv 1710.09412)."""
    cutmix: Amount = 0.0
    """Alpha of CutMix (Yun et al., arXiv 1905.04899)."""
    shift: Annotated[int, Ge(0), Le(4096)] = 0
    """Shift each image by up to this many pixels in both directions. New pixels are black."""
    rotation: Annotated[float, Ge(0), Le(180)] = 0.0
    """Rotate each image by up to this many degrees. New pixels are black."""

    @property
    def mixes(self) -> bool:
        """Whether images are mixed in pairs."""
        return bool(self.mixup or self.cutmix)


@dataclass(frozen=True)
class Recipe(Checked):
    """A training run; the same recipe on the same data and machine gives the same weights."""

    # -- network
    architecture: str = "regnetx_002"
    """timm's name of the network."""
    start_from: str = ""
    """Fine-tune: a bundled model, a checkpoint file, or a timm name with weights."""
    mean: tuple[Mean, Mean, Mean] | None = None
    """Mean that the network of start_from subtracts from each channel, for pixels from 0 to 1.
    Needed if its file does not contain it."""
    std: tuple[Deviation, Deviation, Deviation] | None = None
    """Standard deviation by which that network divides each channel. Needed if its file does not
    contain it."""
    classes: tuple[str, ...] | None = None
    """Class names of that network. Needed if its file does not contain them. If the network knows
    all classes of the photos, it keeps these rows of its classifier."""
    trainable: str = "all"
    """What is trained: all, head, norm (and the head), last:K (last K stages and the head) or
    blocks:K (last K blocks, of which a stage has several, and the head)."""
    unfreeze_patience: Index = 0
    """Epochs without a lower loss before one more stage (with blocks:K: block) is trained, from the
    last to the first; 0 for never."""
    drop_rate: Share = 0.0
    """Share of the classifier's inputs that are dropped."""
    drop_path_rate: Share = 0.0
    """Share of the deepest residual blocks that are skipped (stochastic depth)."""

    # -- objective
    objective: ObjectiveName = "advprop"
    """What is minimised: vanilla (clean images), adversarial (adversarial images only), mixed (both
    through one BatchNorm), advprop (each through its own), fast-advprop, auxiliary (auxiliary norm
    layers alone, beside a network that stays as it is), adv-reg or trades."""
    attack: Attacker = field(default_factory=Attacker)
    auxiliaries: tuple[str, ...] = ()
    """What each auxiliary branch learns from, for the objectives advprop and auxiliary: a radius
    such as 4/255 (the attack with that epsilon), a noise such as gaussian:0.1, a corruption such as
    fog:3, color-jitter:0.4 or randaugment:9. By default one branch, which learns from the
    attack."""
    adversarial_weight: Amount | None = None
    """Multiplier of adv-reg's adversarial loss (0.2 by default); beta of trades (6)."""
    adversarial_share: Annotated[float, Gt(0), Lt(1)] = 0.2
    """Share of the images that fast-advprop attacks."""

    # -- photos
    size: Annotated[int, Ge(32), Le(4096)] = 64
    """Side of the square training images in pixels."""
    holdout: Share = 0.0
    """Share of the training photos that are left out, chosen by file name, and measured after every
    epoch."""
    augmentation: Augmentation = field(default_factory=Augmentation)

    # -- optimiser
    epochs: Annotated[int, Ge(1), Le(1_000_000)] = 20
    """Passes over the training photos."""
    max_steps: Index = 0
    """Training steps after which the run ends, instead of after its epochs; 0: no limit. The
    learning rate schedule adapts to this number."""
    batch_size: Annotated[int, Ge(2), Le(1_000_000)] = 64  # BatchNorm has no statistics of 1 image
    """Photos per step, on all processes together."""
    optimizer: str = "sgd"
    """timm's name, such as sgd (with Nesterov's momentum), adamw or rmsproptf."""
    optimizer_eps: Amount = 0.0
    """Epsilon that the optimiser adds to its denominator, if it has one; 0 for its own default."""
    learning_rate: Annotated[float, Gt(0)] = 0.1
    """Peak learning rate."""
    momentum: Amount = 0.9
    """Momentum, for optimisers that have one."""
    weight_decay: Amount = 5e-4
    """Weight decay of convolutions and linear layers; norm layers have none."""
    schedule: Schedule = "cosine"
    """Learning rate after the warm-up: constant; cosine, which falls to 0; or step, which is
    multiplied by the decay rate every decay epochs."""
    warmup_epochs: Epochs = 1.0
    """Epochs over which the learning rate rises to its peak."""
    decay_epochs: Epochs = 30.0
    """Epochs between two drops of the schedule step."""
    decay_rate: Amount = 0.1
    """Factor of each drop of the schedule step."""
    label_smoothing: Share = 0.0
    """Label smoothing of the training loss; attacks use unsmoothed labels, except that fast-advprop
    reuses the gradient of the training loss."""
    ema_decay: Share = 0.0
    """Decay per step of a moving average of the weights, which is then what is saved; 0: none."""

    # -- machine
    seed: Index = 0
    """Seed of weights, order of photos, augmentation and attacks."""
    precision: Precision = "auto"
    """Precision of the forward pass: float32, bfloat16, or auto (bfloat16 on a GPU only)."""
    compile: bool | None = None
    """Compile each branch; by default on a GPU."""
    sync_bn: bool = False
    """Take BatchNorm's statistics over the batches of all processes (GPU only)."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not _TRAINABLE.fullmatch(self.trainable):
            raise InputError(
                f"trainable must be all, head, norm, last:K or blocks:K, got {self.trainable!r}"
            )
        if not self.start_from and any(getattr(self, name) is not None for name in OF_SOURCE):
            raise InputError(f"{join(OF_SOURCE)} describe the file in start_from: there is none")
        if self.unfreeze_patience and self.trainable in ("all", "norm"):
            raise InputError("unfreeze_patience needs trainable to be head, last:K or blocks:K")
        if self.auxiliaries and self.objective not in _WITH_AUXILIARIES:
            raise InputError(
                f"auxiliaries are only for {join(_WITH_AUXILIARIES)}: {self.objective} does not "
                "use them"
            )
        if self.objective == "auxiliary" and not self.start_from:
            raise InputError("auxiliary needs start_from: the network that gets the branch")
        if self.objective == "auxiliary" and self.trainable != "all":
            raise InputError(
                "auxiliary trains the norm layers of auxiliary branches alone: leave trainable out"
            )
        if self.schedule == "step" and not self.decay_epochs:
            raise InputError("the schedule step needs decay_epochs above 0")
        self._require_fitting_attack()
        self.auxiliary_inputs  # noqa: B018  raises for what cannot be read

    def _require_fitting_attack(self) -> None:
        """Some objectives are defined with one kind of attack."""
        attack = self.attack
        rules: dict[ObjectiveName, tuple[bool, str]] = {
            "adv-reg": (
                attack.name == "fgsm",
                "needs one untargeted attack step of size epsilon: name the attack fgsm",
            ),
            "fast-advprop": (
                attack.steps == 1,
                "reuses the gradient of one untargeted step: set steps to 1",
            ),
            "trades": (
                attack.name == "pgd",
                "needs an attack with a random start and no target: name it pgd",
            ),
        }
        if self.objective in rules:
            fits, rule = rules[self.objective]
            if not fits or attack.goal != "untargeted":
                raise InputError(f"{self.objective} {rule}")

    def all_steps(self, in_epoch: int) -> int:
        """Number of steps of the whole run, of which an epoch has so many."""
        return self.max_steps or self.epochs * in_epoch

    @property
    def auxiliary_count(self) -> int:
        """Number of auxiliary branches the objective trains."""
        if self.objective == "fast-advprop":
            return 1
        return len(self.auxiliary_inputs) if self.objective in _WITH_AUXILIARIES else 0

    @property
    def auxiliary_inputs(self) -> tuple[tuple[str, float], ...]:
        """(kind, strength) of what each auxiliary branch is shown; ``attack`` has its epsilon.

        Raises:
            InputError: If a text is neither a radius nor ``KIND:STRENGTH``.
        """
        if not self.auxiliaries:
            return (("attack", self.attack.config().epsilon),)
        return tuple(map(_read_auxiliary, self.auxiliaries))

    @property
    def weight(self) -> float:
        """The adversarial weight, the objective's own where none was given."""
        if self.adversarial_weight is None:
            return _WEIGHTS.get(self.objective, 1.0)
        return self.adversarial_weight

    def to_json(self) -> dict[str, Any]:
        """Plain values, from which :func:`~.recipe_files.make_recipe` makes the same recipe."""
        values = asdict(self) | {"auxiliaries": list(self.auxiliaries)}
        for name in OF_SOURCE:  # left out where not given: runs that began without them go on
            if (value := values.pop(name)) is not None:
                values[name] = list(value)
        for name in ("shift", "rotation"):  # likewise
            if not values["augmentation"][name]:
                del values["augmentation"][name]
        return values


def _read_auxiliary(text: str) -> tuple[str, float]:
    kind, colon, strength = text.rpartition(":")
    try:
        return (kind if colon else "attack", parse_radius(strength))
    except ValueError:
        raise InputError(
            f"auxiliaries hold a radius such as 4/255 or KIND:STRENGTH such as gaussian:0.1, "
            f"got {text!r}"
        ) from None
