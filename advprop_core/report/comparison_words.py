"""What is said of one comparison: what happened, how it was perturbed, what was measured."""

from collections.abc import Sequence

from advprop_core.compare.experiment import Perturbation
from advprop_core.pictures.noise import NoiseConfig
from advprop_core.pictures.regions import EraseConfig
from advprop_core.text import NORM_TITLES, branch_outcomes, radius
from advprop_core.types import AttackConfig, Comparison


def outcome(comparison: Comparison, names: Sequence[str]) -> str:
    """What happened, branch by branch: ``main was fooled: church 93 % → tench 71 %; aux …``."""
    return "; ".join(f"{branch} {what}" for branch, what in branch_outcomes(comparison, names))


def describe_change(
    comparison: Comparison, perturbation: Perturbation | None, names: Sequence[str]
) -> str:
    """How the photo was changed, with what an attack aims at, and the seed of what is drawn.

    ``PGD-10 through main, L∞ ≤ 4/255, step 1/255, away from “church”, seed 3``; ``gaussian noise,
    severity 0.1, seed 0``; ``none``.
    """
    match perturbation:
        case AttackConfig(target_class=target) as config:
            aim = f"away from “{names[comparison.attacked_class]}”"
            if target is not None:
                aim = f"towards “{names[target]}”"
            seed = f", seed {config.seed}" if config.random_start else ""
            return f"{describe_attack(config, comparison.attack_branch)}, {aim}{seed}"
        case NoiseConfig(kind, severity, seed):
            return f"{kind} noise, severity {severity:g}, seed {seed}"
        case EraseConfig(regions, fill):
            return f"{len(regions)} region{'s' * (len(regions) > 1)} erased, filled with {fill}"
        case _:
            return "none"


def describe_attack(config: AttackConfig, branch: str | None) -> str:
    """``PGD-10 through main, L∞ ≤ 4/255, step 1/255``."""
    step = "" if config.name == "FGSM" else f", step {radius(config.step_size, config.norm)}"
    ball = f"{NORM_TITLES[config.norm]} ≤ {radius(config.epsilon, config.norm)}"
    return f"{config.name} through {branch}, {ball}{step}"


def describe_facts(comparison: Comparison) -> str:
    """The honesty figures on one line."""
    facts = comparison.facts
    lost = [branch for branch, survives in facts.survives_png.items() if not survives]
    png = f"not for {', '.join(lost)}" if lost else "yes"
    return (
        f"measured: L∞ {radius(facts.linf, 'linf')}, L2 {radius(facts.l2, 'l2')}, "
        f"pixels in [{facts.low:.3g}, {facts.high:.3g}]; predictions survive an 8-bit PNG: {png}"
    )
