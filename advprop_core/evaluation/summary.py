"""What an evaluation found, as plain values: the content of ``results.json``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from advprop_core.evaluation import shape_bias, smallest_epsilon
from advprop_core.evaluation.calibration import calibration_of
from advprop_core.evaluation.corruption_error import (
    MCE_MEANING,
    MEANING,
    STORED_MEANING,
    CorruptionError,
    imagenet_c_errors,
    mean_corruption_error,
)
from advprop_core.evaluation.masking import Suspicion, suspicions, without_gradient
from advprop_core.evaluation.results import Answers, BranchResult
from advprop_core.evaluation.results_file import FORMAT
from advprop_core.evaluation.shape_bias import ShapeBias, shape_bias_of
from advprop_core.evaluation.suite import Evaluation

Branch = tuple[str, str]
"""Model and branch."""


def _warnings(evaluation: Evaluation) -> tuple[Suspicion, ...]:
    n = max(len(model.labels) for model in evaluation.suite.models)
    return (*suspicions(evaluation.cells), *without_gradient(evaluation.flat, n))


def summarise(evaluation: Evaluation, command: str) -> dict[str, Any]:
    """The content of ``results.json``.

    Args:
        evaluation: What was found.
        command: What makes all this again.
    """
    suite, cells = evaluation.suite, evaluation.cells
    rows = [
        {
            "model": cell.model,
            **BranchResult.of(cell.branch, cell.condition, answers).to_json(),
            "calibration": asdict(calibration_of(answers, suite.seed)),
        }
        for cell, answers in cells.items()
    ]
    content: dict[str, Any] = {
        "format": FORMAT,
        "data": suite.data,
        "n": max(row["n"] for row in rows),
        "seed": suite.seed,
        "command": command,
        "models": suite.digests,
        "results": rows,
        "warnings": [asdict(suspicion) for suspicion in _warnings(evaluation)],
    }
    if suite.notes:
        content["notes"] = [*suite.notes]
    stored = any(cell.condition.stored for cell in cells)
    measures: dict[str, tuple[str, list[dict[str, Any]]]] = {
        "mean_corruption_error": (
            STORED_MEANING if stored else MEANING,
            _rows(_corruption_errors(evaluation)),
        ),
        "imagenet_c": (MCE_MEANING, _rows(imagenet_c_errors(cells, suite.with_mce, suite.seed))),
        "smallest_epsilon": (
            smallest_epsilon.MEANING,
            [search.to_json() for search in evaluation.radii],
        ),
        "shape_bias": (shape_bias.MEANING, _rows(_shape_biases(evaluation))),
    }
    for name, (meaning, results) in measures.items():
        if results:
            content[name] = {"meaning": meaning, "results": results}
    return content


def _rows(by_branch: Mapping[Branch, Any]) -> list[dict[str, Any]]:
    return [
        {"model": model, "branch": branch, **asdict(measure)}
        for (model, branch), measure in by_branch.items()
    ]


def _corruption_errors(evaluation: Evaluation) -> dict[Branch, CorruptionError]:
    """Mean corruption errors, where corruptions were measured."""
    by_branch: dict[Branch, dict[Any, Answers]] = {}
    for cell, answers in evaluation.cells.items():
        if (corruption := cell.condition.corruption) is not None:
            by_branch.setdefault((cell.model, cell.branch), {})[corruption] = answers
    seed = evaluation.suite.seed
    return {branch: mean_corruption_error(errors, seed) for branch, errors in by_branch.items()}


def _shape_biases(evaluation: Evaluation) -> dict[Branch, ShapeBias]:
    """Shape biases, where clean scenes with the textures of other classes were shown."""
    models = {model.name: model for model in evaluation.suite.models}
    biases = {}
    for cell, answers in evaluation.cells.items():
        shapes, textures = models[cell.model].labels, models[cell.model].textures
        if cell.condition.kind != "clean" or textures is None or shapes.equal(textures):
            continue
        biases[cell.model, cell.branch] = shape_bias_of(answers, shapes, textures)
    return biases
