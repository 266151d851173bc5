"""Which half of the norm makes a branch robust: γ and β, or the running statistics?"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from torch import Tensor

from advprop_core.anatomy.mixing import blend
from advprop_core.attacks.gradient import attack
from advprop_core.evaluation.cells import TestedModel
from advprop_core.evaluation.conditions import Condition
from advprop_core.evaluation.intervals import wilson_interval
from advprop_core.evaluation.suite import Suite, evaluate
from advprop_core.models.dual_bn import MAIN, DualBNModel, PixelNetwork, private_view
from advprop_core.models.statistics import spread
from advprop_core.types import AttackConfig, InputKind, Progress


@dataclass(frozen=True)
class Mixture:
    """What the norm layers of a network are made of.

    Attributes:
        affine: Place of γ and β between the two branches: 0 is the first, 1 the second.
        statistics: Place of the running statistics between them (naive), or the kind of images
            that they are estimated on again.
    """

    affine: float
    statistics: float | InputKind


ENDS = (Mixture(0.0, 0.0), Mixture(1.0, 1.0))
"""The branches themselves."""
NAIVE = (Mixture(0.0, 1.0), Mixture(1.0, 0.0))
"""Half of one branch with half of the other, as they are."""
ESTIMATED = tuple(
    Mixture(affine, kind) for affine in (0.0, 1.0) for kind in ("clean", "adversarial")
)
"""γ and β of either branch with statistics that fit them."""
LINE = tuple(Mixture(affine, "clean") for affine in (0.25, 0.5, 0.75))
NAIVE_LINE = tuple(Mixture(place, place) for place in (0.25, 0.5, 0.75))
MIXTURES = (*ENDS, *NAIVE, *ESTIMATED, *LINE, *NAIVE_LINE)


@dataclass(frozen=True)
class MixtureAccuracy:
    """How often a mixture is right.

    Attributes:
        mixture: What it is made of.
        n: Number of images.
        clean: How many it gets right as they are.
        robust: How many it gets right under an attack through itself.
    """

    mixture: Mixture
    n: int
    clean: int
    robust: int

    def share(self, kind: InputKind) -> float:
        """Clean or robust accuracy."""
        return (self.clean if kind == "clean" else self.robust) / self.n

    def interval(self, kind: InputKind) -> tuple[float, float]:
        """Its 95 % Wilson interval."""
        return wilson_interval(self.share(kind) * self.n, self.n)

    def to_json(self) -> dict[str, Any]:
        """Plain values, with intervals for who reads the file."""
        figures = asdict(self)
        return {
            **figures.pop("mixture"),
            **figures,
            "clean_interval": list(self.interval("clean")),
            "robust_interval": list(self.interval("adversarial")),
        }


def by_pair(content: Mapping[str, Any]) -> dict[tuple[str, str], dict[Mixture, MixtureAccuracy]]:
    """(network, auxiliary branch) to its mixtures.

    Args:
        content: Of ``assets/results/norm-halves.json``, which benchmarks/halves writes.
    """
    pairs: dict[tuple[str, str], dict[Mixture, MixtureAccuracy]] = {}
    for row in content["results"]:
        mixture = Mixture(row["affine"], row["statistics"])
        accuracy = MixtureAccuracy(mixture, row["n"], row["clean"], row["robust"])
        pairs.setdefault((row["model"], row["second"]), {})[mixture] = accuracy
    return pairs


def mix(
    model: DualBNModel,
    mixture: Mixture,
    reference: Tensor,
    reference_labels: Tensor,
    config: AttackConfig,
    *,
    second: str = "aux",
) -> PixelNetwork:
    """Main and another branch, mixed.

    Args:
        model: With both branches; it is not changed.
        mixture: What is wanted of each.
        reference: (N, 3, S, S) pixels in [0, 1] to estimate statistics on.
        reference_labels: Their classes.
        config: Makes adversarial images of them where the mixture wants such, through the same
            γ and β with statistics of the clean ones.
        second: The other branch.
    """
    if not isinstance(mixture.statistics, str):
        return blend(model, mixture.affine, mixture.statistics, second=second)
    network = blend(model, mixture.affine, reference, second=second)
    if mixture.statistics == "clean":
        return network
    adversarial = reference.clone()
    for pixels, labels, target in zip(
        spread(reference), spread(reference_labels), spread(adversarial), strict=True
    ):  # batches are views, so this fills the whole
        target.copy_(attack(network, pixels, labels, config))
    return blend(model, mixture.affine, adversarial, second=second)


def measure(
    network: PixelNetwork,
    mixture: Mixture,
    images: Tensor,
    labels: Tensor,
    config: AttackConfig,
    progress: Progress | None = None,
) -> MixtureAccuracy:
    """Clean and robust accuracy of what :func:`mix` gave, attacked through itself.

    The images, (N, 3, S, S) uint8, must be others than the statistics were estimated on.
    """
    view = private_view(network)
    alone = DualBNModel(
        view.network, view.mean.flatten().tolist(), view.std.flatten().tolist(), auxiliaries=0
    ).eval()
    conditions = Condition(), Condition(config, MAIN)
    suite = Suite([TestedModel("", alone, images, labels)], conditions)
    clean, robust = evaluate(suite, progress=progress).results
    # Counts again, which a file holds exactly.
    return MixtureAccuracy(
        mixture, clean.n, round(clean.top1 * clean.n), round(robust.top1 * robust.n)
    )
