"""How little is enough? The smallest radius at which PGD turns a branch, image by image."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from advprop_core.attacks.gradient import Sizes, loss_gradient, walk
from advprop_core.attacks.inputs import Model, own_inputs, require_labels
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
        ValueError: For a targeted attack, a limit of 0, or what an attack refuses.
    """
    pixels, labels = own_inputs(model, pixels, labels)
    if attack.target_class is not None or not attack.epsilon:
        raise ValueError(
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
        search.attack_at(rows, (search.held[rows] + turned[rows]) / 2)
    return turned


@dataclass(frozen=True, eq=False)
class _Search:
    """For each image the largest radius that was tried in vain, and the smallest that sufficed."""

    model: Model
    pixels: Tensor
    labels: Tensor
    attack: AttackConfig
    held: Tensor
    turned: Tensor

    def attack_at(self, rows: Tensor, radii: Tensor) -> None:
        """Attack some images, each at its own radius."""
        if not len(rows):
            return
        pixels, labels = self.pixels[rows], self.labels[rows]
        epsilon = radii.to(pixels).view(-1, 1, 1, 1)
        sizes = Sizes(epsilon, epsilon * (self.attack.step_size / self.attack.epsilon))
        found = walk(self.model, pixels, labels, self.attack, loss_gradient, sizes=sizes)
        with torch.no_grad():
            fell = (self.model(found).argmax(1) != labels).cpu()
        self.turned[rows[fell]] = radii[fell]
        self.held[rows[~fell]] = radii[~fell]


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
        processes: That call this together, as for :func:`~advprop_core.evaluation.answers.answer`.
    """
    found, n = [], len(subject.labels)
    for place, branch in enumerate(subject.branches):
        radii = torch.full((n,), torch.nan, dtype=torch.float64)
        if store:
            nothing = torch.empty(0, dtype=torch.int64), radii[:0]
            first = processes.is_first
            kept, known = processes.from_first(
                store.read_radii(subject, branch, attack) if first else nothing
            )
            radii[kept] = known
        missing = radii.isnan().nonzero()[:, 0]
        before = (place + 1) * n - len(missing)
        if progress and len(missing) < n:
            progress(before, n * len(subject.branches))
        if len(missing):
            network, own = folded_network(subject, branch, processes.device), list[Tensor]()
            kept = missing[:0]
            for some in processes.share(batches(len(missing), batch_size)):
                rows = missing[some]
                own.append(_radii(network, subject, rows, attack, processes.device))
                if store:  # at once, for a batch is hundreds of passes
                    store.write_radii(subject, branch, attack, rows, own[-1])
                    kept = torch.cat([kept, rows])
                if progress:
                    progress(before + some.stop, n * len(subject.branches))
            radii[missing] = torch.cat(processes.gather(own))
            rest = missing[~torch.isin(missing, kept)]
            if store and processes.is_first and len(rest):  # the others' folders may lie elsewhere
                store.write_radii(subject, branch, attack, rest, radii[rest])
        found.append(SmallestEpsilon(subject.name, branch, attack, tuple(radii.tolist())))
    return tuple(found)


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
