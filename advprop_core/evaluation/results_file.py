"""What an evaluation found, as plain values: the form of ``results.json``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from advprop_core.evaluation import mce, shape_bias, smallest_epsilon
from advprop_core.evaluation.calibration import Calibration, calibration_of
from advprop_core.evaluation.cells import Cell, Subject
from advprop_core.evaluation.corruption_error import (
    MEANING,
    STORED_MEANING,
    CorruptionError,
    mean_corruption_error,
)
from advprop_core.evaluation.masking import Suspicion
from advprop_core.evaluation.mce import ImageNetCError
from advprop_core.evaluation.results import Answers, BranchResult
from advprop_core.evaluation.shape_bias import ShapeBias, shape_bias_of
from advprop_core.evaluation.smallest_epsilon import SmallestEpsilon

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


def shape_biases(
    found: Mapping[Cell, Answers], subjects: Sequence[Subject]
) -> dict[tuple[str, str], ShapeBias]:
    """(model, branch) to its shape bias, where clean scenes with textures of others were shown."""
    by_name = {one.name: one for one in subjects}
    biases = {}
    for cell, answers in found.items():
        shapes, textures = by_name[cell.model].labels, by_name[cell.model].textures
        if cell.condition.kind != "clean" or textures is None or shapes.equal(textures):
            continue
        biases[cell.model, cell.branch] = shape_bias_of(answers, shapes, textures)
    return biases


def content_of(
    rows: Sequence[Finding],
    errors: Mapping[tuple[str, str], CorruptionError],
    *,
    data: str,
    seed: int,
    models: Mapping[str, str],
    command: str,
    warnings: Sequence[Suspicion] = (),
    biases: Mapping[tuple[str, str], ShapeBias] | None = None,
    published: Mapping[tuple[str, str], ImageNetCError] | None = None,
    notes: Sequence[str] = (),
    radii: Sequence[SmallestEpsilon] = (),
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
        biases: Shape biases by (model, branch), where they can be told.
        published: mCE by (model, branch), where it is defined.
        notes: What a person should know of the data.
        radii: Smallest radii, where they were searched for.
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
            "meaning": STORED_MEANING if any(r.result.condition.stored for r in rows) else MEANING,
            "results": [
                {"model": model, "branch": branch, **error.to_json()}
                for (model, branch), error in errors.items()
            ],
        }
    if published:
        content["imagenet_c"] = {
            "meaning": mce.MEANING,
            "results": [
                {"model": model, "branch": branch, **error.to_json()}
                for (model, branch), error in published.items()
            ],
        }
    if notes:
        content["notes"] = list(notes)
    if radii:
        content["smallest_epsilon"] = {
            "meaning": smallest_epsilon.MEANING,
            "results": [one.to_json() for one in radii],
        }
    if biases:
        content["shape_bias"] = {
            "meaning": shape_bias.MEANING,
            "results": [
                {"model": model, "branch": branch, **bias.to_json()}
                for (model, branch), bias in biases.items()
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
    if content["format"] != FORMAT:
        raise ValueError(
            f"{path} has results in format {content['format']}, this version reads format "
            f"{FORMAT}: give --report another folder, or delete this one"
        )
    return content
