"""What is compared, as PLAN.md fixed it before the runs."""

from __future__ import annotations

from pathlib import Path

OBJECTIVES = ("vanilla", "mixed", "adversarial", "advprop")
SEEDS = (0, 1, 2, 3, 4)
LEARNING_RATES = dict.fromkeys(OBJECTIVES, 0.4)  # what the tuning chose for each
GRID = (0.1, 0.2, 0.4)
TUNING_EPOCHS = 10
TUNING_SEED = 100
SEVERITIES = (1, 3, 5)
RECIPE = "imagenette-64"


def training_command(data: Path, runs: Path, objective: str, seed: int) -> list[str]:
    """One run of the comparison, as words for ``advprop``."""
    return [
        *_words(data, objective, LEARNING_RATES[objective], seed),
        *("--out", str(runs / f"{objective}-{seed}")),
    ]


def tuning_command(data: Path, runs: Path, objective: str, rate: float) -> list[str]:
    """One run of the tuning, which never reads ``val``'s results."""
    return [
        *_words(data, objective, rate, TUNING_SEED),
        *("--epochs", str(TUNING_EPOCHS), "--holdout", "0.1"),
        *("--out", str(runs / f"tune-{objective}-{rate}")),
    ]


def _words(data: Path, objective: str, rate: float, seed: int) -> list[str]:
    options = {
        "--data": str(data),
        "--recipe": RECIPE,
        "--objective": objective,
        "--learning-rate": str(rate),
        "--seed": str(seed),
    }
    return ["train", *(word for option in options.items() for word in option), "--resume"]
