"""How much the maps of several branches look at the object, all measured on the same scenes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from torch import Tensor, nn

from advprop_core.attribution.errors import NoGradient, Unfit
from advprop_core.attribution.grids import options_of
from advprop_core.attribution.maps import explain
from advprop_core.attribution.methods import METHODS, MapChoice, Method
from advprop_core.datasets.texture_shapes.scenes import Scene
from advprop_core.errors import InputError
from advprop_core.faithfulness.maps import as_evidence
from advprop_core.faithfulness.objects import (
    ObjectDifference,
    ObjectShare,
    compare_object_shares,
    object_share,
)
from advprop_core.types import Progress

_AT_A_TIME = {"fast": 16, "slow": 4}


@dataclass(frozen=True)
class SceneBranch:
    """One frozen branch of one model, and the scenes at its own size.

    The layer is the same in all branches of a model, and None where no method has one.
    """

    model: str
    branch: str
    module: nn.Module
    layer: str | None
    scenes: Sequence[Scene]


@dataclass(frozen=True)
class SceneResult:
    """What was measured of one method on one branch.

    The difference is to the first branch of the first model. It is None for that one itself, and
    where the scenes were drawn at another size.
    """

    shown: SceneBranch
    method: Method
    objects: ObjectShare
    difference: ObjectDifference | None


def measure_scenes(
    branches: Sequence[SceneBranch], choice: MapChoice, begin: Callable[[str], Progress]
) -> tuple[list[SceneResult], list[dict[str, str]]]:
    """Every method on every branch; each scene's true class is explained.

    Args:
        branches: The first is what the others are compared with.
        choice: Which maps.
        begin: Called with a title before each method and branch; what it returns is called with
            (done, total).

    Returns:
        The results, method by method; and ``model``, ``branch``, ``method`` and ``reason`` of
        what does not fit and is not required.

    Raises:
        InputError: If a required method does not fit, or none does.
    """
    results: list[SceneResult] = []
    left_out: list[dict[str, str]] = []
    for name in choice.methods:
        method = METHODS[name]
        first: ObjectShare | None = None
        for shown in branches:
            progress = begin(f"{method.title}, {shown.model} {shown.branch}")
            try:
                objects = object_share(
                    partial(_maps, shown, method, choice),
                    shown.scenes,
                    seed=choice.seed,
                    batch_size=_AT_A_TIME[method.cost],
                    progress=progress,
                )
            except (Unfit, NoGradient) as error:
                if name in choice.required:
                    raise
                who = {"model": shown.model, "branch": shown.branch}
                left_out.append({**who, "method": name, "reason": str(error)})
                continue
            difference = None
            if shown is branches[0]:
                first = objects
            elif first and first.areas == objects.areas:
                difference = compare_object_shares(first, objects, seed=choice.seed)
            results.append(SceneResult(shown, method, objects, difference))
    if not results:
        raise InputError(f"no method fits: {left_out[0]['reason']}")
    return results, left_out


def _maps(
    shown: SceneBranch, method: Method, choice: MapChoice, pixels: Tensor, classes: tuple[int, ...]
) -> Tensor:
    maps = explain(
        shown.module,
        pixels,
        classes,
        method.name,
        layer=shown.layer if method.needs_layer else None,
        seed=choice.seed,
        progress=None,
        **options_of(method, choice.options),
    )
    return as_evidence(maps, method.name)
