"""The attack studio's results as figures: curves over epsilon, and who fools whom."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from advprop_core.compare.matrix import AttackMatrix
from advprop_core.compare.sweep import Sweep
from advprop_core.evaluation.results import BranchResult
from advprop_core.report.colours import branch_colour
from advprop_core.text import NORM_UNITS, ends, percent, radius, shorten
from app.figures.style import INK, MUTED, SHARES, branch_title, name_in_full
from app.language.text import N_, _

_RIVALS = 2
_WORTH_A_LINE = 0.05
_DASHES = ("dash", "dot", "dashdot")
_CURVE_HEIGHT = 190
_CELL_HEIGHT = 74
_STRENGTHS = {"linf": N_("Strength ε, in 1/255"), "l2": N_("Strength ε (L2)")}
_LONGEST = 15  # letters of a class name beside a curve


class _Line(NamedTuple):
    """One class on one branch."""

    name: str
    shares: list[float]
    main: bool
    dash: str
    colour: str


def curves(
    result: Sweep,
    names: Sequence[str],
    norm: str,
    titles: Mapping[str, str],
    now: float | None,
    *,
    dark: bool = False,
) -> go.Figure:
    """Probability against epsilon, a row for each branch, with a mark where it gives way.

    Args:
        result: The sweep.
        names: Class names in class-index order.
        norm: ``linf`` or ``l2``: the unit of the axis.
        titles: Branch to what is said of it above its row.
        now: The radius that is chosen on the left, in the unit of the axis, or None.
        dark: Whether the page is.
    """
    branches = list(result.predictions)
    unit = NORM_UNITS[norm]
    radii = [epsilon * unit for epsilon in result.epsilons]
    figure = make_subplots(
        rows=len(branches),
        cols=1,
        shared_xaxes=True,
        vertical_spacing=0.16 / len(branches),
        subplot_titles=[f"{branch_title(branch)} {titles[branch]}" for branch in branches],
    )
    figure.update_annotations(x=0, xref="x domain", xanchor="left", yshift=4, font={"size": 14})
    for row, branch in enumerate(branches, 1):
        lines = _lines(result, branch, names, branch_colour(branch), MUTED[dark])
        for line in lines:
            figure.add_trace(_trace(branch, line, radii, norm), row=row, col=1)
        for height, line in zip(_spread([line.shares[-1] for line in lines]), lines, strict=True):
            # Coloured letters are hard to read; those of rivals are fainter.
            ink = line.colour if line.colour == MUTED[dark] else INK[dark]
            _label(figure, row, height, line, ink)
        if (epsilon := result.flips[branch].epsilon) is not None:
            dashed = {"color": branch_colour(branch), "width": 1.5, "dash": "dash"}
            figure.add_vline(x=epsilon * unit, line=dashed, row=row, col=1)
    if now is not None:
        figure.add_vline(x=now, line={"color": MUTED[dark], "width": 1}, row="all", col=1)
    _curve_axes(figure, len(branches), radii[-1], norm)
    return figure


def _lines(
    result: Sweep, branch: str, names: Sequence[str], colour: str, muted: str
) -> list[_Line]:
    """The class it should say, the target, that it gives way to, and its strongest rivals."""
    table = np.array([p.probabilities.numpy() for p in result.predictions[branch]])
    first = [result.expected[branch]]
    if result.target_class is not None and result.target_class not in first:
        first.append(result.target_class)
    peaks = table.max(0)
    flipped_to = result.flips[branch].answer
    strongest = sorted(range(len(peaks)), key=lambda i: (i != flipped_to, -peaks[i]))
    rivals = [i for i in strongest if i not in first][:_RIVALS]
    shown = first + [i for i in rivals if peaks[i] >= _WORTH_A_LINE]
    tick = "✓ " if result.true_class is not None else ""
    lines = []
    for rank, index in enumerate(shown):
        asked = rank < len(first)
        name = f"{tick}{names[index]}" if not rank else names[index]
        if index == result.target_class:
            name += _(" (target)")
        dash = "solid" if not rank else _DASHES[(rank - 1) % len(_DASHES)]
        shares = table[:, index].tolist()
        lines.append(_Line(name, shares, not rank, dash, colour if asked else muted))
    return lines


def _trace(branch: str, line: _Line, radii: Sequence[float], norm: str) -> go.Scatter:
    return go.Scatter(
        meta={"branch": branch, "epsilon": [x / NORM_UNITS[norm] for x in radii]},
        x=list(radii),
        y=line.shares,
        mode="lines+markers",
        name=line.name,
        line={"color": line.colour, "width": 3 if line.main else 1.5, "dash": line.dash},
        marker={"size": 7 if line.main else 5, "color": line.colour},
        # A click selects a point: what is not selected must not fade for that.
        unselected={"marker": {"opacity": 1}},
        customdata=[radius(x / NORM_UNITS[norm], norm) for x in radii],
        hovertemplate=f"{line.name} %{{y:$.0%}} at ε = %{{customdata}}<extra></extra>",
        showlegend=False,
    )


def _label(figure: go.Figure, row: int, height: float, line: _Line, ink: str) -> None:
    """The name of a line, at its right end."""
    label, full = (
        f"<b>{name}</b>" if line.main else name
        for name in (shorten(line.name, _LONGEST), line.name)
    )
    if full != label:
        name_in_full(figure, {label: full})
    figure.add_annotation(
        text=label,
        x=1.0,
        xref="x domain",
        xshift=8,
        y=height,
        xanchor="left",
        yanchor="middle",
        showarrow=False,
        font={"color": ink, "size": 13},
        row=row,
        col=1,
    )


def _curve_axes(figure: go.Figure, rows: int, last: float, norm: str) -> None:
    figure.update_yaxes(range=[-0.04, 1.04], **SHARES)
    figure.update_xaxes(range=[-0.02 * last, 1.02 * last], zeroline=False, showgrid=False)
    figure.update_xaxes(
        title_text=_(_STRENGTHS[norm]),
        row=rows,
    )
    figure.update_layout(
        height=_CURVE_HEIGHT * rows + 70,
        margin={"l": 44, "r": 128, "t": 30, "b": 46},
        hovermode="closest",
        dragmode=False,
    )


def _spread(heights: Sequence[float], gap: float = 0.13) -> list[float]:
    """Places for labels as near to these heights as they can be without touching."""
    order = sorted(range(len(heights)), key=lambda i: heights[i])
    spread = list(heights)
    for below, above in pairwise(order):
        spread[above] = max(spread[above], spread[below] + gap)
    ceiling = 1.0
    for i in reversed(order):
        spread[i] = min(spread[i], ceiling)
        ceiling = spread[i] - gap
    return spread


# -- who fools whom ------------------------------------------------------------------------------


def matrix(result: AttackMatrix, names: Sequence[str], *, dark: bool = False) -> go.Figure:
    """Rows are attacks, columns who predicts; colour is the probability of what it should say."""
    rows, shares, words = [], [], []
    for source in (None, *result.branches):
        predictions = {b: result.clean[b] if source is None else result.attacked[source, b]
                for b in result.branches}  # fmt: skip
        expected = {b: float(predictions[b].probabilities[result.expected[b]]) for b in predictions}
        rows.append(source)
        shares.append(list(expected.values()))
        words.append([
            f"<b>{names[prediction.class_index]} {percent(prediction.confidence)}</b>"
            + (f"<br>{names[result.expected[b]]} {percent(expected[b])}"
               if prediction.class_index != result.expected[b] else "")
            for b, prediction in predictions.items()
        ])  # fmt: skip
    title = _("Probability of the branch’s own clean answer")
    if result.true_class is not None:
        title = _("Probability of the true class")
    return _grid(rows, result.branches, shares, words, title, dark)


def accuracies(results: Sequence[BranchResult], *, dark: bool = False) -> go.Figure:
    """The same for many pictures: accuracy and its interval in each cell."""
    branches = tuple(dict.fromkeys(result.branch for result in results))
    rows = list(dict.fromkeys(result.condition.attack_branch for result in results))
    cells = {(result.condition.attack_branch, result.branch): result for result in results}
    table = [[cells[row, branch] for branch in branches] for row in rows]
    return _grid(
        rows,
        branches,
        [[result.top1 for result in line] for line in table],
        [[f"<b>{_accuracy(result)}</b>" for result in line] for line in table],
        _("Accuracy"),
        dark,
    )


def _accuracy(result: BranchResult) -> str:
    """``62 % [52, 71]``."""
    low, high = ends(result.interval)
    return f"{percent(result.top1)} [{low}, {high}]"


def _grid(
    rows: Sequence[str | None],
    branches: Sequence[str],
    shares: list[list[float]],
    words: list[list[str]],
    what: str,
    dark: bool,
) -> go.Figure:
    figure = go.Figure(
        go.Heatmap(
            z=shares,
            zmin=0,
            zmax=1,
            colorscale="Cividis",
            xgap=3,
            ygap=3,
            hoverinfo="skip",
            colorbar={
                "orientation": "h",
                "title": {"text": what, "side": "bottom"},
                "thickness": 10,
                "tickvals": [0, 0.5, 1],
                "tickformat": "$.0%",
                "y": -0.02,
                "yanchor": "top",
            },
        )
    )
    for y, line in enumerate(words):
        for x, text in enumerate(line):
            # Cividis is dark up to about its middle.
            colour = "#FFFFFF" if shares[y][x] < 0.55 else "#1F2933"
            figure.add_annotation(
                x=x, y=y, text=text, showarrow=False, font={"color": colour, "size": 13}
            )
    plain = {
        "showgrid": False,
        "zeroline": False,
        "tickfont": {"size": 14, "color": INK[dark]},
    }
    figure.update_xaxes(
        tickvals=list(range(len(branches))),
        ticktext=[_("{branch} says").format(branch=branch_title(branch)) for branch in branches],
        side="top",
        **plain,
    )
    figure.update_yaxes(
        tickvals=list(range(len(rows))),
        ticktext=[
            _("clean")
            if row is None
            else _("attack<br>through {branch}").format(branch=branch_title(row))
            for row in rows
        ],
        autorange="reversed",
        **plain,
    )
    figure.update_layout(
        height=_CELL_HEIGHT * len(rows) + 110, margin={"l": 96, "r": 26, "t": 30, "b": 70}
    )
    return figure
