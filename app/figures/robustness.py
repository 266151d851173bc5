"""Accuracies over a data set as figures; each takes rows of ``results.json``.

Colour means branch, as does whether a marker is filled. A network is told by the marker's shape and
the dash.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import plotly.graph_objects as go

from advprop_core.evaluation.studies import Gain
from advprop_core.report import grids, plots
from advprop_core.report.colours import branch_colour
from advprop_core.report.style import Spec
from advprop_core.text import NORM_TITLES
from app.figures.style import INK
from app.robustness.words import points

Row = Mapping[str, Any]

DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
_FILLS = {"main": "", "aux": "-open"}
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "triangle-down", "pentagon")
# Blue, where the first is right more often, through white to orange, where the second is.
_DIFFERENCE = ("#0072B2", "#80B9D9", "#F7F7F7", "#EAAF80", "#D55E00")
_LEGEND = {"orientation": "h", "yref": "container", "yanchor": "bottom", "y": 0, "x": 0}
_LINE = 20  # px
_LEGEND_LINE = 26


@dataclass(frozen=True)
class Dot:
    """A figure with its interval.

    Attributes:
        group: What it is about: the line it stands in.
        model: Name of the network.
        branch: Whose it is.
        share: A fraction.
        interval: Its 95 % interval.
    """

    group: str
    model: str
    branch: str
    share: float
    interval: tuple[float, float]


def curves(
    clean: Sequence[Row], attacked: Sequence[Row], models: Sequence[str], *, dark: bool = False
) -> go.Figure:
    """Accuracy against ε under one attack, each line in the band of its intervals.

    Args:
        clean: Where lines begin.
        attacked: Rows of one attack and one norm.
        models: Every network of the page, which decides markers and dashes.
        dark: Whether the page is.
    """
    norm = attacked[0]["condition"]["norm"]
    unit = 255 if norm == "linf" else 1
    figure = go.Figure()
    walks = dict.fromkeys((row["model"], row["branch"], _source(row)) for row in attacked)
    for model, branch, source in walks:
        own = [row for row in clean if (row["model"], row["branch"]) == (model, branch)]
        own += [row for row in attacked if (row["model"], row["branch"]) == (model, branch)
                and _source(row) == source]  # fmt: skip
        own.sort(key=lambda row: row["condition"].get("epsilon", 0))
        radii = [row["condition"].get("epsilon", 0) * unit for row in own]
        figure.add_trace(_band(radii, own, branch))
        name = f"{escape(model)}, {branch}"
        figure.add_trace(
            go.Scatter(
                x=radii,
                y=[row["top1"] for row in own],
                mode="lines+markers",
                name=name if source == branch else f"{name}, attacked through {source}",
                line={"color": branch_colour(branch), "dash": _of(DASHES, models, model)},
                marker={"symbol": _symbol(models, model, branch), "size": 9},
                customdata=[row["interval"] for row in own],
                hovertemplate="ε = %{x:.3g}: %{y:.1%} "
                "(%{customdata[0]:.1%} to %{customdata[1]:.1%})<extra>%{fullData.name}</extra>",
            )
        )
    unit_name = "in 1/255" if norm == "linf" else "the length of the perturbation"
    _settle(figure, 330 + _LEGEND_LINE * len(walks), dark, top=50)
    figure.update_layout(
        title={"text": f"{escape(attacked[0]['condition']['attack'])}, {NORM_TITLES[norm]}"},
        showlegend=True,
        legend=_LEGEND,
    )
    figure.update_xaxes(
        title_text=f"Strength ε, {unit_name}",
        tickvals=sorted({x for line in figure.data for x in line.x}),
        tickformat=".3~g",
        zeroline=False,
        showgrid=False,
    )
    _shares(figure, "y", "Right answers")
    return figure


def dots(
    found: Sequence[Dot], models: Sequence[str], title: str, *, dark: bool = False
) -> go.Figure:
    """Every figure as a dot with its interval: a block of lines for each group.

    Args:
        found: In the order they are drawn.
        models: Every network of the page, which decides the markers.
        title: Of the axis.
        dark: Whether the page is.
    """
    groups = list(dict.fromkeys(one.group for one in found))
    series = list(dict.fromkeys((one.model, one.branch) for one in found))
    figure = go.Figure()
    for place, (model, branch) in enumerate(series):
        own = [one for one in found if (one.model, one.branch) == (model, branch)]
        figure.add_trace(
            go.Scatter(
                x=[one.share for one in own],
                y=[groups.index(one.group) * (len(series) + 1) + place for one in own],
                mode="markers",
                name=f"{escape(model)}, {branch}",
                marker={
                    "color": branch_colour(branch),
                    "symbol": _symbol(models, model, branch),
                    "size": 10,
                },
                error_x={
                    "type": "data",
                    "symmetric": False,
                    "array": [one.interval[1] - one.share for one in own],
                    "arrayminus": [one.share - one.interval[0] for one in own],
                    "color": branch_colour(branch),
                    "thickness": 2,
                    "width": 4,
                },
                customdata=[(one.group, *one.interval) for one in own],
                hovertemplate="%{customdata[0]}: %{x:.1%} (%{customdata[1]:.1%} to "
                "%{customdata[2]:.1%})<extra>%{fullData.name}</extra>",
            )
        )
    lines = len(groups) * (len(series) + 1)
    _settle(figure, _LINE * lines + 70 + _LEGEND_LINE * len(series), dark, top=10)
    figure.update_layout(showlegend=True, legend=_LEGEND)
    figure.update_yaxes(
        tickvals=[
            number * (len(series) + 1) + (len(series) - 1) / 2 for number in range(len(groups))
        ],
        ticktext=[escape(group).replace(", ", ",<br>") for group in groups],  # pages may be narrow
        range=[lines - 0.75, -1.25],
        showgrid=False,
        zeroline=False,
    )
    _shares(figure, "x", title)
    return figure


def errors(rows: Sequence[Row], *, dark: bool = False) -> go.Figure:
    """Share of wrong answers of one branch, by corruption and severity."""
    return _of_report(grids.heat_map(rows), dark)


def difference(first: Sequence[Row], second: Sequence[Row], *, dark: bool = False) -> go.Figure:
    """How much more often the second is right on corrupted images than the first.

    Args:
        first: Rows of one branch of a network.
        second: Rows of another one, with the same corruptions.
        dark: Whether the page is.
    """
    shares = [{_cell(row): row["top1"] for row in rows} for rows in (first, second)]
    places = [place for place in shares[0] if place in shares[1]]
    kinds = list(dict.fromkeys(kind for kind, _ in places))
    levels = sorted({level for _, level in places})
    gains = [[_gain(shares, (kind, level)) for level in levels] for kind in kinds]
    widest = max(abs(gain) for line in gains for gain in line if gain is not None) or 0.01
    figure = go.Figure(
        go.Heatmap(
            z=gains,
            x=[str(level) for level in levels],
            y=[kind.replace("_", " ") for kind in kinds],
            zmin=-widest,
            zmax=widest,
            colorscale=[(n / 4, colour) for n, colour in enumerate(_DIFFERENCE)],
            xgap=2,
            ygap=2,
            showscale=False,
            text=[["" if gain is None else points(gain) for gain in line] for line in gains],
            texttemplate="%{text}",
            hovertemplate="%{y}, severity %{x}: %{text} points<extra></extra>",
        )
    )
    _settle(figure, 24 * len(kinds) + 90, dark)
    figure.update_layout(width=260 + 90 * len(levels))
    fixed = {"showgrid": False, "zeroline": False}
    figure.update_xaxes(title_text="severity", type="category", **fixed)
    figure.update_yaxes(autorange="reversed", **fixed)
    figure.update_layout(title={"text": "Gain in right answers, points"})
    return figure


def gains(
    found: Sequence[Gain], titles: Mapping[str, str], title: str, *, dark: bool = False
) -> go.Figure:
    """What runs gain on one measure, with intervals and a line where nothing is gained.

    Args:
        found: With points.
        titles: Run to what people read.
        title: Of the measure.
        dark: Whether the page is.
    """
    figure = go.Figure()
    for place, one in enumerate(found):
        low, high = one.interval or (0.0, 0.0)
        middle = 100 * (one.points or 0)
        figure.add_trace(
            go.Scatter(
                x=[middle],
                y=[place],
                mode="markers",
                marker={"color": branch_colour(one.branch), "size": 10},
                error_x={
                    "type": "data",
                    "symmetric": False,
                    "array": [100 * high - middle],
                    "arrayminus": [middle - 100 * low],
                    "color": branch_colour(one.branch),
                    "thickness": 2,
                    "width": 4,
                },
                name=f"{escape(titles[one.run])}, {one.branch}",
                customdata=[(one.share, 100 * low, 100 * high)],
                hovertemplate="%{x:+.1f} points (%{customdata[1]:+.1f} to %{customdata[2]:+.1f})"
                "<br>%{customdata[0]:.1%} right<extra>%{fullData.name}</extra>",
            )
        )
    _settle(figure, 36 * len(found) + 100, dark)
    figure.update_layout(title={"text": escape(title)}, showlegend=False)
    figure.add_vline(0, line={"color": INK[dark], "width": 1, "dash": "dot"})
    figure.update_xaxes(title_text="Gain, points", zeroline=False, showgrid=True)
    figure.update_yaxes(
        tickvals=[*range(len(found))],
        ticktext=[f"{escape(titles[one.run])},<br>{one.branch}" for one in found],
        range=[len(found) - 0.5, -0.5],
        showgrid=False,
        zeroline=False,
    )
    return figure


def matrix(rows: Sequence[Row], *, dark: bool = False) -> go.Figure:
    """Accuracy of each branch of one network under one attack through each of its branches."""
    return _of_report(grids.matrix(rows), dark)


def transfers(clean: Sequence[Row], attacked: Sequence[Row], *, dark: bool = False) -> go.Figure:
    """Accuracy against ε of a network's branches, under attacks through each of its branches."""
    return _of_report(plots.transfers(clean, attacked), dark)


def standing(results: Sequence[Row], *, dark: bool = False) -> go.Figure:
    """Share of images that no radius up to ε has turned."""
    return _of_report(plots.standing(results), dark)


def shape_biases(results: Sequence[Row], *, dark: bool = False) -> go.Figure:
    """Answers by shape among those by shape or by texture."""
    return _of_report(plots.shape_biases(results), dark)


def reliability(row: Row, *, dark: bool = False) -> go.Figure:
    """Accuracy by confidence of one branch under one condition."""
    return _of_report(plots.reliability(row), dark)


def _of_report(spec: Spec, dark: bool) -> go.Figure:
    """A figure of the report on this page's ground."""
    layout = {key: value for key, value in spec["layout"].items() if key != "template"}
    layout["font"] = {"color": INK[dark], "size": 13}
    return go.Figure({"data": [_in_ink(trace, dark) for trace in spec["data"]], "layout": layout})


def _in_ink(trace: Spec, dark: bool) -> Spec:
    """Whiskers that have the report's ink, and no branch's colour, take the page's."""
    inked = {
        axis: trace[axis] | {"color": INK[dark]}
        for axis in ("error_x", "error_y")
        if trace.get(axis, {}).get("color") == INK[False]
    }
    return trace | inked


def _settle(figure: go.Figure, height: int, dark: bool, top: int = 40) -> None:
    figure.update_layout(
        height=height,
        margin={"l": 10, "r": 10, "t": top, "b": 10},
        font={"color": INK[dark], "size": 13},
        title={"font": {"size": 14}, "x": 0.0, "y": 1 - 16 / height, "xanchor": "left"},
        dragmode=False,
        hovermode="closest",
    )
    figure.update_xaxes(automargin=True, fixedrange=True)
    figure.update_yaxes(automargin=True, fixedrange=True)


def _shares(figure: go.Figure, axis: str, title: str) -> None:
    update = figure.update_xaxes if axis == "x" else figure.update_yaxes
    update(
        title_text=title,
        range=[-0.02, 1.03],
        tickformat=".0%",
        tickvals=[0, 0.25, 0.5, 0.75, 1],
        zeroline=False,
        showgrid=True,
    )


def _band(radii: Sequence[float], rows: Sequence[Row], branch: str) -> go.Scatter:
    low = [row["interval"][0] for row in rows]
    high = [row["interval"][1] for row in rows]
    red, green, blue = (int(branch_colour(branch)[at : at + 2], 16) for at in (1, 3, 5))
    return go.Scatter(
        x=[*radii, *reversed(radii)],
        y=[*high, *reversed(low)],
        fill="toself",
        fillcolor=f"rgba({red},{green},{blue},0.14)",
        line={"width": 0},
        mode="lines",
        hoverinfo="skip",
        showlegend=False,
    )


def _source(row: Row) -> str:
    return str(row["condition"]["attack_branch"])


def _of(choices: Sequence[str], models: Sequence[str], model: str) -> str:
    return choices[models.index(model) % len(choices)]


def _symbol(models: Sequence[str], model: str, branch: str) -> str:
    """The network's own, filled otherwise for each branch: not everyone tells colours apart."""
    return _of(SYMBOLS, models, model) + _FILLS.get(branch, "-open-dot")


def _cell(row: Row) -> tuple[str, int]:
    return row["condition"]["corruption"], row["condition"]["severity"]


def _gain(
    shares: Sequence[Mapping[tuple[str, int], float]], place: tuple[str, int]
) -> float | None:
    first, second = (one.get(place) for one in shares)
    return None if first is None or second is None else second - first
