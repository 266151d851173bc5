"""The settings of AutoAttack; loads no torch."""

from dataclasses import dataclass

from advprop_core.errors import Checked, Count, Index, InputError
from advprop_core.types import Norm, Radius, require_radius

MEMBERS = ("APGD-CE", "APGD-T", "FAB-T", "Square")
"""What AutoAttack is made of, in its order; T stands for targeted."""


_FEWEST_CLASSES = 4


@dataclass(frozen=True)
class AutoAttackConfig(Checked):
    """The standard ensemble of Croce and Hein (arXiv 2003.01690), complete and hashable.

    The defaults are the published ones, with one restart of each member. A network with fewer
    than ten classes has fewer than nine wrong ones; all of them are then targets.

    Attributes:
        norm: The ball the perturbation stays in.
        epsilon: Radius in pixel units on [0, 1]; in [0, 1] for L-infinity.
        steps: Gradient steps of APGD-CE, and of APGD-T and FAB-T for each target; at least 1.
        targets: The most probable wrong classes that are targets, at least 1.
        queries: How often Square may ask the network about an image, at least 1.
        seed: Of everything random.

    Raises:
        InputError: For a value of the wrong kind or out of its range.
    """

    norm: Norm = "linf"
    epsilon: Radius = 4 / 255
    steps: Count = 100
    targets: Count = 9
    queries: Count = 5000
    seed: Index = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        require_radius("epsilon", self.epsilon, self.norm)

    @property
    def name(self) -> str:
        """``AutoAttack``, with its numbers where they are not the published ones."""
        published = AutoAttackConfig()
        numbers = [
            f"{getattr(self, field)} {field}"
            for field in ("steps", "targets", "queries")
            if getattr(self, field) != getattr(published, field)
        ]
        return f"AutoAttack ({', '.join(numbers)})" if numbers else "AutoAttack"


def require_classes(classes: int, model: str = "model") -> None:
    """Refuse a network with too few classes; the message names the model."""
    if classes < _FEWEST_CLASSES:
        raise InputError(
            f"AutoAttack needs at least {_FEWEST_CLASSES} classes, for its DLR loss compares the "
            f"best four logits, and {model} has {classes}: attack it with PGD"
        )
