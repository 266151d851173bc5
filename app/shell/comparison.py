"""What a view asks of the library: the comparison of what every branch makes of one picture."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, cast

from advprop_core.attacks.named import gradient_attack
from advprop_core.attribution.methods import METHODS
from advprop_core.models.class_names import find_class
from advprop_core.pictures.regions import EraseConfig, parse_regions
from advprop_core.text import NORM_UNITS
from advprop_core.types import AttackConfig, Comparison, InputKind, ModelInfo, Norm
from app.shell import cache
from app.shell.pictures import key_of
from app.shell.tasks import Shown, Task
from app.shell.view import ATTACKS, EXPLAINED, View

if TYPE_CHECKING:
    from torch import Tensor

    from advprop_core.pictures.noise import NoiseConfig
    from advprop_core.pictures.regions import Fill
    from app.shell.cache import Lens


def comparison_task(view: View, lens: Lens, maps: Any = None) -> Task:
    """Perturb the picture and compare the branches, with maps where some are asked for."""
    free_maps = None
    # The pass that answers gives maps at one of its layers almost for nothing.
    if METHODS[view.method].cost == "fast" and layer_of(view, lens, [view.method]) in lens.layers:
        free_maps = map_request(view, lens)
    return picture_task(view, lens, compared, lens, key_of(view.image), free_maps, maps=maps)


def compared(
    lens: Lens, picture: Hashable, free_maps: Any, pixels: Tensor, *, maps: Any, **options: Any
) -> Comparison:
    """A comparison, for which the branches are asked about a clean picture once for all people.

    It may have other free maps than the next person wants who asks for the same comparison.
    """
    from advprop_core.compare.compare import compare  # here: it loads torch

    clean = lens.clean_answers.get(picture)
    result = compare(lens.branches, pixels, clean=clean, maps=maps or free_maps, **options)
    answers = {branch: result.predictions["clean", branch] for branch in result.branches}
    lens.clean_answers.put(picture, answers)
    return result


def maps_task(comparison: Shown, lens: Lens) -> Task:
    """The maps of a comparison that is shown, which has them or needs no new attack for them."""
    from advprop_core.compare.compare import with_maps  # here: it loads torch

    return Task.of(
        (lens.network,),
        with_maps,
        lens.branches,
        comparison.result,
        about=comparison.task,
        follows=METHODS[comparison.view.method].cost == "fast",
        maps=map_request(comparison.view, lens),
    )


def picture_task(
    view: View,
    lens: Lens,
    function: Callable[..., Any],
    *inputs: Any,
    about: Hashable = None,
    **options: Any,
) -> Task:
    """The task of ``function(*inputs, pixels, **options)`` on the perturbed picture of a view.

    The function takes what :func:`perturbing` gives, too; ``about`` says what the inputs come
    from, where that is not the network alone.
    """
    pixels = cache.pixels(view.image, lens.info.input_size)
    about = (key_of(view.image), about)
    options |= perturbing(view, lens.info)
    return Task.of((lens.network,), function, *inputs, pixels, about=about, **options)


def perturbing(view: View, info: ModelInfo) -> dict[str, Any]:
    """How the picture is changed, as arguments of :func:`~advprop_core.compare.compare.compare`."""
    return {
        "perturbation": perturbation(view, info),
        "attack_branch": view.attack_branch,
        "true_class": true_class(view, info),
    }


def true_class(view: View, info: ModelInfo) -> int | None:
    """The index of what the picture shows: as its source says, or else as the person does."""
    label = cache.picture(view.image, info.input_size).label
    word = label or view.true_class
    return find_class(info.classes, word) if word else None  # a class may have no name


def inputs(comparison: Comparison) -> dict[InputKind, Tensor]:
    """Both pictures as a batch of one."""
    return {"clean": comparison.clean[None], "adversarial": comparison.adversarial[None]}


def map_request(view: View, lens: Lens, *, one_class: bool = False) -> Any:
    """The kind of map, the layer and the class that the view names; see :func:`explained`."""
    from advprop_core.compare.compare import MapRequest

    layer = layer_of(view, lens, [view.method])
    return MapRequest(view.method, layer, explained(view, lens.info, one_class=one_class))


def layer_of(view: View, lens: Lens, methods: Sequence[str]) -> str | None:
    """The layer of the maps; None where none of them has one, so that it does not matter."""
    if any(METHODS[name].needs_layer for name in methods):
        return view.layer or lens.default_layer or None
    return None


def explained(
    view: View, info: ModelInfo, *, one_class: bool = False
) -> int | Literal["own"] | None:
    """What maps explain, as :class:`~advprop_core.compare.compare.MapRequest` takes it.

    With ``one_class`` all maps explain the class under attack where each would explain another, so
    that they can be compared.
    """
    if view.explained == "own" and not one_class:
        return "own"
    return None if view.explained in EXPLAINED else info.class_ids.index(view.explained)


def perturbation(view: View, info: ModelInfo) -> AttackConfig | NoiseConfig | EraseConfig | None:
    """The attack, noise or erased regions that the view asks for, or None.

    Raises:
        InputError: If attack or noise refuse their numbers.
    """
    if view.perturbation == "none":
        return None
    if view.perturbation == "erase":
        return EraseConfig(parse_regions(view.regions), cast("Fill", view.fill))
    if view.perturbation in ATTACKS:
        return attack_config(view, info)
    from advprop_core.pictures.noise import NoiseConfig  # here: it loads torch

    return NoiseConfig(view.perturbation, view.severity, view.seed)


def attack_config(view: View, info: ModelInfo) -> AttackConfig:
    """The attack that the view asks for; an InputError if it refuses its numbers."""
    norm = cast("Norm", view.norm)
    unit = NORM_UNITS[norm]
    takes_steps = view.perturbation != "fgsm"
    attack = gradient_attack(
        view.perturbation,
        norm,
        view.strength / unit,
        steps=view.steps if takes_steps else None,
        step_size=(view.step_size / unit or None) if takes_steps else None,
        seed=view.seed,
    )
    return replace(attack, target_class=target_class(view, info))


def target_class(view: View, info: ModelInfo) -> int | None:
    """The index of the class that the attack of a view aims at; None where there is none."""
    if view.target and view.perturbation in ATTACKS:
        return info.class_ids.index(view.target)
    return None
