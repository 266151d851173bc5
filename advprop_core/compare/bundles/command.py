"""The ``advprop compare …`` command that does an experiment again."""

import shlex

from advprop_core.compare.bundles.network import Source
from advprop_core.compare.compare import MapRequest
from advprop_core.compare.experiment import Experiment
from advprop_core.models.class_names import UNKNOWN, find_class
from advprop_core.pictures.noise import NoiseConfig
from advprop_core.pictures.regions import EraseConfig, format_regions
from advprop_core.text import exact_radius
from advprop_core.types import AttackConfig, ModelInfo

CLASSES = "classes.txt"
"""The class names that a person gave, one a line, beside the picture."""


def compare_command(experiment: Experiment, source: Source, picture: str) -> str:
    """The command, to be typed where the bundle is unpacked; ``picture`` is its picture's file."""
    info = source.info
    truth = experiment.true_class
    words = ["advprop", "compare", picture, "--model", source.name]
    words += source.settings.options
    if "--classes" in words:  # a name may hold a comma, and a thousand are no line to type
        words[words.index("--classes") + 1] = CLASSES
    if len(experiment.branches) < len(info.branches):
        words += ["--branch", ",".join(experiment.branches)]
    words += ["--true-class", UNKNOWN if truth is None else _class(info, truth)]
    words += _perturbation(experiment, info)
    words += ["--attack-branch", experiment.attack_branch]
    if experiment.maps is not None:
        words += _maps(experiment.maps, info)
    return shlex.join([*words, "--bundle", "again.zip"])


def _perturbation(experiment: Experiment, info: ModelInfo) -> list[str]:
    match experiment.perturbation:
        case AttackConfig() as config:
            return _attack(config, info)
        case NoiseConfig(kind, severity, seed):
            return ["--noise", kind, "--severity", repr(severity), "--seed", str(seed)]
        case EraseConfig(regions, fill):
            return ["--erase", format_regions(regions), "--fill", fill]
        case _:
            return ["--attack", "none"]


def _attack(config: AttackConfig, info: ModelInfo) -> list[str]:
    write = exact_radius if config.norm == "linf" else repr  # an L2 radius is no level of colour
    kind = "pgd" if config.random_start else "fgsm" if config.name == "FGSM" else "i-fgsm"
    words = ["--attack", kind, "--norm", config.norm, "--epsilon", write(config.epsilon)]
    if kind != "fgsm":
        words += ["--step-size", write(config.step_size), "--steps", str(config.steps)]
        words += ["--seed", str(config.seed)]
    if config.target_class is not None:
        words += ["--target-class", _class(info, config.target_class)]
    return words


def _maps(maps: MapRequest, info: ModelInfo) -> list[str]:
    words = ["--method", maps.method, "--map-seed", str(maps.seed)]
    if maps.layer is not None:
        words += ["--layer", maps.layer]
    if maps.class_index is not None:
        chosen = maps.class_index
        words += ["--class-index", chosen if chosen == "own" else _class(info, chosen)]
    return words


def _class(info: ModelInfo, index: int) -> str:
    """A word that means this class: its id, or its index where the id means another."""
    identity = info.class_ids[index]
    return identity if find_class(info.classes, identity) == index else str(index)
