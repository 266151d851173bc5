"""Results that were measured elsewhere: those that come with the app, and a file of the person."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from advprop_core.evaluation import studies
from advprop_core.models import bundle
from app.shell.messages import quote

FORMAT = 1  # of `evaluation.content`, which loads torch; a test holds them equal
_FIRST = "imagenette"
_OTHER_PAGES = ("norm-halves",)  # results that the Anatomy page shows
"""What a visitor sees at first: every model under many conditions, on photos."""
_BRANCH = re.compile(r"main|aux\d{0,2}")
_KINDS: Mapping[str, Mapping[str, type | tuple[type, ...]]] = {
    "clean": {},
    "attack": {"attack": str, "norm": str, "epsilon": (int, float), "attack_branch": str},
    "corruption": {"corruption": str, "severity": int},
    "probe": {"probe": str, "strength": (int, float, type(None))},
}


def bundled() -> dict[str, Path]:
    """Name to file of the results that come with the app, that to begin with in front."""
    folder = bundle.bundle_dir() / "assets" / "results"
    files = (path for path in folder.glob("*.json") if path.stem not in _OTHER_PAGES)
    paths = sorted(files, key=lambda path: (path.stem != _FIRST, path.stem))
    return {path.stem: path for path in paths}


def parse(name: str, data: bytes) -> dict[str, Any]:
    """The content of a ``results.json``, or of a study.

    Rows of a kind that this page has no place for are left out.

    Args:
        name: Of the file, for the message.
        data: Its bytes.

    Raises:
        ValueError: If it is no such file, or of another format.
    """
    try:
        content = json.loads(data)
    except (ValueError, RecursionError):  # no JSON, no text, or nested without end
        content = None
    if not isinstance(content, dict) or not {"format", "results"} <= content.keys():
        raise ValueError(
            f"{quote(name)} holds no results of `advprop evaluate`: open the results.json that "
            "`advprop evaluate … --report DIR` writes."
        )
    if content["format"] != FORMAT:
        raise ValueError(
            f"{quote(name)} has results in format {quote(str(content['format']))}, this version "
            f"reads format {FORMAT}: measure them again with this version."
        )
    is_study = content.get("kind") == studies.KIND
    if (fault := studies.fault(content) if is_study else _fault(content)) is not None:
        raise ValueError(
            f"{quote(name)} is damaged: {fault}. Write it anew with `advprop evaluate … --report`."
        )
    if is_study:
        return dict(content)
    rows = [row for row in content["results"] if row["condition"]["kind"] in _KINDS]
    if not rows:
        raise ValueError(
            f"{quote(name)} has nothing that is shown here: clean, attacked, corrupted or probed "
            "images. Read its report.html instead."
        )
    return content | {"results": rows}


def _fault(content: Mapping[str, Any]) -> str | None:
    """The first thing that is not as it should be."""
    for key, kind in {"data": str, "n": int, "seed": int, "command": str, "models": dict}.items():
        if not isinstance(content.get(key), kind):
            return f"it lacks {key}"
    rows = content["results"]
    if not isinstance(rows, list) or not rows:
        return "it has no row"
    for number, row in enumerate(rows, 1):
        if not _is_row(row):
            return f"row {number} is not as it should be"
    if not _all(content.get("notes", []), lambda one: isinstance(one, str) and one != ""):
        return "its notes are not as they should be"
    warnings = content.get("warnings", [])
    if not _all(warnings, lambda one: isinstance(one["text"], str)):
        return "its warnings are not as they should be"
    for key, (fits, words) in {
        "mean_corruption_error": (_is_error, "mean corruption errors are"),
        "shape_bias": (_is_bias, "shape biases are"),
        "imagenet_c": (_is_mce, "figures of mCE are"),
        "smallest_epsilon": (_is_search, "smallest radii are"),
    }.items():
        if key in content and not _all([content[key]], partial(_is_part, fits)):
            return f"its {words} not as they should be"
    corrupted = {row["model"] for row in rows if row["condition"]["kind"] == "corruption"}
    errors = content.get("mean_corruption_error", {"results": []})["results"]
    if lacking := corrupted - {one["model"] for one in errors}:
        return f"it lacks the mean corruption error of {quote(min(lacking))}"
    return None


def _all(values: Any, fits: Callable[[Any], bool]) -> bool:
    """Whether it is a list of what fits; what lacks a key, or has another type, does not."""
    try:
        return isinstance(values, list) and all(fits(one) for one in values)
    except (KeyError, TypeError, IndexError):
        return False


def _is_part(fits: Callable[[Any], bool], part: Any) -> bool:
    """Whether it is what a measure found, with the meaning of its figures if it says one."""
    return _all(part["results"], fits) and isinstance(part.get("meaning", ""), str)


def _is_row(row: Any) -> bool:
    return _all([row], _fits)


def _fits(row: Any) -> bool:
    condition, calibration = row["condition"], row["calibration"]
    bins = calibration["bins"]
    columns = [bins[key] for key in ("low", "high", "n", "confidence", "accuracy")]
    wrong = calibration["confidence_when_wrong"]
    return (
        _has_branch(row)
        and _is_condition(condition)
        and _is_count(row["n"])
        and all(map(_is_share, (row["top1"], row["top5"], *row["interval"])))
        and len(row["interval"]) == len(calibration["interval"]) == 2
        and isinstance(row["loss"], int | float)
        and _is_share(calibration["expected_calibration_error"])
        and all(map(_is_share, calibration["interval"]))
        and (wrong is None or _is_share(wrong))
        and _has_ends(row)
        and _has_ends(calibration)
        and all(isinstance(column, list) and len(column) == len(bins["n"]) for column in columns)
        and all(isinstance(value, int | float) for column in columns for value in column)
        and all(map(_is_count, bins["n"]))
        and all(map(_is_share, bins["accuracy"]))
    )


def _is_condition(condition: Any) -> bool:
    fields = _KINDS.get(condition["kind"], {})
    return (
        all(isinstance(condition[name], kind) for name, kind in fields.items())
        and all(_is_name(condition[name]) for name, kind in fields.items() if kind is str)
        and condition.get("norm", "linf") in ("linf", "l2")
        and _is_radius(condition.get("epsilon", 0))
    )


def _is_name(text: str) -> bool:
    """Whether it is what this project calls attacks, branches, corruptions and probes.

    These stand in sentences and labels, so nothing of Markdown may be in them.
    """
    return bool(re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9 _.-]{0,40}", text))


def _has_branch(one: Any) -> bool:
    """Whether it says which branch of which model it is of."""
    return isinstance(one["model"], str) and bool(_BRANCH.fullmatch(one["branch"]))


def _is_error(one: Any) -> bool:
    return (
        _has_branch(one)
        and len(one["interval"]) == 2
        and _is_count(one["n"])
        and all(map(_is_share, (one["error"], *one["interval"])))
        and all(isinstance(level, int) for level in one["severities"])
        and isinstance(one["corruptions"], list)
    )


def _is_mce(one: Any) -> bool:
    return (
        _has_branch(one)
        and len(one["interval"]) == 2
        and _is_count(one["n"])
        and all(map(_is_radius, (one["mce"], *one["interval"])))
        and ("relative_mce" not in one or _is_radius(one["relative_mce"]))
        and ("relative_mce" not in one or len(one["relative_interval"]) == 2)
        and all(map(_is_radius, one.get("relative_interval", [])))
    )


def _is_bias(one: Any) -> bool:
    known = one["shape_bias"] is not None
    return (
        _has_branch(one)
        and _is_count(one["n"])
        and all(map(_is_share, (one["shape"], one["texture"], one["neither"])))
        and (not known or all(map(_is_share, (one["shape_bias"], *one["interval"]))))
        and (not known or len(one["interval"]) == 2)
        and _has_ends(one)
    )


def _is_search(one: Any) -> bool:
    radii = (one["median"], *one["interval"], *one["epsilons"])
    return (
        _has_branch(one)
        and _is_name(one["attack"])
        and one["norm"] in ("linf", "l2")
        and _is_radius(one["limit"])
        and len(one["interval"]) == 2
        and one["n"] == len(one["epsilons"]) > 0
        and all(map(_is_share, (one["wrong"], one["never"])))
        and all(value is None or _is_radius(value) for value in radii)
        and _has_ends(one)
    )


def _has_ends(one: Any) -> bool:
    """Whether intervals that earlier versions did not write are two numbers each, if any."""
    ends = {key: value for key, value in one.items() if key.endswith("_interval") and value}
    return all(
        isinstance(pair, list)
        and len(pair) == 2
        and all(map(_is_radius if key == "loss_interval" else _is_share, pair))
        for key, pair in ends.items()
    )


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _is_radius(value: Any) -> bool:
    return isinstance(value, int | float) and 0 <= value < math.inf


def _is_share(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1
