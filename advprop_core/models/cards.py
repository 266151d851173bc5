"""A checkpoint's card: what its header says, for people, as Markdown."""

from collections.abc import Mapping
from typing import Any

from advprop_core.text import ball, listing, parse_radius, percent, percent_in_tenths, radius
from advprop_core.types import ModelInfo


def model_card(info: ModelInfo) -> str:
    """The card of one checkpoint, complete Markdown."""
    lines = [
        f"# {info.name}",
        "",
        f"{info.architecture} at {info.input_size} × {info.input_size} pixels, "
        f"{info.num_classes} classes: {listing(info.class_names)}.",
        "",
        "| branch | how its BatchNorm came to be |",
        "|---|---|",
        *(f"| {branch} | {info.origin(branch).sentence} |" for branch in info.branches),
        "",
        "## Measured",
        "",
        "On this file, in its half precision, on images that training did not use.",
        "",
        "| branch | what | result | 95 % interval | n | data |",
        "|---|---|---|---|---|---|",
        *(_row(metric) for metric in info.metrics),
        "",
        "Robust accuracy is white box: the attack follows the gradient of the branch that is "
        "asked. It is an upper bound, for a stronger attack may find more.",
        "",
        "## Made by",
        "",
        *_origin(info),
    ]
    return "\n".join(lines) + "\n"


def metric_of(info: ModelInfo, branch: str, kind: str) -> Mapping[str, Any] | None:
    """The branch's own metric of a kind of condition; under attack, the one through itself."""
    for metric in info.metrics:
        condition = metric.get("condition", {})
        is_white_box = condition.get("attack_branch", branch) == branch
        if metric.get("branch") == branch and condition.get("kind") == kind and is_white_box:
            return metric
    return None


def _origin(info: ModelInfo) -> list[str]:
    """The command and what it did; of a network that others trained, where its weights are."""
    recipe = info.recipe
    if source := recipe.get("source"):
        return [f"{source[:1].upper()}{source[1:]}."]
    return [
        "```shell",
        str(recipe.get("command", "unknown")),
        "```",
        "",
        f"Objective {recipe.get('objective')}, {_length(recipe)} over "
        f"{recipe.get('training_images')} images of {recipe.get('data')}, seed "
        f"{recipe.get('seed')}{_attacks(recipe)}{_branches(info)}.",
        *(
            f"{branch} is as it was after step {step}, because its loss rose afterwards."
            for branch, step in recipe.get("kept_steps", {}).items()
        ),
    ]


def _length(recipe: Mapping[str, Any]) -> str:
    if steps := recipe.get("max_steps"):
        return f"{steps} steps of {recipe.get('batch_size')} images"
    return f"{recipe.get('epochs')} epochs"


def describe_condition(condition: Mapping[str, Any]) -> str:
    """What a metric was measured under, in words."""
    if condition["kind"] == "clean":
        return "clean accuracy"
    if condition["kind"] == "shape-bias":
        return "shape bias"
    return f"robust accuracy, {describe_attack(condition)}"


def describe_attack(condition: Mapping[str, Any]) -> str:
    """``PGD-10, L∞ ε = 2/255``."""
    return f"{condition['attack']}, {ball(condition['norm'], condition['epsilon'])}"


def _row(metric: Mapping[str, Any]) -> str:
    top1, low, high = map(percent_in_tenths, (metric["top1"], *metric["interval"]))
    return (
        f"| {metric['branch']} | {describe_condition(metric['condition'])} | "
        f"{top1} | {low} to {high} | {metric['n']} | {metric['data']} |"
    )


def _attacks(recipe: Mapping[str, Any]) -> str:
    """How adversarial images were made: one way, or one for each branch that was shown some."""
    attack = recipe.get("attack")
    if not attack:
        return ""
    radii = [attack["epsilon"]]
    if shown := recipe.get("auxiliaries"):
        radii = [parse_radius(text) for text in shown if ":" not in text]
    steps = "1 step" if attack["steps"] == 1 else f"{attack['steps']} steps"
    share = attack["step_size"] / attack["epsilon"] if attack["epsilon"] else 0.0
    ways = [
        f"{ball(attack['norm'], epsilon)}, {steps} of {radius(epsilon * share, attack['norm'])}"
        for epsilon in dict.fromkeys(radii)
    ]
    return f"; its adversarial images: {' and '.join(ways)}" if ways else ""


def _branches(info: ModelInfo) -> str:
    """What auxiliary branches were shown, where that is not simply the attack on every image."""
    if info.recipe.get("objective") == "fast-advprop":
        return f"; {percent(info.recipe['adversarial_share'])} of the images were attacked"
    pairs = zip(list(info.branches)[1:], info.recipe.get("auxiliaries", ()), strict=False)
    shown = [f"{branch} was shown {text}" for branch, text in pairs]
    return f"; {', '.join(shown)}" if shown else ""
