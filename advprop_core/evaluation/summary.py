"""What an evaluation found, as plain values: the content of ``results.json``."""

from collections import defaultdict
from dataclasses import asdict
from typing import Any

from pydantic import BaseModel

from advprop_core.evaluation import shape_bias, smallest_epsilon
from advprop_core.evaluation.calibration import calibration_of
from advprop_core.evaluation.cells import Cell
from advprop_core.evaluation.conditions import Condition
from advprop_core.evaluation.corruption_error import (
    MCE_MEANING,
    MEANING,
    STORED_MEANING,
    imagenet_c_error,
    mean_corruption_error,
)
from advprop_core.evaluation.masking import suspicions
from advprop_core.evaluation.paired import images_digest, pack
from advprop_core.evaluation.results import Answers
from advprop_core.evaluation.results_file import FORMAT
from advprop_core.evaluation.shape_bias import shape_bias_of
from advprop_core.evaluation.suite import Evaluation, Suite


def summarise(evaluation: Evaluation, command: str) -> dict[str, Any]:
    """The content of ``results.json``; the command is what makes all this again."""
    suite, cells = evaluation.suite, evaluation.cells
    rows = [
        {
            "model": cell.model,
            **result.to_json(),
            **_by_image(suite, cell, answers),
            "calibration": calibration_of(answers, suite.seed).model_dump(),
        }
        for result, (cell, answers) in zip(evaluation.results, cells.items(), strict=True)
    ]
    content: dict[str, Any] = {
        "format": FORMAT,
        "data": suite.data,
        "n": max(row["n"] for row in rows),
        "seed": suite.seed,
        "command": command,
        "models": suite.digests,
        "results": rows,
        "warnings": [*map(asdict, (*suspicions(cells), *evaluation.flat))],
    }
    if suite.notes:
        content["notes"] = [*suite.notes]
    stored = any(cell.condition.stored for cell in cells)
    meanings = {
        "mean_corruption_error": STORED_MEANING if stored else MEANING,
        "imagenet_c": MCE_MEANING,
        "smallest_epsilon": smallest_epsilon.MEANING,
        "shape_bias": shape_bias.MEANING,
    }
    measured = _by_branch(evaluation)
    for name, meaning in meanings.items():
        if results := measured.get(name):
            content[name] = {"meaning": meaning, "results": results}
    return content


def _by_image(suite: Suite, cell: Cell, answers: Answers) -> dict[str, str]:
    """Which images were answered rightly, for paired tests; of corruptions it would be too much."""
    if cell.condition.kind not in ("clean", "attack"):
        return {}
    tested = next(model for model in suite.models if model.name == cell.model)
    classes = () if tested.info is None else tested.info.class_ids
    left_out = "" if len(answers) == len(tested.labels) else cell.model
    images = images_digest(suite.data, classes, tested.labels.numpy(), left_out)
    return {"images": images, "right": pack(answers.right.numpy())}


def _by_branch(evaluation: Evaluation) -> dict[str, list[dict[str, Any]]]:
    """Mean corruption errors, mCE, shape biases and smallest radii, where they were measured."""
    suite, models = evaluation.suite, {model.name: model for model in evaluation.suite.models}
    by_branch: dict[tuple[str, str], dict[Condition, Answers]] = {}
    for cell, answers in evaluation.cells.items():
        by_branch.setdefault((cell.model, cell.branch), {})[cell.condition] = answers
    rows: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    rows["smallest_epsilon"] = [search.model_dump() for search in evaluation.radii]
    for (model, branch), answered in by_branch.items():
        clean = next((a for condition, a in answered.items() if condition.kind == "clean"), None)
        corrupted = {c.corruption: a for c, a in answered.items() if c.corruption}
        figures: dict[str, BaseModel] = {}
        if corrupted:
            figures["mean_corruption_error"] = mean_corruption_error(corrupted, suite.seed)
        if model in suite.with_mce:
            figures["imagenet_c"] = imagenet_c_error(corrupted, clean, suite.seed)
        shapes, textures = models[model].labels, models[model].textures
        # Where every texture is that of its shape, no answer can tell the two apart.
        if clean is not None and textures is not None and not shapes.equal(textures):
            figures["shape_bias"] = shape_bias_of(clean, shapes, textures)
        for name, measure in figures.items():
            rows[name].append({"model": model, "branch": branch, **measure.model_dump()})
    return rows
