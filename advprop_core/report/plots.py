"""The figures of an evaluation's report, as what plotly is told; plotly itself is not needed.

Each function takes rows of ``results.json`` and gives a figure's data and layout.
"""

from collections.abc import Callable, Sequence

from advprop_core.evaluation.intervals import wilson_interval
from advprop_core.language import N_, _
from advprop_core.report.colours import branch_colour
from advprop_core.report.style import (
    LEGEND,
    Spec,
    band,
    branch_title,
    frame,
    interval_on_hover,
    line,
    marker,
    plain,
    whiskers,
)
from advprop_core.report.tables import between
from advprop_core.report.words import Row, Rows, branch_of, columns, describe, grouped
from advprop_core.text import NORM_TITLES, NORM_UNITS, percent_in_tenths

_AXES = {"linf": N_("ε in 255ths"), "l2": N_("ε, the length of the perturbation")}
_GREY = "#7B8794"
_HATCHING: Spec = {"fgcolor": "#FFFFFF", "fillmode": "overlay", "size": 7}
_SHARES: Spec = {"range": [0, 1.02], "tickformat": "$.0%", "fixedrange": True, "automargin": True}
_ON_HOVER = "ε = %{x:.3g}<br>%{y:$.1%}<extra>%{fullData.name}</extra>"


def curve(clean: Rows, attacked: Rows, models: Sequence[str]) -> Spec:
    """Accuracy against ε under one attack of one norm, each line in the band of its intervals.

    Lines begin at clean rows. ``models`` are all of the report: their places decide the markers.
    """
    data = []
    for rows in _by_walk(clean, attacked):
        branch, source = rows[-1]["branch"], rows[-1]["condition"]["attack_branch"]
        name = branch_title(rows[0])
        if source != branch:
            name = _(
                "{model}, {branch}, attacked through {source}",
                model=plain(rows[0]["model"]),
                branch=branch,
                source=source,
            )
        drawn = _accuracy_line(rows, models.index(rows[0]["model"]), name)
        low, high = ([row["interval"][end] for row in rows] for end in (0, 1))
        drawn["meta"] |= {"low": low, "high": high}
        data += [band(drawn["x"], low, high, branch_colour(branch)), drawn]
    first = attacked[0]["condition"]
    return _against_radius(data, first["attack"], first["norm"])


def transfers(clean: Rows, attacked: Rows) -> Spec:
    """Accuracy against ε of a network's branches, under one attack through each of its branches.

    Colour is the branch that predicts; dash and marker are that which was attacked.
    """
    sources = list(dict.fromkeys(row["condition"]["attack_branch"] for row in attacked))
    data = []
    for rows in _by_walk(clean, attacked):
        branch, source = rows[-1]["branch"], rows[-1]["condition"]["attack_branch"]
        name = _("{branch}, attacked through itself", branch=branch)
        if source != branch:
            name = _("{branch}, attacked through {source}", branch=branch, source=source)
        bars = whiskers([(row["top1"], *row["interval"]) for row in rows], branch_colour(branch))
        data.append(_accuracy_line(rows, sources.index(source), name) | {"error_y": bars})
    first = attacked[0]["condition"]
    title = f"{plain(attacked[0]['model'])}<br>{first['attack']}"
    return _against_radius(data, title, first["norm"], top=60)


def _by_walk(clean: Rows, attacked: Rows) -> list[list[Row]]:
    """Rows of each branch under attacks through each branch, from clean images to the largest ε."""
    walks = grouped(attacked, lambda row: (*branch_of(row), row["condition"]["attack_branch"]))
    return [
        [
            *(row for row in clean if branch_of(row) == (model, branch)),
            *sorted(rows, key=lambda row: float(row["condition"]["epsilon"])),
        ]
        for (model, branch, _source), rows in walks.items()
    ]


def _accuracy_line(rows: Rows, index: int, name: str) -> Spec:
    """Accuracies of one branch from ε = 0 on."""
    unit = NORM_UNITS[rows[-1]["condition"]["norm"]]
    radii = [row["condition"].get("epsilon", 0) * unit for row in rows]
    shares = [row["top1"] for row in rows]
    about = {"meta": columns(*rows), "hovertemplate": _ON_HOVER}
    return line(rows[0]["branch"], index, name, radii, shares, **about)


def dots(
    rows: Rows,
    models: Sequence[str],
    title: str,
    share: str = "top1",
    name: Callable[[Row], str] = describe,
) -> Spec:
    """The figure ``share`` of each row as a dot with its interval, a line for each name.

    ``models`` are as for :func:`curve`; the title is that of the axis.
    """
    names = list(dict.fromkeys(map(name, rows)))
    by_branch = grouped(rows, branch_of)
    data = []
    for branch_index, ((model, _branch), shown) in enumerate(by_branch.items()):
        # So that no dot hides another.
        shift = (branch_index - (len(by_branch) - 1) / 2) * 0.7 / len(by_branch)
        labels = [*map(name, shown)]
        heights = [names.index(label) + shift for label in labels]
        data.append(_dots(shown, labels, heights, share, models.index(model)))
    labels = [plain(text).replace(", ", ",<br>") for text in names]  # narrow, as screens may be
    return _dotted(data, labels, max(40, 16 * len(data) + 8), title, has_legend=True)


def shape_biases(results: Rows) -> Spec:
    """Shape bias of each branch as a dot with its interval; branches without one are left out."""
    shown = [result for result in results if result["shape_bias"] is not None]
    models = list(dict.fromkeys(result["model"] for result in shown))
    labels = [*map(branch_title, shown)]
    data = [
        _dots([result], [label], [row_index], "shape_bias", models.index(result["model"]))
        for row_index, (result, label) in enumerate(zip(shown, labels, strict=True))
    ]
    half = {"type": "line", "x0": 0.5, "x1": 0.5, "yref": "paper", "y0": 0, "y1": 1}
    spec = _dotted(data, labels, 34, _("shape bias"), has_legend=False)
    spec["layout"]["shapes"] = [half | {"line": {"color": _GREY, "dash": "dot", "width": 1}}]
    return spec


def _dots(
    rows: Rows, labels: Sequence[str], heights: Sequence[float], share: str, index: int
) -> Spec:
    """One branch's figures, each at its height; ``index`` is that of its model."""
    branch = rows[0]["branch"]
    bars = whiskers([(row[share], *row["interval"]) for row in rows], branch_colour(branch))
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [row[share] for row in rows],
        "y": [*heights],
        "error_x": bars | {"thickness": 2},
        "marker": marker(branch, index),
        "name": branch_title(rows[0]),
        "meta": columns(*rows),
        "customdata": [
            (plain(label), *row["interval"]) for label, row in zip(labels, rows, strict=True)
        ],
        "hovertemplate": f"%{{customdata[0]}}: %{{x:$.1%}} ({interval_on_hover(1)})"
        "<extra>%{fullData.name}</extra>",
    }


def standing(results: Rows) -> Spec:
    """Share of images that are still right against ε: a step down for each image that falls."""
    norm, limit = results[0]["norm"], results[0]["limit"]
    models = list(dict.fromkeys(result["model"] for result in results))
    data = []
    for result in results:
        fallen = sorted(radius for radius in result["epsilons"] if radius is not None)
        radii = [radius * NORM_UNITS[norm] for radius in (0.0, *fallen, limit)]
        shares = [1 - min(count, len(fallen)) / result["n"] for count in range(len(radii))]
        meta = columns(result) | {"condition": result["attack"]}
        index, name = models.index(result["model"]), branch_title(result)
        about = {"mode": "lines", "meta": meta, "hovertemplate": _ON_HOVER}
        drawn = line(result["branch"], index, name, radii, shares, **about)
        drawn["line"] |= {"shape": "hv"}
        data.append(drawn)
    return _against_radius(data, results[0]["attack"], norm, _("images still right"))


def reliability(row: Row) -> Spec:
    """Accuracy by confidence, with its 95 % Wilson interval; pale where there are few images."""
    calibration, bins = row["calibration"], row["calibration"]["bins"]
    ends = [
        wilson_interval(share * n, n) for share, n in zip(bins["accuracy"], bins["n"], strict=True)
    ]
    hatching = "" if row["condition"]["kind"] == "clean" else "/"
    shares = {
        "type": "bar",
        "meta": columns(row) | {"n": bins["n"]},
        "x": [(low + high) / 2 for low, high in zip(bins["low"], bins["high"], strict=True)],
        "y": bins["accuracy"],
        "width": 1 / 15 - 0.004,
        "error_y": whiskers(
            [(share, *both) for share, both in zip(bins["accuracy"], ends, strict=True)]
        ),
        "customdata": [
            (n, confidence, *both)
            for n, confidence, both in zip(bins["n"], bins["confidence"], ends, strict=True)
        ],
        "marker": {
            "color": branch_colour(row["branch"]),
            "opacity": [0.35 if n < 0.02 * row["n"] else 1.0 for n in bins["n"]],
            "pattern": _HATCHING | {"shape": hatching},
        },
        "hovertemplate": _(
            "{count} images<br>confidence {confidence}<br>right {share} ({interval})",
            count="%{customdata[0]}",
            confidence="%{customdata[1]:$.1%}",
            share="%{y:$.1%}",
            interval=interval_on_hover(2),
        )
        + "<extra></extra>",
    }
    diagonal = {"type": "scatter", "x": [0, 1], "y": [0, 1], "mode": "lines", "hoverinfo": "skip"}
    error = _(
        "error {share} ({interval})",
        share=percent_in_tenths(calibration["expected_calibration_error"]),
        interval=between(calibration["interval"]),
    )
    axis = _SHARES | {"tickvals": [0, 0.5, 1]}
    return frame(
        [shares, diagonal | {"line": {"color": _GREY, "dash": "dot"}}],
        title=f"{branch_title(row)}<br>{plain(describe(row))}<br>{error}",
        height=330,
        top=88,
        showlegend=False,
        xaxis=axis | {"title": _("confidence")},
        yaxis=axis | {"title": _("right")},
    )


def _against_radius(
    data: Sequence[Spec], title: str, norm: str, shares: str = "", top: int = 40
) -> Spec:
    """Lines over ε, with a legend that has a line for each."""
    return frame(
        data,
        title=f"{title}, {NORM_TITLES[norm]}",
        height=340 + 22 * sum("name" in line for line in data),
        top=top,
        showlegend=True,
        legend=LEGEND,
        xaxis={"title": _(_AXES[norm]), "rangemode": "tozero", "fixedrange": True},
        yaxis=_SHARES | {"title": shares or _("accuracy")},
    )


def _dotted(
    data: Sequence[Spec], labels: Sequence[str], row: int, title: str, *, has_legend: bool
) -> Spec:
    """Dots on numbered rows, the first on top, ``row`` pixels apart."""
    return frame(
        data,
        height=row * len(labels) + 90 + 24 * len(data) * has_legend,
        top=10,
        showlegend=has_legend and len(data) > 1,
        legend=LEGEND,
        xaxis=_SHARES | {"range": [-0.02, 1.02], "title": title},
        yaxis={
            "tickvals": [*range(len(labels))],
            "ticktext": [*labels],
            "range": [len(labels) - 0.5, -0.5],
            "zeroline": False,
            "automargin": True,
            "fixedrange": True,
        },
    )
