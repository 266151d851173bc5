"""What ``attack``, ``compare`` and ``explain`` share: the run itself and what is told of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from advprop_core.cli.inputs import Subject
from advprop_core.cli.output import Report, command_line, comparison_json, versions
from advprop_core.cli.values import read_class
from advprop_core.cli.words import describe_attack, describe_facts, outcome
from advprop_core.compare.compare import MapRequest
from advprop_core.compare.compare import compare as run
from advprop_core.report.colours import Array
from advprop_core.types import AttackConfig, Comparison


def aim(config: AttackConfig, subject: Subject, target_class: str | None) -> AttackConfig:
    """The attack with its target class, if one was named.

    Raises:
        InputError: If the model has no such class.
    """
    if target_class is None:
        return config
    return replace(config, target_class=read_class(subject.info, target_class, "--target-class"))


def perturb(
    subject: Subject,
    config: AttackConfig | None,
    attack_branch: str | None,
    maps: MapRequest | None = None,
) -> Comparison:
    """The main job, reduced to the branches that predict.

    Args:
        subject: The photo and the model.
        config: The attack, or None to leave the photo as it is.
        attack_branch: Whose gradient it follows.
        maps: Which maps to make, if any.

    Raises:
        InputError: For a branch, layer or class that the model does not have.
    """
    source = subject.attack_branch(attack_branch)
    # A layer inside a folded pair would give another map than the network's own.
    folded = maps is None or maps.layer is None
    result = run(
        subject.modules(source, folded=folded),
        subject.pixels,
        config,
        attack_branch=source,
        true_class=subject.true_class,
        maps=maps,
    )
    return only(result, subject.branches)


def only(comparison: Comparison, branches: tuple[str, ...]) -> Comparison:
    """A comparison without the branch that only lent its gradient."""
    facts, wrong = comparison.facts, comparison.facts.clean_wrong
    return replace(
        comparison,
        predictions={
            key: value for key, value in comparison.predictions.items() if key[1] in branches
        },
        maps={key: value for key, value in comparison.maps.items() if key[1] in branches},
        facts=replace(
            facts,
            survives_png={name: facts.survives_png[name] for name in branches},
            clean_wrong=None if wrong is None else {name: wrong[name] for name in branches},
        ),
    )


def manifest(subject: Subject, comparison: Comparison, config: AttackConfig) -> dict[str, Any]:
    """Inputs, settings, results and versions, as plain values."""
    return {
        **subject.to_json(),
        "attack": {"name": config.name, **asdict(config)},
        **comparison_json(subject.info, comparison),
        "outcome": outcome(comparison, subject.info.class_names),
        "command": command_line(),
        "versions": versions(),
    }


def comparison_arrays(comparison: Comparison) -> Mapping[str, Array]:
    """Everything that was computed, by the name it gets in ``arrays.npz``."""
    return {
        **image_arrays(comparison),
        **{f"logits_{k}_{b}": p.logits.numpy() for (k, b), p in comparison.predictions.items()},
        **{f"map_{k}_{b}": m.values.numpy() for (k, b), m in comparison.maps.items()},
    }


def image_arrays(comparison: Comparison) -> dict[str, Array]:
    """The three pictures, (3, H, W) each."""
    return {
        "clean": comparison.clean.numpy(),
        "adversarial": comparison.adversarial.numpy(),
        "perturbation": (comparison.adversarial - comparison.clean).numpy(),
    }


def tell(report: Report, subject: Subject, comparison: Comparison, config: AttackConfig) -> None:
    """What was done and what came of it, in four lines."""
    names = subject.info.class_names
    true = "unknown" if comparison.true_class is None else names[comparison.true_class]
    source = "" if comparison.true_class is None else f" ({subject.true_class_source})"
    attacked = names[comparison.attacked_class]
    aimed = f"away from {attacked}"
    if config.target_class is not None:
        aimed = f"towards {names[config.target_class]}"
    report.say(f"true class: {true}{source}")
    report.say(f"attack: {describe_attack(config, comparison.attack_branch or '')}, {aimed}")
    for sentence in outcome(comparison, names).split("; "):
        report.say(sentence)
    report.say(describe_facts(comparison.facts))
