"""Figures of the Robustness page beside the report's, each a row for each branch, run or kind."""

from collections.abc import Mapping, Sequence
from html import escape

from advprop_core.evaluation.studies import LESS_IS_BETTER, Gain
from advprop_core.report import grids
from advprop_core.report.colours import CHANGE_COLOURS, branch_colour
from advprop_core.report.style import Spec, plain, whiskers
from advprop_core.report.words import Row, columns, corruption, describe, points
from advprop_core.text import percent
from app.figures.style import FITTED, INK, SETTLED, figure, row_axis, upright
from app.language.text import _

_GAIN_GROUND, _LOSS_GROUND = "rgba(27,120,55,0.10)", "rgba(118,42,131,0.10)"
_ROW = 40  # px
_MARGIN = (10, 10, 8, 10)


def standings(clean: Sequence[Row], hit: Sequence[Row]) -> Spec:
    """A ring where a branch is on clean images, a dot where the attack leaves it.

    The most robust is on top. Without ``hit`` there are rings alone.
    """
    before, after = ({(row["model"], row["branch"]): row for row in rows} for rows in (clean, hit))
    order = sorted({**before, **after}, key=lambda who: -(after.get(who) or before[who])["top1"])
    lines, rings, dots, texts = [], [], [], []
    for height, who in enumerate(order):
        shown = [rows[who] for rows in (before, after) if who in rows]
        if len(shown) == 2:
            lines.append(
                {
                    "type": "scatter",
                    "x": [row["top1"] for row in shown],
                    "y": [height, height],
                    "mode": "lines",
                    "line": {"color": branch_colour(who[1]), "width": 3},
                    "opacity": 0.45,
                    "hoverinfo": "skip",
                }
            )
        if who in before:
            rings.append(_mark(before[who], "circle-open", height))
        if who in after:
            dots.append(_mark(after[who], "circle", height))
        texts.append(_shares(shown, height))
    names = _short([model for model, _branch in order])
    labels = [f"{plain(n)},<br>{branch}" for n, (_model, branch) in zip(names, order, strict=True)]
    return figure(
        [*lines, *rings, *dots, *texts],
        _ROW * len(order) + 52,
        (0, 0, 4, 44),
        x={
            "range": [-0.32, 1.28],
            "tickvals": [0, 0.5, 1],
            "ticktext": ["0 %", "50 %", "100 %"],
            "title": {"text": _("right answers"), "standoff": 4},
            "zeroline": False,
            **FITTED,
        },
        y={**FITTED, **row_axis(labels)},
        showlegend=False,
        **SETTLED,
    )


def _short(models: Sequence[str]) -> list[str]:
    """Names without the word that all begin with, for a phone has little room beside a figure."""
    first, rest = models[0].partition("-")[::2]
    shared = len({*models}) > 1 and rest and all(m.startswith(f"{first}-") for m in models)
    return [model.removeprefix(f"{first}-") if shared else model for model in models]


def _mark(row: Row, symbol: str, height: int) -> Spec:
    colour = branch_colour(row["branch"])
    return {
        "type": "scatter",
        "x": [row["top1"]],
        "y": [height],
        "mode": "markers",
        "meta": columns(row),
        "marker": {
            "symbol": symbol, "size": 13, "color": colour, "line": {"width": 2.5, "color": colour},
        },
        "error_x": whiskers([(row["top1"], *row["interval"])]) | {"thickness": 1},
        "customdata": [(plain(describe(row)), *row["interval"])],
        "hovertemplate": _("{condition}: {share} right ({interval})", condition="%{customdata[0]}",
            share="%{x:$.1%}",
            interval=_("{low} to {high}", low="%{customdata[1]:$.1%}", high="%{customdata[2]:$.1%}"
            ),
        )
        + "<extra></extra>",
    }  # fmt: skip


def _shares(rows: Sequence[Row], height: int) -> Spec:
    """Both shares of a branch in figures, outside of what is drawn of them."""
    ordered = sorted(rows, key=lambda row: float(row["top1"]))
    ends = [ordered[0]["interval"][0], ordered[-1]["interval"][1]][-len(ordered) :]
    return {
        "type": "scatter",
        "x": ends,
        "y": [height] * len(ordered),
        "mode": "text",
        "text": [f"\u2003{percent(row['top1'])}\u2003" for row in ordered],
        "textposition": ["middle left", "middle right"][-len(ordered) :],
        "textfont": {"color": INK, "size": 13},
        "cliponaxis": False,
        "hoverinfo": "skip",
    }


def difference(gains: Mapping[tuple[str, int], float]) -> Spec:
    """How much more often one branch is right than another: (corruption, severity) to share."""
    kinds = list(dict.fromkeys(kind for kind, _level in gains))
    levels = sorted({level for _kind, level in gains})
    table = [[gains.get((kind, level)) for level in levels] for kind in kinds]
    widest = max(map(abs, gains.values())) or 0.01
    cells = {
        "type": "heatmap",
        "z": table,
        "x": [str(level) for level in levels],
        "y": [corruption(kind) for kind in kinds],
        "zmin": -widest,
        "zmax": widest,
        "colorscale": [*CHANGE_COLOURS],
        "xgap": 2,
        "ygap": 2,
        "showscale": False,
        "text": [["" if gain is None else points(gain) for gain in line] for line in table],
        "texttemplate": "%{text}",
        "hovertemplate": _(
            "{corruption}, severity {severity}: {gain} points",
            corruption="%{y}",
            severity="%{x}",
            gain="%{text}",
        )
        + "<extra></extra>",
    }
    axis = {"showgrid": False, "zeroline": False, **FITTED}
    return figure(
        [cells],
        24 * len(kinds) + 64,
        _MARGIN,
        x={"title": {"text": _("severity")}, "type": "category", **axis},
        y={"autorange": "reversed", **axis},
        **SETTLED,
    )


def errors(rows: Sequence[Row]) -> Spec:
    """Wrong answers of one branch by corruption and severity, without the report's title."""
    spec = grids.heat_map(rows)
    layout = spec["layout"]
    margin = {**layout["margin"], "t": 8}
    shown = {**layout, "title": {}, "margin": margin, "height": layout["height"] - 26}
    return {**spec, "layout": shown}


def gains(gains: Sequence[Gain], titles: Mapping[str, str]) -> Spec:
    """What runs gain on one measure, with intervals and a line where nothing is gained.

    Every gain has points; ``titles`` is run to what people read. The side that is better has
    another ground than that which is worse.
    """
    traces, ends = [], [-1.0, 1.0]
    for row, gain in enumerate(gains):
        low, high = (100 * end for end in gain.interval or (0.0, 0.0))
        middle, colour = 100 * (gain.points or 0), branch_colour(gain.branch)
        ends += [low, high]
        traces.append(
            {
                "type": "scatter",
                "x": [middle],
                "y": [row],
                "mode": "markers",
                "meta": {
                    "network": titles[gain.run],
                    "branch": gain.branch,
                    "condition": gain.measure,
                },
                "marker": {"color": colour, "size": 10},
                "error_x": whiskers([(middle, low, high)]) | {"color": colour, "thickness": 2},
                "name": f"{escape(titles[gain.run])}, {gain.branch}",
                "customdata": [(gain.share, low, high)],
                "hovertemplate": _(
                    "{gain} points ({low} to {high})",
                    gain="%{x:+.1f}",
                    low="%{customdata[1]:+.1f}",
                    high="%{customdata[2]:+.1f}",
                )
                + "<br>%{customdata[0]:$.1%}<extra>%{fullData.name}</extra>",
            }
        )
    room = 0.06 * (max(ends) - min(ends))
    least, most = min(ends) - room, max(ends) + room
    falls = gains[0].measure in LESS_IS_BETTER
    grounds = (_GAIN_GROUND, _LOSS_GROUND) if falls else (_LOSS_GROUND, _GAIN_GROUND)
    sides = [
        upright(0) | {"type": "rect", "x1": end, "fillcolor": ground, "layer": "below",
                      "line": {"width": 0}}
        for end, ground in zip((least, most), grounds, strict=True)
    ]  # fmt: skip
    title = _("← better · points · worse →") if falls else _("← worse · points · better →")
    labels = [f"{escape(titles[gain.run])},<br>{gain.branch}" for gain in gains]
    return figure(
        traces,
        36 * len(gains) + 60,
        _MARGIN,
        x={"title": {"text": title}, "range": [least, most], "zeroline": False, **FITTED},
        y={**FITTED, **row_axis(labels)},
        shapes=[*sides, upright(0, color=INK, width=1, dash="dot")],
        showlegend=False,
        **SETTLED,
    )
