"""The figures of an evaluation's report, as what plotly is told; plotly itself is not needed.

Each function takes rows of ``results.json`` and gives a figure's data and layout.
"""

from collections.abc import Callable, Sequence

from advprop_core.evaluation.intervals import wilson_interval
from advprop_core.language import N_, _
from advprop_core.report.colours import branch_colour
from advprop_core.report.style import (
    DASHES,
    LEGEND,
    SYMBOLS,
    Spec,
    band,
    frame,
    marker,
    plain,
    symbol,
    whiskers,
)
from advprop_core.report.words import Row, columns, describe
from advprop_core.text import NORM_TITLES, NORM_UNITS, percent_in_tenths

_AXES = {"linf": N_("ε in 255ths"), "l2": N_("ε, the length of the perturbation")}
_GREY = "#7B8794"
_Walk = tuple[str, str, str]  # model, branch, attack branch
_HATCHING: Spec = {"fgcolor": "#FFFFFF", "fillmode": "overlay", "size": 7}
_SHARES: Spec = {"range": [0, 1.02], "tickformat": "$.0%", "fixedrange": True, "automargin": True}


def curve(clean: Sequence[Row], attacked: Sequence[Row], models: Sequence[str]) -> Spec:
    """Accuracy against ε under one attack of one norm, each line in the band of its intervals.

    Lines begin at clean rows. ``models`` are all of the report: their places decide the markers.
    """
    data = []
    for walk in dict.fromkeys(map(_walk, attacked)):
        model, branch, source = walk
        name = f"{plain(model)}, {branch}"
        if source != branch:
            name = _("{model}, {branch}, attacked through {source}").format(
                model=plain(model), branch=branch, source=source
            )
        line = _line(clean, attacked, walk, name, models.index(model))
        line["marker"]["symbol"] = symbol(branch, models.index(model))
        above, below = line["error_y"]["array"], line["error_y"]["arrayminus"]
        ends = {
            "low": [share - down for share, down in zip(line["y"], below, strict=True)],
            "high": [share + up for share, up in zip(line["y"], above, strict=True)],
        }
        drawn = {key: value for key, value in line.items() if key != "error_y"}
        colour = line["line"]["color"]
        data += [band(line["x"], **ends, colour=colour), drawn | {"meta": line["meta"] | ends}]
    first = attacked[0]["condition"]
    return _against_radius(data, first["attack"], first["norm"])


def transfers(clean: Sequence[Row], attacked: Sequence[Row]) -> Spec:
    """Accuracy against ε of a network's branches, under one attack through each of its branches.

    Colour is the branch that predicts; dash and marker are that which was attacked.
    """
    sources = list(dict.fromkeys(row["condition"]["attack_branch"] for row in attacked))
    data = []
    for walk in dict.fromkeys(map(_walk, attacked)):
        branch, source = walk[1:]
        name = _("{branch}, attacked through itself").format(branch=branch)
        if source != branch:
            name = _("{branch}, attacked through {source}").format(branch=branch, source=source)
        data.append(_line(clean, attacked, walk, name, sources.index(source)))
    first = attacked[0]["condition"]
    title = f"{plain(attacked[0]['model'])}<br>{first['attack']}"
    return _against_radius(data, title, first["norm"], top=60)


def dots(
    rows: Sequence[Row],
    models: Sequence[str],
    title: str,
    share: str = "top1",
    name: Callable[[Row], str] = describe,
) -> Spec:
    """The figure ``share`` of each row as a dot with its interval, a line for each name.

    ``models`` are as for :func:`curve`; the title is that of the axis.
    """
    names = list(dict.fromkeys(map(name, rows)))
    branches = list(dict.fromkeys((row["model"], row["branch"]) for row in rows))
    data = []
    for place, (model, branch) in enumerate(branches):
        shown = [row for row in rows if (row["model"], row["branch"]) == (model, branch)]
        # So that no dot hides another.
        shift = (place - (len(branches) - 1) / 2) * 0.7 / len(branches)
        bars = whiskers([(row[share], *row["interval"]) for row in shown])
        data.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": [row[share] for row in shown],
                "y": [names.index(name(row)) + shift for row in shown],
                "error_x": bars | {"color": branch_colour(branch), "thickness": 2},
                "marker": marker(branch, models.index(model)),
                "name": f"{plain(model)}, {branch}",
                "meta": columns(*shown),
                "customdata": [(plain(name(row)), *row["interval"]) for row in shown],
                "hovertemplate": f"%{{customdata[0]}}: %{{x:$.1%}} ({_ends(1)})"
                "<extra>%{fullData.name}</extra>",
            }
        )
    labels = [plain(line).replace(", ", ",<br>") for line in names]  # narrow, as screens may be
    return _dotted(data, labels, max(40, 16 * len(branches) + 8), title)


def shape_biases(results: Sequence[Row]) -> Spec:
    """Shape bias of each branch as a dot with its interval; branches without one are left out."""
    shown = [one for one in results if one["shape_bias"] is not None]
    models = list(dict.fromkeys(one["model"] for one in shown))
    data = [
        {
            "type": "scatter",
            "mode": "markers",
            "meta": columns(one),
            "x": [one["shape_bias"]],
            "y": [place],
            "error_x": whiskers([(one["shape_bias"], *one["interval"])])
            | {"color": branch_colour(one["branch"])},
            "marker": marker(one["branch"], models.index(one["model"])),
            "showlegend": False,
            "hovertemplate": _("{share} by shape").format(share="%{x:$.1%}") + "<extra></extra>",
        }
        for place, one in enumerate(shown)
    ]
    names = [f"{plain(one['model'])}, {one['branch']}" for one in shown]
    half = {"type": "line", "x0": 0.5, "x1": 0.5, "yref": "paper", "y0": 0, "y1": 1}
    spec = _dotted(data, names, 34, _("shape bias"))
    spec["layout"]["shapes"] = [half | {"line": {"color": _GREY, "dash": "dot", "width": 1}}]
    return spec


def standing(results: Sequence[Row]) -> Spec:
    """Share of images that are still right against ε: a step down for each image that falls."""
    norm, limit = results[0]["norm"], results[0]["limit"]
    unit = NORM_UNITS[norm]
    models = list(dict.fromkeys(one["model"] for one in results))
    data = []
    for one in results:
        fallen = sorted(radius for radius in one["epsilons"] if radius is not None)
        at = [0.0, *fallen, limit]
        left = [1 - min(place, len(fallen)) / one["n"] for place in range(len(at))]
        dash = DASHES[models.index(one["model"]) % len(DASHES)]
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
                "meta": {
                    "network": one["model"],
                    "branch": one["branch"],
                    "condition": one["attack"],
                    "n": one["n"],
                },
                "hovertemplate": "ε = %{x:.3g}<br>%{y:$.1%}<extra>%{fullData.name}</extra>",
            }
        )
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
            "{count} images<br>confidence {confidence}<br>right {share} ({interval})"
        ).format(
            count="%{customdata[0]}",
            confidence="%{customdata[1]:$.1%}",
            share="%{y:$.1%}",
            interval=_ends(2),
        )
        + "<extra></extra>",
    }
    diagonal = {"type": "scatter", "x": [0, 1], "y": [0, 1], "mode": "lines", "hoverinfo": "skip"}
    low, high = map(percent_in_tenths, calibration["interval"])
    error = _("error {share} ({interval})").format(
        share=percent_in_tenths(calibration["expected_calibration_error"]),
        interval=_("{low} to {high}").format(low=low, high=high),
    )
    return frame(
        [shares, diagonal | {"line": {"color": _GREY, "dash": "dot"}}],
        title=f"{plain(row['model'])}, {row['branch']}<br>{plain(describe(row))}<br>{error}",
        height=330,
        top=88,
        showlegend=False,
        xaxis=_SHARES | {"title": _("confidence"), "tickvals": [0, 0.5, 1]},
        yaxis=_SHARES | {"title": _("right"), "tickvals": [0, 0.5, 1]},
    )


def _line(
    clean: Sequence[Row], attacked: Sequence[Row], walk: _Walk, name: str, style: int
) -> Spec:
    """A branch's accuracies from ε = 0 on, under attacks through one branch."""
    unit = NORM_UNITS[attacked[0]["condition"]["norm"]]
    own = [row for row in clean if (row["model"], row["branch"]) == walk[:2]]
    own += sorted(
        (row for row in attacked if _walk(row) == walk),
        key=lambda row: row["condition"]["epsilon"],
    )
    dash = DASHES[style % len(DASHES)]
    return {
        "type": "scatter",
        "x": [row["condition"].get("epsilon", 0) * unit for row in own],
        "y": [row["top1"] for row in own],
        "error_y": whiskers([(row["top1"], *row["interval"]) for row in own])
        | {"color": branch_colour(walk[1])},
        "mode": "lines+markers",
        "name": name,
        "meta": columns(*own),
        "line": {"color": branch_colour(walk[1]), "dash": dash, "width": 2},
        "marker": {"symbol": SYMBOLS[style % len(SYMBOLS)], "size": 8},
        "hovertemplate": "ε = %{x:.3g}<br>%{y:$.1%}<extra>%{fullData.name}</extra>",
    }


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


def _dotted(data: Sequence[Spec], names: Sequence[str], row: int, title: str) -> Spec:
    """Dots on numbered rows, the first on top, ``row`` pixels apart."""
    return frame(
        data,
        height=row * len(names) + 90 + 24 * sum("name" in one for one in data),
        top=10,
        legend=LEGEND,
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


def _ends(first: int) -> str:
    """Both ends of an interval on hovering, from this column of a trace's ``customdata`` on."""
    low, high = (f"%{{customdata[{column}]:$.1%}}" for column in (first, first + 1))
    return _("{low} to {high}").format(low=low, high=high)


def _walk(row: Row) -> _Walk:
    return row["model"], row["branch"], row["condition"]["attack_branch"]
