"""An experiment: all that decides a comparison, besides the network and the picture."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Annotated, Any, Self

from annotated_types import MinLen
from torch import Tensor, nn

from advprop_core.compare.compare import MapRequest, compare
from advprop_core.errors import Checked, Index
from advprop_core.models.dual_bn import DualBNModel
from advprop_core.models.folding import fold, moved_by_folding
from advprop_core.pictures.noise import NoiseConfig
from advprop_core.pictures.regions import EraseConfig, Region
from advprop_core.types import AttackConfig, Comparison

Perturbation = AttackConfig | NoiseConfig | EraseConfig
_KINDS: Mapping[str, Callable[..., Perturbation]] = {
    "attack": AttackConfig,
    "noise": NoiseConfig,
    "erase": lambda regions, fill: EraseConfig(tuple(Region(**r) for r in regions), fill),
}


@dataclass(frozen=True)
class Experiment(Checked):
    """What is done with a picture and asked of a network. Written as JSON, it can be done again.

    Attributes:
        perturbation: An attack, a noise, erased regions, or None to leave the picture as it is.
        attack_branch: Whose gradient an attack follows.
        branches: Those that predict, main first.
        true_class: Where known.
        maps: Which maps to make, if any.

    Raises:
        InputError: For a value of the wrong kind or out of its range.
    """

    perturbation: Perturbation | None
    attack_branch: str
    branches: Annotated[tuple[str, ...], MinLen(1)]
    true_class: Index | None = None
    maps: MapRequest | None = None

    def run(
        self,
        model: DualBNModel,
        pixels: Tensor,
        progress: Callable[[float], None] | None = None,
    ) -> Comparison:
        """Do it with a frozen network and (1, 3, H, W) pixels in [0, 1].

        Raises:
            InputError: For a branch, layer or class that the network does not have.
            TypeError, ValueError: For pixels that are not one image.
        """
        for name in (self.attack_branch, *self.branches):
            model.branch(name)  # raises where there is none
        taking_part = {self.attack_branch, *self.branches}
        names = [name for name in model.branch_names if name in taking_part]
        modules: dict[str, nn.Module] = {name: model.branch(name) for name in names}
        layers = [f"network.{self.maps.layer}"] if self.maps and self.maps.layer else []
        # There a folded network would give another map than the network itself.
        if not (layers and moved_by_folding(next(iter(modules.values())), pixels, layers)):
            modules = {name: fold(module, pixels) for name, module in modules.items()}
        result = compare(
            modules,
            pixels,
            self.perturbation,
            attack_branch=self.attack_branch,
            true_class=self.true_class,
            maps=self.maps,
            progress=progress,
        )
        return _only(result, self.branches)

    def to_json(self) -> dict[str, Any]:
        """Plain values, which :meth:`from_json` reads."""
        return asdict(self) | {"perturbation": perturbation_json(self.perturbation)}

    @classmethod
    def from_json(cls, content: Any) -> Self:
        """Read what :meth:`to_json` wrote.

        Raises:
            InputError: For a value of the wrong kind or out of its range.
            AttributeError, KeyError, TypeError, ValueError: For anything else.
        """
        maps, perturbation = content["maps"], content["perturbation"]
        if perturbation is not None:
            ((kind, settings),) = perturbation.items()
            perturbation = _KINDS[kind](**settings)
        maps = None if maps is None else MapRequest(**maps)
        return cls(**content | {"perturbation": perturbation, "maps": maps})


def perturbation_json(perturbation: Perturbation | None) -> dict[str, Any] | None:
    """``{"attack": …}``, ``{"noise": …}`` or ``{"erase": …}`` with every field; None for none."""
    if perturbation is None:
        return None
    kind = {AttackConfig: "attack", NoiseConfig: "noise", EraseConfig: "erase"}[type(perturbation)]
    return {kind: asdict(perturbation)}


def _only(comparison: Comparison, branches: Sequence[str]) -> Comparison:
    """A comparison without the branch that only lent its gradient."""
    facts, wrong = comparison.facts, comparison.facts.clean_wrong
    return replace(
        comparison,
        predictions={k: answer for k, answer in comparison.predictions.items() if k[1] in branches},
        maps={k: values for k, values in comparison.maps.items() if k[1] in branches},
        facts=replace(
            facts,
            survives_png={name: facts.survives_png[name] for name in branches},
            clean_wrong=wrong and {name: wrong[name] for name in branches},
        ),
    )
