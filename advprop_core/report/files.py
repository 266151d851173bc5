"""An evaluation as files: ``results.json``, ``results.csv`` and a page that needs no network.

The only file of the library that imports plotly, and only when a report is written.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from advprop_core.files import write_whole
from advprop_core.report import grids as grids
from advprop_core.report import plots as figures
from advprop_core.report.page import Section, page
from advprop_core.report.style import Spec, short_names
from advprop_core.report.words import (
    Row,
    as_csv,
    describe,
    describe_attack,
    is_bounded,
    is_quoted,
    matrices,
    own_attacks,
    own_harm,
    smallest_radius,
    transfers,
)


def write_report(folder: Path, content: Mapping[str, Any]) -> tuple[Path, ...]:
    """Write the report of an evaluation; each file appears whole or not at all.

    Args:
        folder: Made if need be.
        content: As :func:`~advprop_core.evaluation.results_file.content_of` gives it.

    Returns:
        The files.
    """
    texts = {
        "results.json": json.dumps(content, indent=1, ensure_ascii=False) + "\n",
        "results.csv": as_csv(content),
        "report.html": html(content),
    }
    for name, text in texts.items():
        write_whole(folder / name, text)
    return tuple(folder / name for name in texts)


def html(content: Mapping[str, Any]) -> str:
    """The page of an evaluation, with plotly.js inside."""
    from plotly.offline import get_plotlyjs

    whole, content = content, _with_short_names(content)
    rows = content["results"]
    plain = [row for row in rows if row["condition"]["kind"] in ("clean", "attack")]
    own = own_attacks(plain)
    sections = [
        *([_accuracies(own)] if own else []),
        *_curves(own),
        *_matrices(plain),
        *_smallest(content),
        *_corruptions(content),
        *_probes(rows),
        *_shape_biases(content),
        *([_reliability(own)] if own else []),
    ]
    return page(whole, sections, get_plotlyjs())


def _with_short_names(content: Mapping[str, Any]) -> Mapping[str, Any]:
    """The same figures under labels instead of paths."""
    labels = short_names([*content["models"]])

    def renamed(part: Any) -> Any:
        if isinstance(part, Mapping):
            new = {key: renamed(value) for key, value in part.items()}
            return new | {"model": labels[part["model"]]} if part.get("model") in labels else new
        return [*map(renamed, part)] if isinstance(part, list | tuple) else part

    return {**renamed(content), "models": content["models"]}


def _accuracies(rows: Sequence[Row]) -> Section:
    return Section(
        "How often is each branch right?",
        "Accuracy (top-1) on clean and on attacked images. Colour means branch, pattern means "
        f"what the images went through. {_best(rows)}",
        ((_drawn(figures.bars(rows), "accuracies"), _told(rows)),),
    )


def _best(rows: Sequence[Row]) -> str:
    """Who is best on clean images, and who under the last attack."""
    attacks = [describe_attack(row) for row in rows if is_quoted(row)]
    if len({row["n"] for row in rows}) > 1:
        return "The models were asked about different images, so they are not ranked."
    clean = [row for row in rows if row["condition"]["kind"] == "clean"]
    attacked = [row for row in rows if is_quoted(row) and [describe_attack(row)] == attacks[-1:]]
    parts = []
    for own in filter(None, (clean, attacked)):
        best = max(own, key=lambda row: row["top1"])
        what = f"under {_met(own)}" if own is attacked else "on clean images"
        parts.append(f"highest {what}: {best['model']}, {best['branch']}, {best['top1']:.1%}")
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]}."


def _met(rows: Sequence[Row]) -> str:
    """One attack: through each branch itself, or through the same one for all."""
    sources = {row["condition"]["attack_branch"] for row in rows}
    white_box = all(row["condition"]["attack_branch"] == row["branch"] for row in rows)
    through = "" if white_box else f", through {' and '.join(sorted(sources))}"
    return f"{describe_attack(rows[0])}{through}"


def _curves(rows: Sequence[Row]) -> list[Section]:
    """A curve for each attack with several radii."""
    clean = [row for row in rows if row["condition"]["kind"] == "clean"]
    families: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        if row["condition"]["kind"] == "attack" and is_bounded(row):
            condition = row["condition"]
            families.setdefault((condition["attack"], condition["norm"]), []).append(row)
    several = [
        own for own in families.values() if len({r["condition"]["epsilon"] for r in own}) > 1
    ]
    if not several:
        return []
    text = (
        "Accuracy against ε, the radius of the perturbation; at 0 the images are clean. Lines of "
        "one colour are the same branch of several models."
    )
    plots = [
        (_drawn(figures.curve(clean, own), f"curve-{number}"), _told([*clean, *own]))
        for number, own in enumerate(several)
    ]
    return [Section("How much perturbation does each branch stand?", text, tuple(plots))]


def _matrices(rows: Sequence[Row]) -> list[Section]:
    """Attacks through each branch, shown to each."""
    found, curves = matrices(rows), transfers(rows)
    if not found:
        return []
    lines = (
        "Against ε, colour is the branch that predicts, dash and marker that whose gradient made "
        "the perturbation; upright lines are 95 % intervals. "
        if curves
        else ""
    )
    text = (
        f"{lines}Accuracy under one attack: a row for the branch whose gradient made the "
        "perturbation, a column for the branch that predicts, with 95 % intervals. The diagonal is "
        f"white box; off it, the perturbation was made for another branch. {own_harm(found)}"
    )
    plots = [
        (_drawn(figures.transfers(clean, own), f"transfer-{number}"), _told([*clean, *own]))
        for number, (clean, own) in enumerate(curves)
    ]
    plots += [
        (_drawn(grids.matrix(own), f"matrix-{number}"), _told(own))
        for number, own in enumerate(found)
    ]
    return [Section("Whose perturbation harms whom?", text, tuple(plots))]


def _smallest(content: Mapping[str, Any]) -> list[Section]:
    """How little turns each image."""
    if "smallest_epsilon" not in content:
        return []
    results = content["smallest_epsilon"]["results"]
    told = "; ".join(
        f"{one['model']}, {one['branch']}: median {smallest_radius(one, one['median'])}, never "
        f"turned {one['never']:.1%}"
        for one in results
    )
    text = (
        "Share of images that PGD has not turned, against ε: each is attacked at its own radii "
        "until the smallest that suffices is found. The drop at 0 is clean answers that are wrong, "
        f"and a line ends at what no radius up to the limit turned. {told}."
    )
    drawn = _drawn(figures.standing(results), "smallest-epsilon")
    return [Section("How little turns each image?", text, ((drawn, told),))]


def _corruptions(content: Mapping[str, Any]) -> list[Section]:
    """How often each branch is wrong, by kind and severity."""
    by_branch: dict[tuple[str, str], list[Row]] = {}
    for row in content["results"]:
        if row["condition"]["kind"] == "corruption":
            by_branch.setdefault((row["model"], row["branch"]), []).append(row)
    if not by_branch:
        return []
    means = [
        f"{one['model']}, {one['branch']}: {one['error']:.1%} "
        f"({one['interval'][0]:.1%} to {one['interval'][1]:.1%})"
        for one in content["mean_corruption_error"]["results"]
    ]
    text = (
        "Share of wrong answers by corruption (row) and severity (column), on one colour scale. "
        f"{_how_made(by_branch)} {'; '.join(means)}. The mean is over plain errors, so it is not "
        f"the mCE of articles.{_mce(content)}"
    )
    plots = [
        (_drawn(grids.heat_map(own), f"corruptions-{number}"), _worst(own))
        for number, own in enumerate(by_branch.values())
    ]
    return [Section("What do corruptions do?", text, tuple(plots))]


def _how_made(by_branch: Mapping[tuple[str, str], Sequence[Row]]) -> str:
    """Where the corruptions come from."""
    row = next(iter(by_branch.values()))[0]
    if row["condition"].get("source") == "files":
        return (
            f"The corruptions are published files, {row['n']} images of each. Mean corruption "
            "error on these:"
        )
    return (
        "The corruptions are made by this project at 224 pixels and resized to the network's "
        "input. Mean corruption error, generated here:"
    )


def _mce(content: Mapping[str, Any]) -> str:
    """The articles' own figures, where they are defined."""
    if "imagenet_c" not in content:
        return ""
    told = "; ".join(_mce_of(one) for one in content["imagenet_c"]["results"])
    return f" The articles' mCE, of which AlexNet has 100 %: {told}."


def _mce_of(one: Row) -> str:
    low, high = one["interval"]
    text = f"{one['model']}, {one['branch']}: {one['mce']:.1%} ({low:.1%} to {high:.1%})"
    if "relative_mce" not in one:
        return text
    low, high = one["relative_interval"]
    return f"{text}, relative {one['relative_mce']:.1%} ({low:.1%} to {high:.1%})"


def _worst(rows: Sequence[Row]) -> str:
    worst = min(rows, key=lambda row: row["top1"])
    return (
        f"Errors of {worst['model']}, {worst['branch']}, by corruption and severity; the largest "
        f"is {1 - worst['top1']:.1%}, at {describe(worst)}"
    )


def _probes(rows: Sequence[Row]) -> list[Section]:
    """Accuracy without outlines, colour, surfaces, fine or coarse structure."""
    shown = [row for row in rows if row["condition"]["kind"] in ("clean", "probe")]
    if all(row["condition"]["kind"] == "clean" for row in shown):
        return []
    text = (
        "Accuracy (top-1) on what is left of the images; whiskers are 95 % intervals. Shuffled "
        "patches lose outlines and keep texture; edges are lines alone; low-pass takes detail "
        "away and high-pass coarse structure, from a cut-off in cycles per image on. A branch that "
        "was not trained on such images may also fail because they look strange."
    )
    return [
        Section(
            "Shape and texture: what can each branch do without?",
            text,
            ((_drawn(figures.dots(shown), "probes"), _told(shown)),),
        )
    ]


def _shape_biases(content: Mapping[str, Any]) -> list[Section]:
    """Which of outline and texture each branch answers where they disagree."""
    if "shape_bias" not in content:
        return []
    results = content["shape_bias"]["results"]
    told = "; ".join(_went_by(one) for one in results)
    text = (
        "Shape bias (Geirhos et al., arXiv 1811.12231): in these scenes an object has the outline "
        "of one class and the texture of another, and the bias is the share of answers by shape "
        f"among those by either: at the dotted line neither prevails. {told}."
    )
    return [
        Section(
            "Shape and texture: which does each branch go by?",
            text,
            ((_drawn(figures.shape_biases(results), "shape-bias"), told),),
        )
    ]


def _went_by(one: Row) -> str:
    shares = f"{one['neither']:.1%} of scenes by neither"
    if one["shape_bias"] is None:
        return f"{one['model']}, {one['branch']}: none, {shares}"
    low, high = one["interval"]
    return (
        f"{one['model']}, {one['branch']}: {one['shape_bias']:.1%} ({low:.1%} to {high:.1%}), "
        f"{shares}"
    )


def _reliability(rows: Sequence[Row]) -> Section:
    """A diagram for each branch, clean and attacked."""
    text = (
        "Accuracy by confidence, in 15 bins: where a bar ends below the diagonal, the branch is "
        "surer than it is right; pale bars hold fewer than 2 % of the images. Lines are 95 % "
        "Wilson intervals. The calibration error (Guo et al., arXiv 1706.04599) is the mean "
        "distance, weighted by images; few images make it too large."
    )
    plots = [
        (_drawn(figures.reliability(row), f"reliability-{number}"), _how_calibrated(row))
        for number, row in enumerate(rows)
    ]
    return Section("Does confidence mean something?", text, tuple(plots))


def _how_calibrated(row: Row) -> str:
    error = row["calibration"]["expected_calibration_error"]
    return f"{row['model']}, {row['branch']}, {describe(row)}: calibration error {error:.1%}"


def _told(rows: Sequence[Row]) -> str:
    return "; ".join(
        f"{row['model']}, {row['branch']}, {describe(row)}: {row['top1']:.1%}" for row in rows
    )


def _drawn(spec: Spec, name: str) -> str:
    from plotly.graph_objects import Figure

    text = Figure(spec).to_html(
        full_html=False,
        include_plotlyjs=False,
        div_id=name,
        config={"displayModeBar": False, "responsive": True},
    )
    return str(text)
