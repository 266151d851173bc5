"""A view as a request to the library, and the work it asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from advprop_core.attribution.methods import METHODS
from advprop_core.compare.compare import MapRequest, compare
from advprop_core.models.class_names import find_class
from advprop_core.pictures.noise import NoiseConfig
from advprop_core.pictures.regions import EraseConfig, parse_regions
from advprop_core.types import AttackConfig, Comparison, ModelInfo
from app.shell.controls import ATTACKS
from app.shell.jobs import Job
from app.shell.state import View

if TYPE_CHECKING:
    from torch import Tensor, nn

    from advprop_core.pictures.regions import Fill


@dataclass(frozen=True)
class ComparisonRequest:
    """All that decides a comparison; equal requests share one job.

    Attributes:
        model: Name of the model.
        image: Source of the picture.
        perturbation: Attack, noise, erased regions or None.
        attack_branch: Whose gradient an attack follows.
        true_class: Index, or None.
        maps: Which maps to make, if any.
    """

    model: str
    image: str
    perturbation: AttackConfig | NoiseConfig | EraseConfig | None
    attack_branch: str
    true_class: int | None
    maps: MapRequest | None


def make_request(view: View, info: ModelInfo, label: str | None) -> ComparisonRequest:
    """What the view asks of the library.

    Raises:
        ValueError: If attack or noise refuse their numbers.
    """
    explained = info.class_ids.index(view.explained) if view.explained else None
    return ComparisonRequest(
        view.model,
        view.image,
        _perturbation(view, info),
        view.attack_branch,
        class_index(info, label),
        MapRequest(view.method, _layer(view), explained),
    )


def class_index(info: ModelInfo, label: str | None) -> int | None:
    """The index of a class given by id or name, or None where the model has no such class."""
    return None if label is None else find_class(info.classes, label)


def run(
    request: ComparisonRequest, branches: Mapping[str, nn.Module], pixels: Tensor, job: Job
) -> Comparison:
    """Do the work, reporting to the job."""
    return compare(
        branches,
        pixels,
        request.perturbation,
        attack_branch=request.attack_branch,
        true_class=request.true_class,
        maps=request.maps,
        progress=job.report,
    )


def _layer(view: View) -> str | None:
    return (view.layer or None) if METHODS[view.method].needs_layer else None


def _perturbation(view: View, info: ModelInfo) -> AttackConfig | NoiseConfig | EraseConfig | None:
    if view.perturbation == "none":
        return None
    if view.perturbation == "erase":
        return EraseConfig(parse_regions(view.regions), cast("Fill", view.fill))
    if view.perturbation not in ATTACKS:
        return NoiseConfig(view.perturbation, view.severity, view.seed)
    return attack_config(view, info)


def attack_config(view: View, info: ModelInfo) -> AttackConfig:
    """The attack that the view asks for.

    Raises:
        ValueError: If it refuses its numbers.
    """
    linf = view.norm == "linf"
    unit = 1 / 255 if linf else 1.0
    epsilon = view.epsilon / 255 if linf else view.radius
    target = info.class_ids.index(view.target) if view.target else None
    if view.perturbation == "fgsm":
        return AttackConfig.fgsm(epsilon, norm="linf" if linf else "l2", target_class=target)
    return AttackConfig.pgd(
        epsilon,
        norm="linf" if linf else "l2",
        steps=view.steps,
        step_size=view.step_size * unit if view.step_size else None,
        random_start=view.perturbation == "pgd",
        target_class=target,
        seed=view.seed,
    )
