"""How little is enough? The smallest radius at which PGD turns a branch, image by image."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from advprop_core.attacks.gradient import Sizes, loss_gradient, walk
from advprop_core.attacks.inputs import Model, own_inputs, require_labels
from advprop_core.errors import InputError
from advprop_core.evaluation.cells import TestedModel
from advprop_core.evaluation.intervals import share_intervals
from advprop_core.evaluation.restricted import Restricted, places
from advprop_core.evaluation.sweep import BATCH_SIZE, batches
from advprop_core.models.folding import fold
from advprop_core.processes import ALONE, Processes, Progress
from advprop_core.types import AttackConfig

MEANING = (
    "smallest epsilon at which PGD turns the branch, image by image: an upper bound, which a "
    "stronger attack may lower; 0 where the clean answer is wrong, null where no radius up to the "
    "limit turns it"
)
_RUNGS = 5
_HALVINGS = 5


@dataclass(frozen=True)
class SmallestEpsilon:
    """The smallest radii at which a branch gives way.

    Attributes:
        model: Name of the model.
        branch: Who predicts and is attacked.
        attack: PGD at the largest radius that is tried; its step size shrinks with the radius.
        epsilons: For each image, in pixel units: 0 where the clean answer is wrong, infinite
            where no radius sufficed.
    """

    model: str
    branch: str
    attack: AttackConfig
    epsilons: tuple[float, ...]

    @property
    def wrong(self) -> float:
        """Share of images whose clean answer is wrong."""
        return self.epsilons.count(0.0) / len(self.epsilons)

    @property
    def never(self) -> float:
        """Share of images that no radius up to the limit turned."""
        return self.epsilons.count(math.inf) / len(self.epsilons)

    @property
    def median(self) -> float:
        """The median over all images, those at 0 and at infinity included."""
        ordered, n = sorted(self.epsilons), len(self.epsilons)
        return (ordered[(n - 1) // 2] + ordered[n // 2]) / 2

    @property
    def interval(self) -> tuple[float, float]:
        """Its 95 % interval, from ranks alone: nothing is assumed of the distribution.

        As many images lie below the true median as heads fall in n throws of a coin, so both
        ends are order statistics at exact binomial quantiles. Fewer than six images give less
        than 95 %: then it is all their range.
        """
        from scipy.stats import binom  # here: it takes a second to load

        ordered, n = sorted(self.epsilons), len(self.epsilons)
        rank = max(int(binom.ppf(0.025, n, 0.5)), 1)  # from 1: the rank-th from either end
        return ordered[rank - 1], ordered[n - rank]

    def to_json(self) -> dict[str, Any]:
        """Plain values, shares with Wilson intervals; null stands for what lies above the limit."""
        n, shares = len(self.epsilons), {"wrong": self.wrong, "never": self.never}
        return {
            "model": self.model,
            "branch": self.branch,
            "attack": self.attack.name,
            "norm": self.attack.norm,
            "limit": self.attack.epsilon,
            "n": n,
            **shares,
            **share_intervals(shares, n),
            "median": _or_none(self.median),
            "interval": [*map(_or_none, self.interval)],
            "epsilons": [*map(_or_none, self.epsilons)],
        }


class RadiusStore(Protocol):
    """Where the radii of a branch are kept."""

    def read_radii(
        self, subject: TestedModel, branch: str, attack: AttackConfig
    ) -> tuple[Tensor, Tensor]:
        """(n,) places of the images of which something was kept, ascending, and their radii."""
        ...

    def write_radii(
        self, subject: TestedModel, branch: str, attack: AttackConfig, places: Tensor, radii: Tensor
    ) -> None:
        """Keep those of the images at (n,) places, whole or not at all."""
        ...


@torch.inference_mode(False)
def smallest_epsilons(model: Model, pixels: Tensor, labels: Tensor, attack: AttackConfig) -> Tensor:
    """The smallest radius that turns each image: up a ladder of radii, then by halving.

    The first radius is a sixteenth of the limit, and it is doubled until the attack succeeds;
    the gap below is then halved five times. A radius that failed lies at most 3 % below what is
    found (below a sixteenth of the limit: 1/512 of the limit). Smaller ones may suffice again,
    and a stronger attack may need less, so this is an upper bound.

    Args:
        model: (N, 3, H, W) pixels to (N, C) logits; a module in eval mode.
        pixels: (N, 3, H, W) float in [0, 1].
        labels: (N,) true classes.
        attack: PGD, FGSM or I-FGSM at the largest radius; smaller ones scale its step size.
            Images share one random start, which each radius scales.

    Returns:
        (N,) float64 on the CPU in pixel units: 0 where the clean answer is wrong, infinite where
        no radius up to the limit suffices.

    Raises:
        TypeError: If pixels are no tensor of floats, or labels none of integers.
        InputError: For a targeted attack, a limit of 0, or labels that the model does not have.
        ValueError: For what else an attack refuses.
    """
    pixels, labels = own_inputs(model, pixels, labels)
    if attack.target_class is not None or not attack.epsilon:
        raise InputError(
            "attack must be untargeted and have an epsilon above 0, the largest radius to try, "
            f"got target_class {attack.target_class} and epsilon {attack.epsilon}"
        )
    with torch.no_grad():
        logits = model(pixels)
    require_labels(labels, logits.shape[1])
    turned = torch.where(logits.argmax(1) == labels, torch.inf, 0.0).double().cpu()
    search = _Search(model, pixels, labels, attack, torch.zeros_like(turned), turned)
    for rung in reversed(range(_RUNGS)):
        rows = (turned == torch.inf).nonzero()[:, 0]
        search.attack_at(rows, torch.full_like(turned[rows], attack.epsilon / 2**rung))
    rows = ((turned > 0) & (turned < torch.inf)).nonzero()[:, 0]
    for _ in range(_HALVINGS):
        search.attack_at(rows, (search.survived[rows] + turned[rows]) / 2)
    return turned


@dataclass(frozen=True, eq=False)
class _Search:
    """For each image the largest radius that it survived, and the smallest that turned it."""

    model: Model
    pixels: Tensor
    labels: Tensor
    attack: AttackConfig
    survived: Tensor
    turned: Tensor

    def attack_at(self, rows: Tensor, radii: Tensor) -> None:
        """Attack some images, each at its own radius."""
        if not len(rows):
            return
        pixels, labels = self.pixels[rows], self.labels[rows]
        epsilon = radii.to(pixels).view(-1, 1, 1, 1)
        sizes = Sizes(epsilon, epsilon * (self.attack.step_size / self.attack.epsilon))
        adversarial = walk(self.model, pixels, labels, self.attack, loss_gradient, sizes=sizes)
        with torch.no_grad():
            wrong = (self.model(adversarial).argmax(1) != labels).cpu()
        self.turned[rows[wrong]] = radii[wrong]
        self.survived[rows[~wrong]] = radii[~wrong]


def measure_smallest(
    subject: TestedModel,
    attack: AttackConfig,
    *,
    batch_size: int = BATCH_SIZE,
    store: RadiusStore | None = None,
    progress: Progress | None = None,
    processes: Processes = ALONE,
) -> tuple[SmallestEpsilon, ...]:
    """Every branch of a subject, attacked through itself.

    Args:
        subject: Its photos have no part in it.
        attack: As for :func:`smallest_epsilons`.
        batch_size: Images at a time; what is found depends on it by rounding alone.
        store: What is found there is not measured again; what is measured is kept there.
        progress: Called with (done, all), images counted once for each branch.
        processes: That call this together, as for :func:`~advprop_core.evaluation.sweep.sweep`.
    """
    n, results = len(subject.labels), []
    for index, branch in enumerate(subject.branches):

        def report(done: int, before: int = index * n) -> None:
            if progress:
                progress(before + done, n * len(subject.branches))

        search = _BranchSearch(subject, branch, attack, store, report, processes)
        radii = search.radii(batch_size)
        results.append(SmallestEpsilon(subject.name, branch, attack, tuple(radii.tolist())))
    return tuple(results)


@dataclass(frozen=True, eq=False)
class _BranchSearch:
    subject: TestedModel
    branch: str
    attack: AttackConfig
    store: RadiusStore | None
    report: Callable[[int], None]
    processes: Processes

    def radii(self, batch_size: int) -> Tensor:
        """(n,) smallest radii: those that are stored, and the others measured."""
        n = len(self.subject.labels)
        radii = self._stored(n)
        missing = radii.isnan().nonzero()[:, 0]
        if len(missing) < n:
            self.report(n - len(missing))
        if len(missing):
            radii[missing] = self._measured(missing, batch_size)
        return radii

    def _stored(self, n: int) -> Tensor:
        """(n,) radii from the store; NaN where it has none."""
        radii = torch.full((n,), torch.nan, dtype=torch.float64)
        if self.store:
            stored = torch.empty(0, dtype=torch.int64), radii[:0]
            if self.processes.is_first:
                stored = self.store.read_radii(self.subject, self.branch, self.attack)
            rows, values = self.processes.from_first(stored)
            radii[rows] = values
        return radii

    def _measured(self, missing: Tensor, batch_size: int) -> Tensor:
        """Radii of the missing rows, which the processes share."""
        network = folded_network(self.subject, self.branch, self.processes.device)
        before = len(self.subject.labels) - len(missing)
        measured, written = list[Tensor](), missing[:0]
        for batch in self.processes.share(batches(len(missing), batch_size)):
            rows = missing[batch]
            measured.append(_radii(network, self.subject, rows, self.attack, self.processes.device))
            self._write(rows, measured[-1])  # at once, for a batch is hundreds of passes
            written = torch.cat([written, rows])
            self.report(before + batch.stop)
        radii = torch.cat(self.processes.gather(measured))
        by_others = ~torch.isin(missing, written)
        if self.processes.is_first and by_others.any():  # their folders may lie elsewhere
            self._write(missing[by_others], radii[by_others])
        return radii

    def _write(self, rows: Tensor, radii: Tensor) -> None:
        if self.store:
            self.store.write_radii(self.subject, self.branch, self.attack, rows, radii)


def folded_network(subject: TestedModel, branch: str, device: torch.device) -> nn.Module:
    """A branch, folded for speed, that answers with the classes its model may answer with."""
    network = fold(subject.model.branch(branch), subject.images[:1].float() / 255)
    if subject.among is not None:
        network = Restricted(network, subject.among)
    return network.to(device)


def _radii(
    network: nn.Module,
    subject: TestedModel,
    rows: Tensor,
    attack: AttackConfig,
    device: torch.device,
) -> Tensor:
    images = subject.images[rows].to(device).float() / 255
    labels = places(subject.labels[rows], subject.among).to(device)
    pixels = images.contiguous(memory_format=torch.channels_last)
    return smallest_epsilons(network, pixels, labels, attack)


def _or_none(value: float) -> float | None:
    return value if math.isfinite(value) else None
