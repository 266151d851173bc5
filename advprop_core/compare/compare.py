"""The main job: perturb an image, ask every branch, and map where each looked."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

import torch
from torch import Tensor, nn

from advprop_core.attacks.gradient import StepHook, attack
from advprop_core.attribution.cams import ForwardPass, forward_pass
from advprop_core.attribution.errors import NoGradient, Unfit, UnknownLayer
from advprop_core.attribution.grids import MapMaker
from advprop_core.attribution.methods import METHODS
from advprop_core.compare.photo import Photo, ask_clean
from advprop_core.errors import Checked, Index, InputError
from advprop_core.pictures.decoding import quantize
from advprop_core.pictures.erasing import erase
from advprop_core.pictures.noise import NoiseConfig, add_noise
from advprop_core.pictures.regions import EraseConfig
from advprop_core.predict import in_precision_of, predict
from advprop_core.types import (
    INPUT_KINDS,
    AttackConfig,
    AttributionMap,
    Comparison,
    InputKind,
    PerturbationFacts,
    Prediction,
    Progress,
    freeze,
)

Grid = Mapping[tuple[InputKind, str], Prediction]

_Maps = TypeVar("_Maps")


@dataclass(frozen=True)
class MapRequest(Checked):
    """Which maps to make; all share one layer where the method has one.

    Attributes:
        method: A key of :data:`advprop_core.attribution.methods.METHODS`.
        layer: Dotted name, or None for the method's default.
        class_index: The class to explain; None for the class the attack works against; ``own``
            for what each branch answers to each picture.
        seed: Of everything a method draws.
    """

    method: str = "grad-cam"
    layer: str | None = None
    class_index: Index | Literal["own"] | None = None
    seed: Index = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.method not in METHODS:
            raise InputError(f"method must be one of {', '.join(METHODS)}, got {self.method!r}")

    def explained(self, attacked_class: int, predictions: Grid) -> dict[tuple[InputKind, str], int]:
        """(kind, branch) to the class that its map explains."""
        if self.class_index == "own":
            return {cell: prediction.class_index for cell, prediction in predictions.items()}
        return dict.fromkeys(predictions, self.class_of_all(attacked_class))

    def is_met_by(self, comparison: Comparison) -> bool:
        """Whether its maps are these, at a layer: what is drawn for others is not known."""
        maps = comparison.maps
        explained = self.explained(comparison.attacked_class, comparison.predictions)
        return (
            METHODS[self.method].needs_layer
            and maps.keys() == explained.keys()
            and all(
                (drawn.method, drawn.layer, drawn.class_index)
                == (self.method, self.layer, explained[cell])
                for cell, drawn in maps.items()
            )
        )

    def class_of_all(self, attacked_class: int) -> int:
        """The class that all maps explain; an InputError where each explains another."""
        if self.class_index == "own":
            raise InputError("these maps explain one class: class_index must not be own")
        return attacked_class if self.class_index is None else self.class_index


def compare(
    branches: Mapping[str, nn.Module],
    pixels: Tensor,
    perturbation: AttackConfig | NoiseConfig | EraseConfig | None,
    *,
    attack_branch: str,
    true_class: int | None = None,
    maps: MapRequest | None = None,
    clean: Mapping[str, Prediction] | None = None,
    progress: Callable[[float], None] | None = None,
) -> Comparison:
    """Perturb one image and compare what the branches make of it.

    Args:
        branches: Name to frozen module, main first (plain branches, or folded for speed).
        pixels: (1, 3, H, W) in [0, 1].
        perturbation: An attack, a noise, erased regions, or None to leave the image as it is.
        attack_branch: Whose gradient an attack follows.
        true_class: Where known; otherwise an untargeted attack works against the attack
            branch's own clean prediction.
        maps: Which maps to make, if any.
        clean: Branch to its prediction on the image, from an earlier comparison of both; the
            branches are asked where there is none.
        progress: Called with the share that is done of attack and maps; may raise to stop.

    Returns:
        Everything a page draws, detached, on the CPU. Where the network has no maps of the kind
        that was asked for, it says why in their place.

    Raises:
        InputError: For an unknown branch, or a class that the branches do not have.
        TypeError, ValueError: For pixels that are not one image, or what attack, noise and maps
            refuse.
    """
    layer = maps.layer if maps and METHODS[maps.method].needs_layer else None
    # With a layer one pass answers to all pictures, so an attack waits for its own branch alone.
    asked = () if layer is None else (attack_branch,)
    photo = ask_clean(branches, pixels, true_class, attack_branch, clean, asked)
    attacked = photo.expected[attack_branch]
    # Of the whole work, very roughly: some maps take hundreds of passes, others one.
    first = 1.0 if maps is None else {"fast": 0.9, "slow": 0.1}[METHODS[maps.method].cost]

    def on_step(step: int, point: Tensor) -> None:
        if progress and isinstance(perturbation, AttackConfig):
            progress(first * step / perturbation.steps)

    def on_map(done: int, total: int) -> None:
        if progress:
            progress(first + (1 - first) * done / total)

    perturbed = _perturb(branches[attack_branch], photo, perturbation, attack_branch, on_step)
    answers, passes = _ask(branches, photo, perturbed, layer)
    grid: dict[tuple[InputKind, str], Prediction] = {}
    for name, (before, _, _) in answers.items():
        grid["clean", name] = before
    for name, (before, exact, _) in answers.items():
        grid["adversarial", name] = before if perturbation is None else exact
    change = (perturbed - photo.pixels).float().flatten()
    facts = PerturbationFacts(
        linf=float(change.abs().max()),
        l2=float(change.norm()),
        low=float(perturbed.min()),
        high=float(perturbed.max()),
        survives_png={
            name: exact.class_index == rounded.class_index
            for name, (_, exact, rounded) in answers.items()
        },
        clean_wrong=None
        if photo.true_class is None
        else {name: grid["clean", name].class_index != photo.true_class for name in branches},
    )
    result = Comparison(
        clean=freeze(photo.pixels[0]),
        adversarial=freeze(perturbed[0]),
        predictions=grid,
        maps={},
        facts=facts,
        true_class=photo.true_class,
        attacked_class=attacked,
        attack_branch=attack_branch if isinstance(perturbation, AttackConfig) else None,
    )
    if maps is None:
        return result
    return with_maps(branches, result, maps, progress=on_map, passes=passes)


def with_maps(
    branches: Mapping[str, nn.Module],
    comparison: Comparison,
    maps: MapRequest,
    *,
    progress: Progress | None = None,
    passes: Mapping[str, ForwardPass] | None = None,
) -> Comparison:
    """The comparison with maps of its pictures, in place of those that it has.

    The branches are those that made the comparison; passes are of the clean picture and then of
    the perturbed one, where there are any. The same comparison, where it has these maps.

    Raises:
        UnknownLayer, ValueError: As for :func:`compare`.
    """
    if maps.is_met_by(comparison):
        return comparison
    module = next(iter(branches.values()))
    weight = next(module.parameters(), comparison.clean)  # whose device results have left
    pictures = zip(INPUT_KINDS, (comparison.clean, comparison.adversarial), strict=True)
    inputs = {
        kind: in_precision_of(module, picture[None]).to(weight.device) for kind, picture in pictures
    }
    explained = maps.explained(comparison.attacked_class, comparison.predictions)

    def make(request: MapRequest) -> dict[tuple[InputKind, str], AttributionMap]:
        maker = MapMaker(branches, inputs, explained, seed=request.seed, passes=passes)
        return maker.make(request.method, request.layer, progress=progress)

    drawn, refused = made_or_refused(maps, make)
    return replace(comparison, maps=drawn or {}, maps_refused=refused)


def made_or_refused(
    request: MapRequest | None, make: Callable[[MapRequest], _Maps]
) -> tuple[_Maps | None, str | None]:
    """The maps that are asked for, or why the network has none, as a transformer has no Grad-CAM.

    A layer that was named and is not there is the slip of whoever named it, and still raises.
    """
    if request is None:
        return None, None
    try:
        return make(request), None
    except (Unfit, NoGradient, UnknownLayer) as error:
        if isinstance(error, UnknownLayer) and request.layer is not None:
            raise
        return None, str(error)


def _ask(
    branches: Mapping[str, nn.Module], photo: Photo, perturbed: Tensor, layer: str | None
) -> tuple[dict[str, tuple[Prediction, Prediction, Prediction]], dict[str, ForwardPass]]:
    """What each branch says of the clean picture, the perturbed one, and its rest as a PNG.

    A batch takes less than a pass for each. With a layer the clean picture is in it, first, so
    that maps at the layer need no pass of their own.
    """
    pictures = torch.cat([perturbed, quantize(perturbed)])
    answers, passes = {}, {}
    for name, module in branches.items():
        if layer is None:
            clean, (exact, rounded) = photo.clean[name], predict(module, pictures)
        else:
            passes[name] = forward_pass(module, torch.cat([photo.pixels, pictures]), [layer])
            clean, exact, rounded = map(Prediction.from_logits, passes[name].logits)
        answers[name] = photo.clean.get(name, clean), exact, rounded
    return answers, passes


def _perturb(
    module: nn.Module,
    photo: Photo,
    perturbation: AttackConfig | NoiseConfig | EraseConfig | None,
    attack_branch: str,
    on_step: StepHook,
) -> Tensor:
    if perturbation is None:
        return photo.pixels
    if isinstance(perturbation, NoiseConfig):
        return add_noise(photo.pixels, perturbation)
    if isinstance(perturbation, EraseConfig):
        return erase(photo.pixels, perturbation)
    return attack(module, photo.pixels, photo.label(attack_branch), perturbation, on_step)
