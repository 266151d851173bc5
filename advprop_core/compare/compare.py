"""The main job: perturb an image, ask every branch, and map where each looked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from advprop_core.attacks.gradient import StepHook, attack
from advprop_core.attribution.grids import explain_grid
from advprop_core.attribution.methods import METHODS
from advprop_core.errors import InputError
from advprop_core.pictures.decoding import quantize
from advprop_core.pictures.erasing import erase
from advprop_core.pictures.noise import NoiseConfig, add_noise
from advprop_core.pictures.regions import EraseConfig
from advprop_core.predict import logits_of, predict_grid
from advprop_core.types import (
    AttackConfig,
    AttributionMap,
    Comparison,
    InputKind,
    PerturbationFacts,
    Prediction,
    freeze,
)

Grid = Mapping[tuple[InputKind, str], Prediction]


@dataclass(frozen=True)
class MapRequest:
    """Which maps to make; all share one class, and one layer where the method has one.

    Attributes:
        method: A key of :data:`advprop_core.attribution.methods.METHODS`.
        layer: Dotted name, or None for the method's default.
        class_index: The class to explain; None for the class the attack works against.
        seed: Of everything a method draws.
    """

    method: str = "grad-cam"
    layer: str | None = None
    class_index: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise InputError(f"method must be one of {', '.join(METHODS)}, got {self.method!r}")


def compare(
    branches: Mapping[str, nn.Module],
    pixels: Tensor,
    perturbation: AttackConfig | NoiseConfig | EraseConfig | None,
    *,
    attack_branch: str,
    true_class: int | None = None,
    maps: MapRequest | None = None,
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
        progress: Called with the share that is done of attack and maps; may raise to stop.

    Returns:
        Everything a page draws, detached, on the CPU.

    Raises:
        ValueError: For an unknown branch, or what attack, noise and maps refuse.
    """
    if attack_branch not in branches:
        raise InputError(
            f"attack_branch must be one of {', '.join(branches)}, got {attack_branch!r}"
        )
    if len(pixels) != 1:
        raise InputError(f"pixels must hold one image, got {len(pixels)}")
    clean = predict_grid(branches, {"clean": pixels})
    count = len(clean["clean", attack_branch].logits)
    if true_class is not None and not 0 <= true_class < count:
        raise InputError(f"true_class must lie in [0, {count - 1}], got {true_class}")
    attacked = clean["clean", attack_branch].class_index if true_class is None else true_class

    first = _share_before_maps(maps)

    def on_step(step: int, point: Tensor) -> None:
        if progress and isinstance(perturbation, AttackConfig):
            progress(first * step / perturbation.steps)

    def on_map(done: int, total: int) -> None:
        if progress:
            progress(first + (1 - first) * done / total)

    perturbed = _perturb(branches[attack_branch], pixels, perturbation, attacked, on_step)
    grid: Grid = {**clean, **predict_grid(branches, {"adversarial": perturbed})}
    explained = attacked if maps is None or maps.class_index is None else maps.class_index
    return Comparison(
        clean=freeze(pixels[0]),
        adversarial=freeze(perturbed[0]),
        predictions=grid,
        maps=_maps(branches, pixels, perturbed, maps, explained, on_map) if maps else {},
        facts=_facts(branches, pixels, perturbed, grid, true_class),
        true_class=true_class,
        attacked_class=attacked,
        attack_branch=attack_branch if isinstance(perturbation, AttackConfig) else None,
    )


def _share_before_maps(maps: MapRequest | None) -> float:
    """Of the whole work, very roughly: some maps take hundreds of passes, others one."""
    if maps is None:
        return 1.0
    return 0.1 if METHODS[maps.method].cost == "slow" else 0.9


def _perturb(
    module: nn.Module,
    pixels: Tensor,
    perturbation: AttackConfig | NoiseConfig | EraseConfig | None,
    attacked: int,
    on_step: StepHook,
) -> Tensor:
    if perturbation is None:
        return pixels
    if isinstance(perturbation, NoiseConfig):
        return add_noise(pixels, perturbation)
    if isinstance(perturbation, EraseConfig):
        return erase(pixels, perturbation)
    label = torch.tensor([attacked], device=pixels.device)
    return attack(module, pixels, label, perturbation, on_step)


def _maps(
    branches: Mapping[str, nn.Module],
    clean: Tensor,
    perturbed: Tensor,
    request: MapRequest,
    class_index: int,
    progress: Callable[[int, int], None],
) -> dict[tuple[InputKind, str], AttributionMap]:
    inputs: dict[InputKind, Tensor] = {"clean": clean, "adversarial": perturbed}
    made = explain_grid(
        branches,
        inputs,
        class_index,
        [request.method],
        request.layer,
        seed=request.seed,
        progress=progress,
    )
    return {(kind, branch): drawn for (_, kind, branch), drawn in made.items()}


def _facts(
    branches: Mapping[str, nn.Module],
    clean: Tensor,
    perturbed: Tensor,
    grid: Grid,
    true_class: int | None,
) -> PerturbationFacts:
    change = (perturbed - clean).flatten()
    rounded = quantize(perturbed)
    survives = {
        name: int(logits_of(module, rounded).argmax()) == grid["adversarial", name].class_index
        for name, module in branches.items()
    }
    wrong = None
    if true_class is not None:
        wrong = {name: grid["clean", name].class_index != true_class for name in branches}
    return PerturbationFacts(
        linf=float(change.abs().max()),
        l2=float(change.norm()),
        low=float(perturbed.min()),
        high=float(perturbed.max()),
        survives_png=survives,
        clean_wrong=wrong,
    )
