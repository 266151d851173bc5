"""Frozen value objects that travel between the rooms of the library and the app."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, get_args

from annotated_types import Ge, Le, MinLen

from advprop_core.errors import Checked, Count, Index, InputError

if TYPE_CHECKING:  # the app's controls use these types before torch has been loaded
    from torch import Tensor

Norm = Literal["linf", "l2"]
InputKind = Literal["clean", "adversarial"]
BranchOrigin = Literal["trained", "adapted", "calibrated", "copied"]

NORMS: tuple[Norm, ...] = get_args(Norm)
INPUT_KINDS: tuple[InputKind, ...] = get_args(InputKind)

Progress = Callable[[int, int], None]
"""Called with (done, all) now and then; ends the work by raising."""


class Origin(NamedTuple):
    """How a branch came to be, as people read it: beside its name, and after "it was"."""

    label: str
    sentence: str


ORIGINS: Mapping[BranchOrigin, Origin] = {
    "trained": Origin("trained", "trained"),
    "adapted": Origin(
        "norm layers only",
        "trained alone: its norm layers only, beside a network that did not change",
    ),
    "calibrated": Origin(
        "statistics only",
        "not trained: its statistics were re-estimated on adversarial images",
    ),
    "copied": Origin("copy of main", "not trained: a copy of main"),
}

MAX_SIDE = 4096  # of a network's input: a file may say anything
LARGEST_RADII: dict[Norm, float] = {"linf": 1.0, "l2": 1000.0}
UNBOUNDED_RADII: dict[Norm, float] = {"linf": 0.5, "l2": math.inf}
"""From here on every picture can be made an even grey; an L2 radius depends on its size."""

Radius = Annotated[float, Ge(0.0), Le(max(LARGEST_RADII.values()))]
"""Of a ball of either norm, or a step in it, in pixel units on [0, 1]."""
Level = Annotated[float, Ge(0.0), Le(255.0)]
"""Of a channel: a mean or deviation, which some files give in 255ths."""


def require_radius(name: str, value: float, norm: Norm) -> None:
    """Refuse a radius or step above the norm's largest, which in L∞ is the range of pixels."""
    if value > (largest := LARGEST_RADII[norm]):
        limit = f"at most {largest:g} for {norm}"
        raise InputError(f"{name} must be {limit}, got {value:g}: 4/255, not 4")


def _main_first(branches: Mapping[str, BranchOrigin]) -> dict[str, BranchOrigin]:
    names = ["main", "aux", *(f"aux{n}" for n in range(2, len(branches)))][: len(branches)]
    if not branches or set(branches) != set(names):
        raise InputError(f"branches must be main, aux, aux2 …, got {list(branches)}")
    return {name: branches[name] for name in names}


@dataclass(frozen=True)
class AttackConfig(Checked):
    """One attack of the gradient-descent family, complete and hashable.

    Build it with :meth:`fgsm` or :meth:`pgd`; FGSM is one step of size epsilon, and I-FGSM is
    PGD without the random start.

    Attributes:
        norm: The ball the perturbation stays in.
        epsilon: Radius in pixel units on [0, 1]; in [0, 1] for L-infinity.
        step_size: Move per step, in the same unit.
        steps: Number of gradient steps, at least 1.
        random_start: Whether the walk starts at a random point of the ball.
        target_class: Class the attack drives towards; None for an untargeted attack.
        seed: Seed of the attack's own generator.

    Raises:
        InputError: For a value of the wrong kind or out of its range.
    """

    norm: Norm = "linf"
    epsilon: Radius = 4 / 255
    step_size: Radius = 1 / 255
    steps: Count = 10
    random_start: bool = True
    target_class: Index | None = None
    seed: Index = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        require_radius("epsilon", self.epsilon, self.norm)
        require_radius("step_size", self.step_size, self.norm)

    @classmethod
    def fgsm(
        cls,
        epsilon: float,
        *,
        norm: Norm = "linf",
        target_class: int | None = None,
    ) -> AttackConfig:
        """One step of size epsilon from the clean image (Goodfellow et al., arXiv 1412.6572)."""
        return cls(norm, epsilon, epsilon, 1, random_start=False, target_class=target_class)

    @classmethod
    def pgd(
        cls,
        epsilon: float,
        *,
        norm: Norm = "linf",
        steps: int = 10,
        step_size: float | None = None,
        random_start: bool = True,
        target_class: int | None = None,
        seed: int = 0,
    ) -> AttackConfig:
        """Projected gradient descent (Madry et al., arXiv 1706.06083).

        The step size defaults to ``2.5 * epsilon / steps``, which reaches the edge of the ball
        from any start and leaves room to move along it.
        """
        if step_size is None:
            # `get`, for a norm that does not exist is refused below.
            step_size = min(2.5 * epsilon / max(steps, 1), LARGEST_RADII.get(norm, math.inf))
        return cls(norm, epsilon, step_size, steps, random_start, target_class, seed)

    @classmethod
    def noise(cls, epsilon: float, *, norm: Norm = "linf", seed: int = 0) -> AttackConfig:
        """A random point of the ball: what PGD starts from, for comparison with what it finds."""
        return cls(norm, epsilon, 0.0, 1, random_start=True, seed=seed)

    @property
    def name(self) -> str:
        """``FGSM``, ``I-FGSM-k`` or ``PGD-k``; ``noise`` for a random start that is left alone.

        A single step that is shorter than the radius is ``I-FGSM-1``.
        """
        if self.random_start and self.epsilon and not self.step_size:
            return "noise"
        if self.random_start:
            return f"PGD-{self.steps}"
        whole = self.steps == 1 and self.step_size >= self.epsilon
        return "FGSM" if whole else f"I-FGSM-{self.steps}"


@dataclass(frozen=True)
class Base(Checked):
    """The network that an adapter belongs to.

    Attributes:
        name: By which it is found: published, bundled, timm's, or a file.
        sha256: Over its tensors, see :mod:`advprop_core.models.digest`.
    """

    name: str
    sha256: str


@dataclass(frozen=True)
class ModelInfo(Checked):
    """What a checkpoint says of itself.

    Attributes:
        architecture: timm's name of the network.
        class_ids: Identifier of each class, in class-index order (a wnid, or the name again).
        class_names: What a person reads for each class, in the same order.
        input_size: Side of the square input in pixels.
        mean: Per-channel mean the network itself subtracts, RGB on [0, 1].
        std: Per-channel deviation it divides by.
        branches: Branch name to how its norm layers came to be.
        arguments: Further keyword arguments of ``timm.create_model``.
        name: Short name for people.
        recipe: How it was trained, as plain JSON values.
        metrics: Measured numbers, each with how it was measured, as plain JSON values.
        base: The network whose auxiliary branches the file holds; None for a whole network.

    Raises:
        InputError: For a value of the wrong kind or out of its range.
    """

    architecture: str
    class_ids: Annotated[tuple[str, ...], MinLen(1)]
    class_names: tuple[str, ...]
    input_size: Annotated[int, Ge(1), Le(MAX_SIDE)]
    mean: tuple[Level, Level, Level]
    std: tuple[Level, Level, Level]
    branches: Mapping[str, BranchOrigin]
    arguments: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""
    recipe: Mapping[str, Any] = field(default_factory=dict)
    metrics: tuple[Mapping[str, Any], ...] = ()
    base: Base | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.class_ids) != len(self.class_names):
            raise InputError(
                "class_ids and class_names must be equally long, got "
                f"{len(self.class_ids)} and {len(self.class_names)}"
            )
        # Main first, whatever order a file had them in.
        object.__setattr__(self, "branches", _main_first(self.branches))

    def __hash__(self) -> int:
        # Mappings cannot be hashed; what equal ones have in common is enough.
        return hash((self.architecture, self.class_ids, self.input_size, self.name))

    def origin(self, branch: str) -> Origin:
        """How a branch came to be."""
        return ORIGINS[self.branches[branch]]

    @property
    def num_classes(self) -> int:
        """Number of classes."""
        return len(self.class_names)

    @property
    def classes(self) -> tuple[tuple[str, str], ...]:
        """(id, name) of every class, in class-index order."""
        return tuple(zip(self.class_ids, self.class_names, strict=True))


def freeze(tensor: Tensor) -> Tensor:
    """A detached float32 CPU copy that no one else holds."""
    return tensor.detach().cpu().float().clone()


def require_finite(logits: Tensor) -> None:
    """Refuse logits that no answer can be read from: a ranking would put NaN first, in silence."""
    if not logits.isfinite().all():
        raise InputError("logits must be finite: the network overflowed or has NaN weights")


@dataclass(frozen=True, eq=False)
class Prediction:
    """What one branch says of one image; equal to another with the same logits.

    Attributes:
        logits: (C,) float32.
        probabilities: (C,) float32, softmax of the logits.
    """

    logits: Tensor
    probabilities: Tensor

    @classmethod
    def from_logits(cls, logits: Tensor) -> Prediction:
        """Build from (C,) logits; raises InputError when they are not finite."""
        require_finite(logits)
        frozen = freeze(logits)
        return cls(frozen, frozen.softmax(0))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Prediction) and self.logits.equal(other.logits)

    def __hash__(self) -> int:
        return hash(tuple(self.logits.tolist()))

    @property
    def class_index(self) -> int:
        """The predicted class."""
        return int(self.logits.argmax())

    @property
    def confidence(self) -> float:
        """Probability of the predicted class, in [0, 1]."""
        return float(self.probabilities.max())

    def top(self, k: int = 5) -> tuple[tuple[int, float], ...]:
        """(class index, probability) of the k most probable classes, best first."""
        values, indices = self.probabilities.topk(min(k, len(self.probabilities)))
        return tuple(zip(indices.tolist(), values.tolist(), strict=True))


@dataclass(frozen=True)
class PerturbationFacts:
    """The measured honesty figures of one perturbed image.

    Attributes:
        linf: Largest absolute change of a channel value, pixel units.
        l2: Euclidean length of the perturbation over all channel values.
        low: Smallest value of the perturbed image.
        high: Largest value of the perturbed image.
        survives_png: Branch name to whether its prediction on the perturbed image stays the
            same after rounding to 8 bits, as saving a PNG does.
        clean_wrong: Branch name to whether it was already wrong on the clean image; None
            where the true class is not known.
    """

    linf: float
    l2: float
    low: float
    high: float
    survives_png: Mapping[str, bool]
    clean_wrong: Mapping[str, bool] | None


@dataclass(frozen=True, eq=False)
class AttributionMap:
    """A map of one class score over one image, signed and unscaled.

    Attributes:
        values: (H, W) float32 in input resolution.
        method: Name of the method.
        branch: Branch that was explained.
        input_kind: Kind of the input.
        class_index: Class whose score is explained.
        layer: Dotted module name for layer methods, None otherwise.
    """

    values: Tensor
    method: str
    branch: str
    input_kind: InputKind
    class_index: int
    layer: str | None = None


@dataclass(frozen=True, eq=False)
class Comparison:
    """The main job's result: everything a page draws, on the CPU.

    Attributes:
        clean: (3, H, W) pixels.
        adversarial: (3, H, W) pixels, the perturbed image.
        predictions: (input kind, branch) to prediction.
        maps: (input kind, branch) to map; empty when none was asked for, or the network has none.
        facts: Honesty figures.
        true_class: Class index where known.
        attacked_class: Class whose loss the attack raised (the true class, or the attack
            branch's clean prediction where that is not known).
        attack_branch: Branch whose gradient made the perturbation; None for noise.
        maps_refused: Why the network has no maps of the kind that was asked for, else None.
    """

    clean: Tensor
    adversarial: Tensor
    predictions: Mapping[tuple[InputKind, str], Prediction]
    maps: Mapping[tuple[InputKind, str], AttributionMap]
    facts: PerturbationFacts
    true_class: int | None
    attacked_class: int
    attack_branch: str | None
    maps_refused: str | None = None

    @property
    def branches(self) -> tuple[str, ...]:
        """Branch names, main first."""
        return tuple(branch for kind, branch in self.predictions if kind == "clean")
