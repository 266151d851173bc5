"""What an evaluation found, as plain values: the form of ``results.json``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from advprop_core.evaluation.calibration import Calibration, calibration_of
from advprop_core.evaluation.cells import Cell
from advprop_core.evaluation.corruption_error import (
    MEANING,
    CorruptionError,
    mean_corruption_error,
)
from advprop_core.evaluation.masking import Suspicion
from advprop_core.evaluation.results import Answers, BranchResult
from advprop_core.evaluation.store import require_format

FORMAT = 1
"""Raised when the form of ``results.json`` changes."""


@dataclass(frozen=True)
class Finding:
    """One row of the table.

    Attributes:
        model: Name of the model.
        result: Accuracies.
        calibration: Whether confidence means something.
    """

    model: str
    result: BranchResult
    calibration: Calibration

    def to_json(self) -> dict[str, Any]:
        """Plain values: the design page's row, and its calibration."""
        calibration = self.calibration.to_json()
        return {"model": self.model, **self.result.to_json(), "calibration": calibration}


def findings(found: Mapping[Cell, Answers], seed: int = 0) -> tuple[Finding, ...]:
    """Sum up every cell, in the order of ``found``; the seed is that of the bootstrap."""
    return tuple(
        Finding(
            cell.model,
            BranchResult.of(cell.branch, cell.condition, answers),
            calibration_of(answers, seed),
        )
        for cell, answers in found.items()
    )


def corruption_errors(
    found: Mapping[Cell, Answers], seed: int = 0
) -> dict[tuple[str, str], CorruptionError]:
    """(model, branch) to its mean corruption error, where corruptions were measured."""
    sorted_out: dict[tuple[str, str], dict[Any, Answers]] = {}
    for cell, answers in found.items():
        if (corruption := cell.condition.corruption) is not None:
            sorted_out.setdefault((cell.model, cell.branch), {})[corruption] = answers
    return {key: mean_corruption_error(own, seed) for key, own in sorted_out.items()}


def content_of(
    rows: Sequence[Finding],
    errors: Mapping[tuple[str, str], CorruptionError],
    *,
    data: str,
    seed: int,
    models: Mapping[str, str],
    command: str,
    warnings: Sequence[Suspicion] = (),
) -> dict[str, Any]:
    """The content of ``results.json``.

    Args:
        rows: What was found.
        errors: Mean corruption errors by (model, branch); may be empty.
        data: As it was named.
        seed: Of everything random.
        models: Name to digest.
        command: What makes all this again.
        warnings: Signs that a robust accuracy is none.
    """
    content: dict[str, Any] = {
        "format": FORMAT,
        "data": data,
        "n": max(row.result.n for row in rows),
        "seed": seed,
        "command": command,
        "models": dict(models),
        "results": [row.to_json() for row in rows],
        "warnings": [one.to_json() for one in warnings],
    }
    if errors:
        content["mean_corruption_error"] = {
            "meaning": MEANING,
            "results": [
                {"model": model, "branch": branch, **error.to_json()}
                for (model, branch), error in errors.items()
            ],
        }
    return content


def read_content(path: Path) -> dict[str, Any]:
    """Read a ``results.json``.

    Raises:
        ValueError: If it is no such file, or of another format.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError):
        content = None
    if not isinstance(content, dict) or not {"format", "results"} <= content.keys():
        raise ValueError(f"{path} holds no results of advprop evaluate: give another folder")
    require_format(path, content["format"], FORMAT)
    return content
