"""How strong must an attack be? Every branch's answer against epsilon, and where it gives way."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from torch import Tensor, nn

from advprop_core.attacks.gradient import attack, attack_each
from advprop_core.attribution.progress import Counter
from advprop_core.attribution.question import batches
from advprop_core.compare.photo import Photo, ask_clean
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
    grid = [*batches(len(epsilons), photo.pixels)]
    parts = len(grid) + len(branches) * _expected_tries(epsilons, precision)
    report = progress or (lambda share: None)
    # The search may take more tries than expected.
    counter = Counter(lambda done, total: report(min(1.0, done / total)), parts * config.steps)
    work = _Work(branches, photo, config, attack_branch, scale_step, counter)
    answers: Answers = {0.0: photo.clean}
    for batch in grid:
        answers |= work.together([epsilons[index] for index in batch])
    _search(answers, work, precision)
    order = sorted(answers)
    return Sweep(
        tuple(order),
        {name: tuple(answers[epsilon][name] for epsilon in order) for name in branches},
        {name: work.flip(name, answers) for name in branches},
        photo.expected,
        config.target_class,
        photo.true_class,
        attack_branch,
        precision,
    )


def _search(answers: Answers, work: _Work, precision: float) -> None:
    """Add answers until each branch's flip is as narrow as the precision, attacked alone."""
    alone = {0.0}
    for name in work.branches:
        while (epsilon := _next_try(work.flip(name, answers), alone, precision)) is not None:
            answers[epsilon] = work.alone(epsilon)
            alone.add(epsilon)


def _next_try(flip: Flip, alone: Collection[float], precision: float) -> float | None:
    """What to attack next: the ends of the gap where that was done in a batch, then its middle."""
    if flip.epsilon is None or flip.held is None:
        return None
    for end in (flip.epsilon, flip.held):
        if end not in alone:
            return end
    if flip.epsilon - flip.held <= precision * (1 + 1e-9):
        return None
    middle = precision * round((flip.held + flip.epsilon) / 2 / precision)
    return middle if flip.held < middle < flip.epsilon else None


def _expected_tries(epsilons: Sequence[float], precision: float) -> int:
    """Tries that bring the widest gap of the grid down to the precision, its two ends included."""
    widest = max(high - low for low, high in zip((0.0, *epsilons), epsilons, strict=False))
    return 2 + max(0, math.ceil(math.log2(widest / precision) - 1e-9))


@dataclass(frozen=True)
class _Work:
    branches: Mapping[str, nn.Module]
    photo: Photo
    config: AttackConfig
    attack_branch: str
    scale_step: bool
    counter: Counter

    def together(self, epsilons: Sequence[float]) -> Answers:
        """What every branch says at each radius, all attacked as one batch."""
        configs = [self._at(epsilon) for epsilon in epsilons]
        perturbed = attack_each(*self._walk(), configs, self._step)
        rows = {name: predict(module, perturbed) for name, module in self.branches.items()}
        return {
            epsilon: {name: rows[name][index] for name in rows}
            for index, epsilon in enumerate(epsilons)
        }

    def alone(self, epsilon: float) -> dict[str, Prediction]:
        """What every branch says at one radius."""
        perturbed = attack(*self._walk(), self._at(epsilon), self._step)
        return {name: predict(module, perturbed)[0] for name, module in self.branches.items()}

    def flip(self, name: str, answers: Answers) -> Flip:
        """Where a branch gives way."""
        target, expected = self.config.target_class, self.photo.expected[name]
        held = None
        for epsilon in sorted(answers):
            answer = answers[epsilon][name].class_index
            if answer == target or (target is None and answer != expected):
                return Flip(name, epsilon, held, answer)
            held = epsilon
        return Flip(name, None, held, answer)

    def _walk(self) -> tuple[nn.Module, Tensor, Tensor]:
        label = self.photo.label(self.attack_branch)
        return self.branches[self.attack_branch], self.photo.pixels, label

    def _step(self, step: int, _: Tensor) -> None:
        self.counter.add(1 if step else 0)  # 0 is the start

    def _at(self, epsilon: float) -> AttackConfig:
        if not self.scale_step:
            return replace(self.config, epsilon=epsilon)
        share = self.config.step_size / self.config.epsilon
        return replace(self.config, epsilon=epsilon, step_size=share * epsilon)
