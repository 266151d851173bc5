"""The tables at the end of a report, as HTML.

Results of earlier versions lack some intervals, and are shown without.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from typing import Any

from advprop_core.report.words import Row, describe, smallest_radius
from advprop_core.text import NORM_TITLES

_NONE = "–"
_ENDS = "95 % interval"
_TEXTS = {"model", "branch", "images", "attack"}  # columns that are not numbers


def tables(content: Mapping[str, Any]) -> str:
    """Every figure of ``results.json``."""
    rows = content["results"]
    plain, probed, corrupted = (
        [row for row in rows if row["condition"]["kind"] in kinds]
        for kinds in (("clean", "attack"), ("probe",), ("corruption",))
    )
    parts = [_accuracies(plain)] if plain else []
    if corrupted:
        errors = content["mean_corruption_error"]
        parts.append(_titled("Mean corruption error", _errors(errors["results"]), errors))
        if found := content.get("imagenet_c"):
            parts.append(_titled("mCE", _published(found["results"]), found))
        parts.append(
            "<details><summary>Every corruption and severity</summary>"
            f"{_accuracies(corrupted)}</details>"
        )
    if probed:
        parts.append(_titled("What probes leave", _accuracies(probed)))
    if found := content.get("smallest_epsilon"):
        parts.append(_titled("Smallest epsilon", _smallest(found["results"]), found))
    if found := content.get("shape_bias"):
        parts.append(_titled("Shape bias", _biases(found["results"]), found))
    return "".join(parts)


def _accuracies(rows: Sequence[Row]) -> str:
    columns = (
        "model", "branch", "images", "n", "top-1", _ENDS, "top-5", _ENDS, "loss", _ENDS,
        "calibration error", _ENDS, "confidence when wrong", _ENDS,
    )  # fmt: skip
    return _table(columns, map(_accuracy, rows))


def _accuracy(row: Row) -> Sequence[str]:
    calibration = row["calibration"]
    return (
        row["model"],
        row["branch"],
        describe(row),
        str(row["n"]),
        _share(row["top1"]),
        _between(row["interval"]),
        _share(row["top5"]),
        _between(row.get("top5_interval")),
        f"{row['loss']:.3f}",
        " to ".join(f"{end:.3f}" for end in row.get("loss_interval") or ()) or _NONE,
        _share(calibration["expected_calibration_error"]),
        _between(calibration["interval"]),
        _share(calibration["confidence_when_wrong"]),
        _between(calibration.get("confidence_when_wrong_interval")),
    )


def _errors(errors: Sequence[Row]) -> str:
    columns = ("model", "branch", "error", _ENDS, "n", "kinds", "severities")
    return _table(
        columns,
        (
            (
                one["model"],
                one["branch"],
                _share(one["error"]),
                _between(one["interval"]),
                str(one["n"]),
                str(len(one["corruptions"])),
                ", ".join(map(str, one["severities"])),
            )
            for one in errors
        ),
    )


def _published(errors: Sequence[Row]) -> str:
    """The mCE of articles."""
    columns = ("model", "branch", "mCE", _ENDS, "relative mCE", _ENDS, "n")
    return _table(
        columns,
        (
            (
                one["model"],
                one["branch"],
                _share(one["mce"]),
                _between(one["interval"]),
                _share(one.get("relative_mce")),
                _between(one.get("relative_interval")),
                str(one["n"]),
            )
            for one in errors
        ),
    )


def _biases(biases: Sequence[Row]) -> str:
    columns = (
        "model", "branch", "shape bias", _ENDS, "n", "by shape", _ENDS, "by texture", _ENDS,
        "by neither", _ENDS,
    )  # fmt: skip
    return _table(
        columns,
        (
            (
                one["model"],
                one["branch"],
                _share(one["shape_bias"]),
                _between(one["interval"]),
                str(one["n"]),
                *_with_ends(one, "shape", "texture", "neither"),
            )
            for one in biases
        ),
    )


def _smallest(results: Sequence[Row]) -> str:
    columns = (
        "model", "branch", "attack", "median", _ENDS, "n", "wrong before", _ENDS,
        "never turned", _ENDS,
    )  # fmt: skip
    return _table(
        columns,
        (
            (
                one["model"],
                one["branch"],
                f"{one['attack']}, {NORM_TITLES[one['norm']]}",
                smallest_radius(one, one["median"]),
                " to ".join(smallest_radius(one, end) for end in one["interval"]),
                str(one["n"]),
                *_with_ends(one, "wrong", "never"),
            )
            for one in results
        ),
    )


def _titled(title: str, table: str, found: Mapping[str, Any] | None = None) -> str:
    """A table below its heading and, where there is one, above the meaning of its figures."""
    text = found.get("meaning", "") if found else ""
    meaning = f'<p class="small">{escape(text[0].upper() + text[1:])}.</p>' if text else ""
    return f"<h3>{title}</h3>{table}{meaning}"


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    kinds = [' class="text"' if column in _TEXTS else "" for column in columns]
    head = "".join(
        f'<th scope="col"{kind}>{column}</th>' for column, kind in zip(columns, kinds, strict=True)
    )
    lines = "".join(
        "<tr>"
        + "".join(f"<td{kind}>{escape(text)}</td>" for text, kind in zip(row, kinds, strict=True))
        + "</tr>"
        for row in rows
    )
    return (
        '<div class="scroll" tabindex="0" role="region" aria-label="Table of figures"><table>'
        f"<thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table></div>"
    )


def _share(value: float | None) -> str:
    return _NONE if value is None else f"{value:.1%}"


def _with_ends(one: Row, *names: str) -> Iterator[str]:
    """Shares, each followed by its interval."""
    for name in names:
        yield from (_share(one[name]), _between(one.get(f"{name}_interval")))


def _between(interval: Sequence[float] | None) -> str:
    return " to ".join(f"{end:.1%}" for end in interval) if interval else _NONE
