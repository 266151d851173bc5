"""How strong must an attack be? Every branch's answer against epsilon, and where it gives way."""

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from torch import Tensor, nn

from advprop_core.attacks.gradient import attack, attack_each
from advprop_core.attribution.progress import Counter
from advprop_core.attribution.question import batches
from advprop_core.compare.photo import ask_clean
from advprop_core.predict import predict
from advprop_core.types import AttackConfig, Prediction

Answers = dict[float, Mapping[str, Prediction]]


@dataclass(frozen=True)
class Flip:
    """The smallest radius at which a branch was found to give way.

    It is an upper bound: a stronger attack may need less, and between two radii that were tried
    the branch may give way and come back.

    Attributes:
        branch: Who predicts.
        epsilon: That radius; 0 where nothing has to be changed, None where no radius sufficed.
        held: The largest radius below it that was tried and did not suffice; None for 0.
        answer: The class that the branch gives at ``epsilon``, or at the largest radius.
    """

    branch: str
    epsilon: float | None
    held: float | None
    answer: int


@dataclass(frozen=True)
class Sweep:
    """One image attacked at many radii.

    Attributes:
        epsilons: Radii in pixel units, ascending, 0 first: the grid, and what the search tried.
        predictions: Branch to its prediction at each radius.
        flips: Branch to where it gives way: says the target class, or for an untargeted attack
            no longer says what it should.
        expected: Branch to what it should say: the true class where known, else its own clean
            prediction.
        target_class: What a targeted attack wants, else None.
        true_class: Where known.
        attack_branch: Whose gradient made the perturbations.
        precision: How wide the gap between ``held`` and ``epsilon`` of a flip is at most.
    """

    epsilons: tuple[float, ...]
    predictions: Mapping[str, tuple[Prediction, ...]]
    flips: Mapping[str, Flip]
    expected: Mapping[str, int]
    target_class: int | None
    true_class: int | None
    attack_branch: str
    precision: float


def sweep(
    branches: Mapping[str, nn.Module],
    pixels: Tensor,
    config: AttackConfig,
    epsilons: Sequence[float],
    *,
    attack_branch: str,
    true_class: int | None = None,
    precision: float = 0.05 / 255,
    scale_step: bool = True,
    progress: Callable[[float], None] | None = None,
) -> Sweep:
    """Attack one image at each radius, then halve the gap in which each branch gives way.

    The radii of the grid go through the network together. The search attacks one radius at a
    time, so that a flip is exactly what :func:`~advprop_core.attacks.gradient.attack` gives there:
    in a batch, rounding may turn the sign of a slope that is nearly zero.

    Arguments are those of :func:`~advprop_core.compare.compare.compare`, and so is what is refused,
    but for ``config``, the attack, whose own radius is only what its step size is measured by;
    ``epsilons``, radii above 0 in pixel units, ascending; ``precision``, the gap at which the
    halving stops, in pixel units (what it tries are multiples); and ``scale_step``: whether the
    step size grows with the radius, as that of :meth:`~advprop_core.types.AttackConfig.pgd` does,
    or stays as it is.
    """
    photo = ask_clean(branches, pixels, true_class, attack_branch)
    module, label = branches[attack_branch], photo.label(attack_branch)
    grid = [*batches(len(epsilons), photo.pixels)]
    parts = len(grid) + len(branches) * _expected_tries(epsilons, precision)
    report = progress or (lambda share: None)
    # The search may take more tries than expected.
    counter = Counter(lambda done, total: report(min(1.0, done / total)), parts * config.steps)
    answers: Answers = {0.0: photo.clean}

    def attack_at(epsilon: float) -> AttackConfig:
        if not scale_step:
            return replace(config, epsilon=epsilon)
        share = config.step_size / config.epsilon
        return replace(config, epsilon=epsilon, step_size=share * epsilon)

    def on_step(step: int, _: Tensor) -> None:
        counter.add(1 if step else 0)  # 0 is the start

    def ask(perturbed: Tensor, radii: Sequence[float]) -> None:
        rows = {name: predict(branch, perturbed) for name, branch in branches.items()}
        for index, epsilon in enumerate(radii):
            answers[epsilon] = {name: row[index] for name, row in rows.items()}

    for batch in grid:
        radii = [epsilons[index] for index in batch]
        configs = [attack_at(epsilon) for epsilon in radii]
        ask(attack_each(module, photo.pixels, label, configs, on_step), radii)
    alone = {0.0}

    def flip(name: str) -> Flip:
        target, held = config.target_class, None
        for epsilon in sorted(answers):
            answer = answers[epsilon][name].class_index
            if answer == target or (target is None and answer != photo.expected[name]):
                return Flip(name, epsilon, held, answer)
            held = epsilon
        return Flip(name, None, held, answer)

    for name in branches:
        while (epsilon := _next_try(flip(name), alone, precision)) is not None:
            ask(attack(module, photo.pixels, label, attack_at(epsilon), on_step), [epsilon])
            alone.add(epsilon)
    order = sorted(answers)
    return Sweep(
        tuple(order),
        {name: tuple(answers[epsilon][name] for epsilon in order) for name in branches},
        # Only now: a later branch's tries may have narrowed an earlier one's gap.
        {name: flip(name) for name in branches},
        photo.expected,
        config.target_class,
        photo.true_class,
        attack_branch,
        precision,
    )


def _next_try(flip: Flip, alone: Collection[float], precision: float) -> float | None:
    """What to attack next: the ends of the gap where that was done in a batch, then its middle."""
    if flip.epsilon is None or flip.held is None:
        return None
    for end in (flip.epsilon, flip.held):
        if end not in alone:
            return end
    if flip.epsilon - flip.held <= precision * (1 + 1e-9):  # 0.8 - 0.7 is above 0.1
        return None
    # A multiple, so that what a person reads is a round number.
    middle = precision * round((flip.held + flip.epsilon) / 2 / precision)
    return middle if flip.held < middle < flip.epsilon else None


def _expected_tries(epsilons: Sequence[float], precision: float) -> int:
    """Tries that bring the widest gap of the grid down to the precision, its two ends included."""
    widest = max(high - low for low, high in zip((0.0, *epsilons), epsilons, strict=False))
    return 2 + max(0, math.ceil(math.log2(widest / precision) - 1e-9))
