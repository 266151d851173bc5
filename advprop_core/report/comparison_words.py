"""What is said of one comparison: what happened, how it was perturbed, what was measured."""

from collections.abc import Sequence

from advprop_core.compare.experiment import Perturbation
from advprop_core.pictures.noise import NoiseConfig
from advprop_core.pictures.regions import EraseConfig
from advprop_core.report.comparison_sheet import Captions
from advprop_core.text import NORM_TITLES, branch_outcomes, radius
from advprop_core.types import AttackConfig, Comparison


def captions(
    comparison: Comparison, perturbation: Perturbation | None, title: str, names: tuple[str, ...]
) -> Captions:
    """The words on the page of a comparison; ``title`` is that of network and photo."""
    return Captions(
        title,
        outcome(comparison, names),
        describe_perturbation(perturbation, comparison.attack_branch)
        + _aim(comparison, perturbation, names),
        describe_facts(comparison),
        names,
    )


def _aim(comparison: Comparison, perturbation: Perturbation | None, names: Sequence[str]) -> str:
    """What an attack wants, and the seed of what is drawn: ``, away from “church”, seed 3``."""
    match perturbation:
        case AttackConfig(target_class=None, random_start=is_drawn, seed=seed):
            words = f", away from “{names[comparison.attacked_class]}”"
        case AttackConfig(target_class=int(target), random_start=is_drawn, seed=seed):
            words = f", towards “{names[target]}”"
        case NoiseConfig(seed=seed):
            words, is_drawn = "", True
        case _:
            return ""
    return f"{words}, seed {seed}" if is_drawn else words


def outcome(comparison: Comparison, names: Sequence[str]) -> str:
    """What happened, branch by branch: ``main was fooled: church 93 % → tench 71 %; aux …``."""
    return "; ".join(f"{branch} {what}" for branch, what in branch_outcomes(comparison, names))


def describe_perturbation(perturbation: Perturbation | None, branch: str | None) -> str:
    """``PGD-10 through main, L∞ ≤ 4/255, step 1/255``; ``gaussian noise, severity 0.1``."""
    match perturbation:
        case AttackConfig() as config:
            return describe_attack(config, branch)
        case NoiseConfig(kind, severity):
            return f"{kind} noise, severity {severity:g}"
        case EraseConfig(regions, fill):
            return f"{len(regions)} regions erased, filled with {fill}"
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
