"""Figures of the Robustness page: the report's on the page's ground, and two of its own."""

from collections.abc import Mapping, Sequence
from html import escape

import plotly.graph_objects as go

from advprop_core.evaluation.studies import LESS_IS_BETTER, Gain
from advprop_core.report import grids
from advprop_core.report.colours import CHANGE_COLOURS, branch_colour
from advprop_core.report.style import Spec, whiskers
from advprop_core.report.words import Row, corruption, points
from app.figures.style import INK, ink_axes, row_axis, settle
from app.language.text import _

_GAIN_GROUND, _LOSS_GROUND = "rgba(27,120,55,0.10)", "rgba(118,42,131,0.10)"


def difference(gains: Mapping[tuple[str, int], float], *, dark: bool = False) -> go.Figure:
    """How much more often one branch is right than another: (corruption, severity) to share."""
    kinds = list(dict.fromkeys(kind for kind, _level in gains))
    levels = sorted({level for _kind, level in gains})
    table = [[gains.get((kind, level)) for level in levels] for kind in kinds]
    widest = max(map(abs, gains.values())) or 0.01
    figure = go.Figure(
        go.Heatmap(
            z=table,
            x=[str(level) for level in levels],
            y=[corruption(kind) for kind in kinds],
            zmin=-widest,
            zmax=widest,
            colorscale=[(n / 4, colour) for n, colour in enumerate(CHANGE_COLOURS)],
            xgap=2,
            ygap=2,
            showscale=False,
            text=[["" if gain is None else points(gain) for gain in line] for line in table],
            texttemplate="%{text}",
            hovertemplate=_("{corruption}, severity {severity}: {gain} points").format(
                corruption="%{y}", severity="%{x}", gain="%{text}"
            )
            + "<extra></extra>",
        )
    )
    settle(figure, 24 * len(kinds) + 64, dark)
    fixed = {"showgrid": False, "zeroline": False}
    figure.update_xaxes(title_text=_("severity"), type="category", **fixed)
    figure.update_yaxes(autorange="reversed", **fixed)
    return figure


def errors(rows: Sequence[Row], *, dark: bool = False) -> go.Figure:
    """Wrong answers of one branch by corruption and severity."""
    spec = grids.heat_map(rows)
    figure = of_report(spec, dark)
    figure.update_layout(title_text="", margin_t=8, height=spec["layout"]["height"] - 26)
    return figure


def gains(gains: Sequence[Gain], titles: Mapping[str, str], *, dark: bool = False) -> go.Figure:
    """What runs gain on one measure, with intervals and a line where nothing is gained.

    Every gain has points; ``titles`` is run to what people read. The side that is better has
    another ground than that which is worse.
    """
    figure = go.Figure()
    for row, gain in enumerate(gains):
        low, high = gain.interval or (0.0, 0.0)
        middle = 100 * (gain.points or 0)
        figure.add_trace(
            go.Scatter(
                x=[middle],
                y=[row],
                mode="markers",
                meta={
                    "network": titles[gain.run],
                    "branch": gain.branch,
                    "condition": gain.measure,
                },
                marker={"color": branch_colour(gain.branch), "size": 10},
                error_x=whiskers([(middle, 100 * low, 100 * high)])
                | {"color": branch_colour(gain.branch), "thickness": 2},
                name=f"{escape(titles[gain.run])}, {gain.branch}",
                customdata=[(gain.share, 100 * low, 100 * high)],
                hovertemplate=_("{gain} points ({low} to {high})").format(
                    gain="%{x:+.1f}", low="%{customdata[1]:+.1f}", high="%{customdata[2]:+.1f}"
                )
                + "<br>%{customdata[0]:$.1%}<extra>%{fullData.name}</extra>",
            )
        )
    settle(figure, 36 * len(gains) + 60, dark)
    figure.update_layout(showlegend=False)
    _mark_sides(figure, gains, dark)
    labels = [f"{escape(titles[gain.run])},<br>{gain.branch}" for gain in gains]
    figure.update_yaxes(**row_axis(labels))
    return figure


def _mark_sides(figure: go.Figure, gains: Sequence[Gain], dark: bool) -> None:
    """Which side of 0 is better, by its ground and in words."""
    ends = [100 * end for gain in gains for end in gain.interval or (0.0, 0.0)]
    low, high = min(-1.0, *ends), max(1.0, *ends)
    room = 0.06 * (high - low)
    low, high = low - room, high + room
    falls = gains[0].measure in LESS_IS_BETTER
    grounds = (_GAIN_GROUND, _LOSS_GROUND) if falls else (_LOSS_GROUND, _GAIN_GROUND)
    for (start, end), ground in zip(((low, 0), (0, high)), grounds, strict=True):
        figure.add_vrect(start, end, fillcolor=ground, line_width=0, layer="below")
    figure.add_vline(0, line={"color": INK[dark], "width": 1, "dash": "dot"})
    title = _("← better · points · worse →") if falls else _("← worse · points · better →")
    figure.update_xaxes(title_text=title, range=[low, high], zeroline=False, showgrid=True)


def of_report(spec: Spec, dark: bool) -> go.Figure:
    """A figure of the report on this page's ground."""
    layout = {key: value for key, value in spec["layout"].items() if key != "template"}
    layout["font"] = {"color": INK[dark], "size": 13}
    figure = go.Figure({"data": [_in_ink(trace, dark) for trace in spec["data"]], "layout": layout})
    ink_axes(figure, dark)
    return figure


def _in_ink(trace: Spec, dark: bool) -> Spec:
    """Whiskers that have the report's ink, and no branch's colour, take the page's."""
    inked = {
        axis: trace[axis] | {"color": INK[dark]}
        for axis in ("error_x", "error_y")
        if trace.get(axis, {}).get("color") == INK[False]
    }
    return trace | inked
