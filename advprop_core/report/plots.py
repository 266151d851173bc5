"""The figures of an evaluation's report, as what plotly is told; plotly itself is not needed.

Each function takes rows of ``results.json`` and gives a figure's data and layout.
"""

from __future__ import annotations

from collections.abc import Sequence

from advprop_core.evaluation.intervals import wilson_interval
from advprop_core.report.colours import branch_colour
from advprop_core.report.style import (
    SYMBOLS,
    Spec,
    error_bars,
    frame,
    hatching,
    marker,
    plain,
    whiskers,
)
from advprop_core.report.words import Row, describe
from advprop_core.text import NORM_TITLES

_PATTERNS = ("", "/", "x", ".", "\\", "-", "|", "+")
_DASHES = ("solid", "dash", "dot", "dashdot")
_GREY = "#7B8794"
_SHADOW = ", ".join(["0 0 3px #000000"] * 3)
_BAR = 22  # pixels
_LEGEND = {"orientation": "h", "yref": "container", "yanchor": "bottom", "y": 0}
_Walk = tuple[str, str, str]  # model, branch, attack branch
_SHARES: Spec = {"range": [0, 1.02], "tickformat": ".0%", "fixedrange": True, "automargin": True}


def bars(rows: Sequence[Row]) -> Spec:
    """Accuracies: a group of bars for each branch, a pattern for each condition."""
    titles = list(dict.fromkeys(map(describe, rows)))
    data = []
    for place, title in enumerate(titles):
        pattern = hatching(_PATTERNS[place % len(_PATTERNS)])
        own = [row for row in rows if describe(row) == title]
        shared = {"type": "bar", "orientation": "h", "offsetgroup": str(place)}
        data.append(
            shared
            | {
                "y": [f"{plain(row['model'])}<br>{row['branch']}" for row in own],
                "x": [row["top1"] for row in own],
                "error_x": error_bars(own),
                "marker": {
                    "color": [branch_colour(row["branch"]) for row in own],
                    "pattern": pattern,
                },
                "text": [f"{row['top1']:.1%}" for row in own],
                "textposition": "inside",
                "insidetextanchor": "start",
                "textangle": 0,
                # A shadow, for the pattern is white as well.
                "textfont": {"color": "#FFFFFF", "size": 12, "shadow": _SHADOW},
                "showlegend": False,
                "hovertemplate": f"%{{y}}<br>{plain(title)}<br>%{{x:.1%}}<extra></extra>",
            }
        )
        key = {"color": _GREY, "pattern": pattern}  # the legend's, for colour means branch
        data.append(shared | {"y": [None], "x": [None], "marker": key, "name": plain(title)})
    groups = len({(row["model"], row["branch"]) for row in rows})
    return frame(
        data,
        height=_BAR * groups * (len(titles) + 1) + 60 + 24 * len(titles),
        top=10,
        barmode="group",
        bargap=0.2,
        legend=_LEGEND,
        xaxis=_SHARES | {"title": "accuracy"},
        yaxis={"autorange": "reversed", "automargin": True, "fixedrange": True},
    )


def curve(clean: Sequence[Row], attacked: Sequence[Row]) -> Spec:
    """Accuracy against ε under one attack: a line for each branch and attack branch.

    Args:
        clean: Where lines begin.
        attacked: Rows of one attack and one norm.
    """
    models = list(dict.fromkeys(row["model"] for row in attacked))
    data = []
    for walk in dict.fromkeys(map(_walk, attacked)):
        model, branch, source = walk
        through = "" if source == branch else f", through {source}"
        name = f"{plain(model)}, {branch}{through}"
        data.append(_line(clean, attacked, walk, name, models.index(model)))
    first = attacked[0]["condition"]
    return _against_radius(data, first["attack"], first["norm"], "accuracy")


def transfers(clean: Sequence[Row], attacked: Sequence[Row]) -> Spec:
    """Accuracy against ε of a network's branches, under attacks through each of its branches.

    Colour is the branch that predicts; dash and marker are that which was attacked.

    Args:
        clean: Where lines begin.
        attacked: Rows of one network, one attack and one norm.
    """
    sources = list(dict.fromkeys(row["condition"]["attack_branch"] for row in attacked))
    data = []
    for walk in dict.fromkeys(map(_walk, attacked)):
        _, branch, source = walk
        name = f"{branch}, attacked through {'itself' if source == branch else source}"
        data.append(_line(clean, attacked, walk, name, sources.index(source)))
    first = attacked[0]["condition"]
    title = f"{plain(attacked[0]['model'])}<br>{first['attack']}"
    return _against_radius(data, title, first["norm"], "accuracy", top=60)


def dots(rows: Sequence[Row]) -> Spec:
    """Accuracies by what images went through: a dot with its interval for each branch."""
    titles = list(dict.fromkeys(map(describe, rows)))
    models = list(dict.fromkeys(row["model"] for row in rows))
    who = list(dict.fromkeys((row["model"], row["branch"]) for row in rows))
    data = []
    for place, (model, branch) in enumerate(who):
        own = [row for row in rows if (row["model"], row["branch"]) == (model, branch)]
        shift = (place - (len(who) - 1) / 2) * 0.7 / len(who)  # so that none hides another
        data.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": [row["top1"] for row in own],
                "y": [titles.index(describe(row)) + shift for row in own],
                "error_x": error_bars(own) | {"color": branch_colour(branch)},
                "marker": marker(branch, models.index(model)),
                "name": f"{plain(model)}, {branch}",
                "customdata": [plain(describe(row)) for row in own],
                "hovertemplate": "%{customdata}<br>%{x:.1%}<extra>%{fullData.name}</extra>",
            }
        )
    names = [plain(title).replace(", ", ",<br>") for title in titles]  # narrow, as screens may be
    return _dotted(data, names, max(40, 14 * len(who)), "accuracy")


def shape_biases(results: Sequence[Row]) -> Spec:
    """Shape bias of each branch as a dot with its interval; branches without one are left out."""
    shown = [one for one in results if one["shape_bias"] is not None]
    models = list(dict.fromkeys(one["model"] for one in shown))
    data = [
        {
            "type": "scatter",
            "mode": "markers",
            "x": [one["shape_bias"]],
            "y": [place],
            "error_x": whiskers([(one["shape_bias"], *one["interval"])])
            | {"color": branch_colour(one["branch"])},
            "marker": marker(one["branch"], models.index(one["model"])),
            "showlegend": False,
            "hovertemplate": "%{x:.1%} by shape<extra></extra>",
        }
        for place, one in enumerate(shown)
    ]
    names = [f"{plain(one['model'])}, {one['branch']}" for one in shown]
    half = {"type": "line", "x0": 0.5, "x1": 0.5, "yref": "paper", "y0": 0, "y1": 1}
    spec = _dotted(data, names, 34, "shape bias")
    spec["layout"]["shapes"] = [half | {"line": {"color": _GREY, "dash": "dot", "width": 1}}]
    return spec


def standing(results: Sequence[Row]) -> Spec:
    """Share of images that stand against ε: a line down, a step for each image that falls."""
    norm, limit = results[0]["norm"], results[0]["limit"]
    unit = 255 if norm == "linf" else 1
    models = list(dict.fromkeys(one["model"] for one in results))
    data = []
    for one in results:
        fallen = sorted(radius for radius in one["epsilons"] if radius is not None)
        at = [0.0, *fallen, limit]
        left = [1 - min(place, len(fallen)) / one["n"] for place in range(len(at))]
        dash = _DASHES[models.index(one["model"]) % len(_DASHES)]
        data.append(
            {
                "type": "scatter",
                "mode": "lines",
                "x": [radius * unit for radius in at],
                "y": left,
                "line": {
                    "shape": "hv",
                    "color": branch_colour(one["branch"]),
                    "dash": dash,
                    "width": 2,
                },
                "name": f"{plain(one['model'])}, {one['branch']}",
                "hovertemplate": "ε = %{x:.3g}<br>%{y:.1%}<extra>%{fullData.name}</extra>",
            }
        )
    return _against_radius(data, results[0]["attack"], norm, "images that stand")


def reliability(row: Row) -> Spec:
    """Accuracy by confidence, with its 95 % Wilson interval; pale where there are few images."""
    calibration, bins = row["calibration"], row["calibration"]["bins"]
    ends = [
        wilson_interval(share * n, n) for share, n in zip(bins["accuracy"], bins["n"], strict=True)
    ]
    shape = "" if row["condition"]["kind"] == "clean" else "/"
    shares = {
        "type": "bar",
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
            "pattern": hatching(shape),
        },
        "hovertemplate": "%{customdata[0]} images<br>confidence %{customdata[1]:.1%}<br>"
        "right %{y:.1%} (%{customdata[2]:.1%} to %{customdata[3]:.1%})<extra></extra>",
    }
    diagonal = {"type": "scatter", "x": [0, 1], "y": [0, 1], "mode": "lines", "hoverinfo": "skip"}
    low, high = calibration["interval"]
    error = calibration["expected_calibration_error"]
    return frame(
        [shares, diagonal | {"line": {"color": _GREY, "dash": "dot"}}],
        title=f"{plain(row['model'])}, {row['branch']}<br>{plain(describe(row))}"
        f"<br>error {error:.1%} ({low:.1%} to {high:.1%})",
        height=330,
        top=88,
        showlegend=False,
        xaxis=_SHARES | {"title": "confidence", "tickvals": [0, 0.5, 1]},
        yaxis=_SHARES | {"title": "right", "tickvals": [0, 0.5, 1]},
    )


def _line(
    clean: Sequence[Row], attacked: Sequence[Row], walk: _Walk, name: str, style: int
) -> Spec:
    """A branch's accuracies from ε = 0 on, under attacks through one branch."""
    unit = 255 if attacked[0]["condition"]["norm"] == "linf" else 1
    own = [row for row in clean if (row["model"], row["branch"]) == walk[:2]]
    own += sorted(
        (row for row in attacked if _walk(row) == walk),
        key=lambda row: row["condition"]["epsilon"],
    )
    dash = _DASHES[style % len(_DASHES)]
    return {
        "type": "scatter",
        "x": [row["condition"].get("epsilon", 0) * unit for row in own],
        "y": [row["top1"] for row in own],
        "error_y": error_bars(own) | {"color": branch_colour(walk[1])},
        "mode": "lines+markers",
        "name": name,
        "line": {"color": branch_colour(walk[1]), "dash": dash, "width": 2},
        "marker": {"symbol": SYMBOLS[style % len(SYMBOLS)], "size": 8},
        "hovertemplate": "ε = %{x:.3g}<br>%{y:.1%}<extra>%{fullData.name}</extra>",
    }


def _against_radius(
    data: Sequence[Spec], title: str, norm: str, shares: str, top: int = 40
) -> Spec:
    """Lines over ε, with a legend that has a line for each."""
    axis = "ε in 255ths" if norm == "linf" else "ε, the length of the perturbation"
    return frame(
        data,
        title=f"{title}, {NORM_TITLES[norm]}",
        height=340 + 22 * len(data),
        top=top,
        showlegend=True,
        legend=_LEGEND,
        xaxis={"title": axis, "rangemode": "tozero", "fixedrange": True},
        yaxis=_SHARES | {"title": shares},
    )


def _dotted(data: Sequence[Spec], names: Sequence[str], row: int, title: str) -> Spec:
    """Dots on numbered rows, the first on top, ``row`` pixels apart."""
    return frame(
        data,
        height=row * len(names) + 90 + 24 * sum("name" in one for one in data),
        top=10,
        legend=_LEGEND,
        xaxis=_SHARES | {"range": [-0.02, 1.02], "title": title},
        yaxis={
            "tickvals": [*range(len(names))],
            "ticktext": [*names],
            "range": [len(names) - 0.5, -0.5],
            "zeroline": False,
            "automargin": True,
            "fixedrange": True,
        },
    )


def _walk(row: Row) -> _Walk:
    return row["model"], row["branch"], row["condition"]["attack_branch"]
