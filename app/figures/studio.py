"""The attack studio's results as figures: curves over epsilon, and who fools whom."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from advprop_core.compare.matrix import AttackMatrix
from advprop_core.compare.sweep import Sweep
from advprop_core.evaluation.results import BranchResult
from advprop_core.report.colours import branch_colour
from advprop_core.report.style import Spec
from advprop_core.text import NORM_UNITS, ends, percent, radius, shorten
from app.figures.style import INK, MUTED, SHARES, branch_title, figure, upright
from app.language.text import N_, _

_RIVALS = 2
_WORTH_A_LINE = 0.05
_DASHES = ("dash", "dot", "dashdot")
_CURVE_HEIGHT = 190
_BETWEEN = 0.16  # of a figure with one row, between two rows
_CELL_HEIGHT = 74
_STRENGTHS = {"linf": N_("Strength ε, in 1/255"), "l2": N_("Strength ε (L2)")}
_LONGEST = 15  # letters of a class name beside a curve


def curves(
    result: Sweep,
    names: Sequence[str],
    norm: str,
    titles: Mapping[str, str],
    now: float,
) -> Spec:
    """Probability against epsilon, a row for each branch, with a mark where it gives way.

    Args:
        result: The sweep.
        names: Class names in class-index order.
        norm: ``linf`` or ``l2``: the unit of the axis.
        titles: Branch to what is said of it above its row.
        now: The radius that is chosen on the left, in the unit of the axis.
    """
    unit, rows = NORM_UNITS[norm], len(result.predictions)
    radii = [epsilon * unit for epsilon in result.epsilons]
    labels: dict[str, str] = {}
    traces, notes, shapes, axes = [], [], [], {}
    gap = _BETWEEN / rows
    height = (1 - gap * (rows - 1)) / rows
    for row, branch in enumerate(result.predictions):
        axis, top = str(row + 1) if row else "", 1 - row * (height + gap)
        axes[f"yaxis{axis}"] = {
            "range": [-0.04, 1.04], "domain": [max(0.0, top - height), top], **SHARES
        }  # fmt: skip
        title = f"{branch_title(branch)} {titles[branch]}"
        notes.append(_note(title, 0, top, "paper", yanchor="bottom", yshift=4, font={"size": 14}))
        lines = _lines(result, branch, names, norm)
        panel = f"{branch} {titles[branch]}"
        meta = {"branch": branch, "epsilon": [*result.epsilons], "panel": panel}
        traces += [line | {"meta": meta, "x": radii, "yaxis": f"y{axis}"} for line in lines]
        for label_height, line in zip(
            _spread([line["y"][-1] for line in lines]), lines, strict=True
        ):
            label, full = shorten(line["name"], _LONGEST), line["name"]
            if line is lines[0]:
                label, full = f"<b>{label}</b>", f"<b>{full}</b>"
            if full != label:
                labels[label] = full
            # Coloured letters are hard to read; those of rivals are fainter.
            ink = MUTED if line["line"]["color"] == MUTED else INK
            font = {"color": ink, "size": 13}
            notes.append(
                _note(label, 1, label_height, f"y{axis}", yanchor="middle", xshift=8, font=font)
            )
        if (epsilon := result.flips[branch].epsilon) is not None:
            flip = {"color": branch_colour(branch), "width": 1.5, "dash": "dash"}
            shapes.append(upright(epsilon * unit, f"y{axis} domain", **flip))
        shapes.append(upright(now, f"y{axis} domain", color=MUTED, width=1))
    last = radii[-1]
    return figure(
        traces,
        _CURVE_HEIGHT * rows + 70,
        (44, 128, 30, 46),
        x={
            "range": [-0.02 * last, 1.02 * last],
            "anchor": f"y{axis}",  # one for all rows, below the last
            "title": {"text": _(_STRENGTHS[norm])},
            "zeroline": False,
            "showgrid": False,
        },
        y=axes.pop("yaxis"),
        **axes,
        annotations=notes,
        shapes=shapes,
        meta={"labels": labels},
        hovermode="closest",
        dragmode=False,
    )


def _note(text: str, x: float, y: float, yref: str, **look: Any) -> Spec:
    """Words that begin at a place: x is a share of a row's width."""
    return {"text": text, "x": x, "y": y, "xref": "x domain", "yref": yref, "xanchor": "left",
            "showarrow": False, **look}  # fmt: skip


def _lines(result: Sweep, branch: str, names: Sequence[str], norm: str) -> list[Spec]:
    """The class it should say, the target, that it gives way to, and its strongest rivals."""
    table = np.array([p.probabilities.numpy() for p in result.predictions[branch]])
    first = [result.expected[branch]]
    if result.target_class is not None and result.target_class not in first:
        first.append(result.target_class)
    peaks = table.max(0)
    flipped_to = result.flips[branch].answer
    # What the branch flips to comes first: it is what the sentence above the figure names.
    strongest = sorted(range(len(peaks)), key=lambda i: (i != flipped_to, -peaks[i]))
    rivals = [i for i in strongest if i not in first][:_RIVALS]
    shown = first + [i for i in rivals if peaks[i] >= _WORTH_A_LINE]
    radii = [radius(epsilon, norm) for epsilon in result.epsilons]
    lines = []
    for rank, index in enumerate(shown):
        name = names[index]
        if rank == 0 and result.true_class is not None:
            name = f"✓ {name}"
        if index == result.target_class:
            name += _(" (target)")
        colour = branch_colour(branch) if rank < len(first) else MUTED
        dash = _DASHES[(rank - 1) % len(_DASHES)]
        line = {"color": colour, "width": 1.5, "dash": dash}
        if rank == 0:
            line |= {"width": 3, "dash": "solid"}
        lines.append(
            {
                "type": "scatter",
                "y": table[:, index].tolist(),
                "mode": "lines+markers",
                "name": name,
                "line": line,
                "marker": {"size": 5 if rank else 7, "color": colour},
                # A click selects a point: what is not selected must not fade for that.
                "unselected": {"marker": {"opacity": 1}},
                "customdata": radii,
                "hovertemplate": f"{name} %{{y:$.0%}}<br>ε = %{{customdata}}<extra></extra>",
                "showlegend": False,
            }
        )
    return lines


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


def matrix(result: AttackMatrix, names: Sequence[str]) -> Spec:
    """Rows are attacks, columns who predicts; colour is the probability of what it should say."""
    shares: list[list[float]] = []
    words: list[list[str]] = []
    for source in (None, *result.branches):
        shares.append([])
        words.append([])
        for branch in result.branches:
            prediction = result.clean[branch] if source is None else result.attacked[source, branch]
            index = result.expected[branch]
            expected = float(prediction.probabilities[index])
            answer = f"<b>{names[prediction.class_index]} {percent(prediction.confidence)}</b>"
            if prediction.class_index != index:
                answer += f"<br>{names[index]} {percent(expected)}"
            shares[-1].append(expected)
            words[-1].append(answer)
    title = _("Probability of the branch’s own clean answer")
    if result.true_class is not None:
        title = _("Probability of the true class")
    return _grid([None, *result.branches], result.branches, shares, words, title)


def accuracies(results: Sequence[BranchResult]) -> Spec:
    """The same for many pictures: accuracy and its interval in each cell."""
    branches = tuple(dict.fromkeys(result.branch for result in results))
    rows = list(dict.fromkeys(result.condition.attack_branch for result in results))
    cells = {(result.condition.attack_branch, result.branch): result for result in results}
    table = [[cells[row, branch] for branch in branches] for row in rows]
    words = [
        [f"<b>{percent(r.top1)} [{', '.join(ends(r.interval))}]</b>" for r in line]
        for line in table
    ]
    shares = [[result.top1 for result in line] for line in table]
    return _grid(rows, branches, shares, words, _("Accuracy"))


def _grid(
    rows: Sequence[str | None],
    branches: Sequence[str],
    shares: list[list[float]],
    words: list[list[str]],
    what: str,
) -> Spec:
    cells = {
        "type": "heatmap",
        "z": shares,
        "zmin": 0,
        "zmax": 1,
        "colorscale": "Cividis",
        "xgap": 3,
        "ygap": 3,
        "hoverinfo": "skip",
        "text": words,
        "texttemplate": "%{text}",  # plotly picks black or white, which can be read on a shade
        "textfont": {"size": 13},
        "colorbar": {
            "orientation": "h",
            "title": {"text": what, "side": "bottom"},
            "thickness": 10,
            "tickvals": [0, 0.5, 1],
            "tickformat": "$.0%",
            "y": -0.02,
            "yanchor": "top",
        },
    }
    plain = {"showgrid": False, "zeroline": False, "tickfont": {"size": 14}}
    attacks = [
        _("clean") if row is None else _("attack<br>through {branch}", branch=branch_title(row))
        for row in rows
    ]
    return figure(
        [cells],
        _CELL_HEIGHT * len(rows) + 110,
        (96, 26, 30, 70),
        x={
            "tickvals": [*range(len(branches))],
            "ticktext": [_("{branch} says", branch=branch_title(b)) for b in branches],
            "side": "top",
            **plain,
        },
        y={
            "tickvals": [*range(len(rows))],
            "ticktext": attacks,
            "autorange": "reversed",
            **plain,
        },
    )
