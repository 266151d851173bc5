"""How robust each branch is, at a glance: from clean images to attacked ones, a row for each."""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from advprop_core.report.colours import branch_colour
from advprop_core.report.style import plain, whiskers
from advprop_core.report.words import Row, columns, describe
from advprop_core.text import percent
from app.figures.style import INK, row_axis, settle
from app.language.text import _

_ROW = 40  # px
_Branch = tuple[str, str]  # model, branch
_Rows = Mapping[_Branch, Row]


def standings(clean: Sequence[Row], hit: Sequence[Row], *, dark: bool = False) -> go.Figure:
    """A ring where a branch is on clean images, a dot where the attack leaves it.

    The most robust is on top. Without ``hit`` there are rings alone.
    """
    before, after = _by_branch(clean), _by_branch(hit)
    order = sorted({**before, **after}, key=lambda who: -(after.get(who) or before[who])["top1"])
    figure = go.Figure()
    for place, who in enumerate(order):
        if who in before and who in after:
            ends = before[who]["top1"], after[who]["top1"]
            figure.add_trace(_line(ends, place, branch_colour(who[1])))
    for rows, symbol in ((before, "circle-open"), (after, "circle")):
        for place, who in enumerate(order):
            if who in rows:
                figure.add_trace(_mark(rows[who], symbol, place, dark))
    for place, who in enumerate(order):
        inputs = [rows[who] for rows in (before, after) if who in rows]
        figure.add_trace(_shares(inputs, place, dark))
    names = _short([model for model, _branch in order])
    labels = [f"{plain(n)},<br>{branch}" for n, (_model, branch) in zip(names, order, strict=True)]
    _lay_out(figure, labels, dark)
    return figure


def _short(models: Sequence[str]) -> list[str]:
    """Names without the word that all begin with, for a phone has little room beside a figure."""
    first, rest = models[0].partition("-")[::2]
    shared = len({*models}) > 1 and rest and all(m.startswith(f"{first}-") for m in models)
    return [model.removeprefix(f"{first}-") if shared else model for model in models]


def _by_branch(rows: Sequence[Row]) -> dict[_Branch, Row]:
    return {(row["model"], row["branch"]): row for row in rows}


def _line(ends: Sequence[float], place: int, colour: str) -> go.Scatter:
    return go.Scatter(
        x=ends,
        y=[place, place],
        mode="lines",
        line={"color": colour, "width": 3},
        opacity=0.45,
        hoverinfo="skip",
    )


def _mark(row: Row, symbol: str, place: int, dark: bool) -> go.Scatter:
    return go.Scatter(
        x=[row["top1"]],
        y=[place],
        mode="markers",
        meta=columns(row),
        marker={
            "symbol": symbol, "size": 13, "color": branch_colour(row["branch"]),
            "line": {"width": 2.5, "color": branch_colour(row["branch"])},
        },
        error_x=whiskers([(row["top1"], *row["interval"])]) | {"color": INK[dark], "thickness": 1},
        customdata=[(plain(describe(row)), *row["interval"])],
        hovertemplate=_("{condition}: {share} right ({interval})").format(
            condition="%{customdata[0]}",
            share="%{x:$.1%}",
            interval=_("{low} to {high}").format(
                low="%{customdata[1]:$.1%}", high="%{customdata[2]:$.1%}"
            ),
        )
        + "<extra></extra>",
    )  # fmt: skip


def _shares(rows: Sequence[Row], place: int, dark: bool) -> go.Scatter:
    """Both shares of a branch in figures, outside of what is drawn of them."""
    ordered = sorted(rows, key=lambda row: float(row["top1"]))
    ends = [ordered[0]["interval"][0], ordered[-1]["interval"][1]][-len(ordered) :]
    sides = ["middle left", "middle right"][-len(ordered) :]
    return go.Scatter(
        x=ends,
        y=[place] * len(ordered),
        mode="text",
        text=[f"\u2003{percent(row['top1'])}\u2003" for row in ordered],
        textposition=sides,
        textfont={"color": INK[dark], "size": 13},
        cliponaxis=False,
        hoverinfo="skip",
    )


def _lay_out(figure: go.Figure, names: Sequence[str], dark: bool) -> None:
    settle(figure, _ROW * len(names) + 52, dark)
    figure.update_layout(margin={"l": 0, "r": 0, "t": 4, "b": 44}, showlegend=False)
    figure.update_xaxes(
        range=[-0.32, 1.28],
        tickvals=[0, 0.5, 1],
        ticktext=["0 %", "50 %", "100 %"],
        title={"text": _("right answers"), "standoff": 4},
        zeroline=False,
    )
    figure.update_yaxes(**row_axis(names))
