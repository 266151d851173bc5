"""Which layers carry the gap between two branches, as figures."""

from collections.abc import Mapping, Sequence

from advprop_core.anatomy.gap import Gap, GapRow, Order, Score
from advprop_core.report.colours import branch_colour
from advprop_core.report.style import Spec, whiskers
from advprop_core.text import percent, percent_in_tenths
from advprop_core.types import INPUT_KINDS, InputKind
from app.figures.anatomy import NOT_ESTIMATED
from app.figures.style import (
    FAINT,
    FITTED,
    INK,
    KIND_TITLES,
    SHARES,
    STRIP_SCALE,
    bar_marker,
    figure,
    panel_title,
    stage_axis,
)
from app.language.text import N_, _

ORDER_TITLES: dict[Order, str] = {
    "alone": N_("Each alone"),
    "from_stem": N_("From the front on"),
    "from_head": N_("From the back on"),
}
_BARS_HEIGHT = 270
_BAR_SHARE = 0.75  # of the room that a row has
_STRIP_ROW = 30
_LEAST_SPAN = 0.05  # of the colours: less is no difference that matters


def value_of(score: Score) -> float:
    """Of one picture the probability of its class, of many the share that is right."""
    return score.probability if score.n == 1 else score.accuracy


def bars(gap: Gap, order: Order, second: str) -> Spec:
    """Main, what each swap makes of it, and the second branch; many pictures have intervals.

    A line across a bar is the same swap without estimating statistics again.
    """
    rows = gap.rows[order]
    titles, places = unit_titles(rows, order, second), [*range(len(rows))]
    fills = [branch_colour("main"), *[FAINT] * (len(rows) - 2), branch_colour(second)]
    panel, shown = ORDER_TITLES[order], kinds(gap)
    traces = []
    for index, kind in enumerate(shown):
        scores = [row.scores[kind] for row in rows]
        bar = {
            "type": "bar",
            "name": _(KIND_TITLES[kind]),
            "meta": {"series": KIND_TITLES[kind], "panel": panel},
            "x": places,
            "y": [value_of(score) for score in scores],
            "marker": bar_marker(fills, kind),
            "hovertext": [_hover(t, s) for t, s in zip(titles, scores, strict=True)],
            "hoverinfo": "text",
            "showlegend": False,
        }
        if scores[0].n > 1:
            bar["error_y"] = whiskers([(score.accuracy, *score.interval) for score in scores])
        traces.append(bar)
        if gap.naive is not None:
            offset = (index - (len(shown) - 1) / 2) * _BAR_SHARE / len(shown)
            naive = [row.scores[kind] for row in gap.naive[order]]
            traces.append(_naive(naive, panel, titles, offset))
    return figure(
        traces,
        _BARS_HEIGHT,
        (0, 0, 34, 28),
        x={
            "tickvals": places,
            "ticktext": titles,
            "tickangle": 0,
            "showgrid": False,
            "fixedrange": True,
        },
        y={"range": [0, 1.02], "fixedrange": True, **SHARES},
        title=panel_title(_(panel)),
        bargap=1 - _BAR_SHARE,
        bargroupgap=0.06,
    )


def strip(gap: Gap, second: str, stages: Mapping[str, str]) -> Spec:
    """Every layer in every order: a row per order and picture, strong where it is probable.

    ``gap`` is by layer; ``stages`` says which stage each is in.
    """
    lines, names, drawn_names, hovers = [], [], [], []
    for order, title in ORDER_TITLES.items():
        rows = gap.rows[order]
        if order != "alone":  # one column for a layer in every row: a walk ends at its last twice
            rows = (*rows, rows[-1])
        if order == "from_head":
            rows = rows[::-1]
        units = unit_titles(rows, order, second)
        for kind in kinds(gap):
            lines.append([value_of(row.scores[kind]) for row in rows])
            names.append(f"{title} · {KIND_TITLES[kind]}")
            drawn_names.append(f"{_(title)} · {_(KIND_TITLES[kind])}")
            hovers.append([_hover(t, r.scores[kind]) for t, r in zip(units, rows, strict=True)])
    low, high = min(map(min, lines)), max(map(max, lines))
    room = max(0.0, _LEAST_SPAN - (high - low)) / 2  # where these are hardly apart
    low, high = max(0.0, low - room), min(1.0, high + room)
    cells = {
        "type": "heatmap",
        "z": lines,
        "y": drawn_names,
        "meta": {"y": names},
        "hovertext": hovers,
        "hoverinfo": "text",
        "colorscale": STRIP_SCALE,
        "zmin": low,
        "zmax": high,
        "ygap": 3,
        "xgap": 1,
        "colorbar": {
            "orientation": "h",
            "thickness": 8,
            "len": 0.4,
            "y": -0.12,
            "yanchor": "top",
            "tickvals": [low, high],
            "ticktext": [percent(low), percent(high)],
            "tickfont": {"color": INK},
        },
    }
    columns = [stages[row.unit or ""] for row in gap.rows["alone"][1:-1]]
    return figure(
        [cells],
        _STRIP_ROW * len(lines) + 110,
        (0, 0, 26, 50),
        x={"side": "top", **stage_axis(columns, first=1)},  # the first is main
        y={"autorange": "reversed", "showgrid": False, **FITTED},
    )


def kinds(gap: Gap) -> list[InputKind]:
    """The inputs that were measured."""
    scores = gap.rows["alone"][0].scores
    return [kind for kind in INPUT_KINDS if kind in scores]


def unit_titles(rows: Sequence[GapRow], order: Order, second: str) -> list[str]:
    """Main, the units, and the second branch, in the order of the rows."""
    # A walk ends where all layers are swapped; swapped one at a time, the last row has no unit.
    everything = max(len(row.layers) for row in rows)
    titles = []
    for row in rows:
        if not row.layers:
            titles.append("main")
        elif len(row.layers) == everything and (row.unit is None or order != "alone"):
            titles.append(second)
        else:
            titles.append(f"{row.unit}" if order == "alone" else f"+ {row.unit}")
    return titles


def _naive(scores: Sequence[Score], panel: str, titles: Sequence[str], offset: float) -> Spec:
    """A short line across each bar: its height without estimating."""
    return {
        "type": "scatter",
        "x": [column + offset for column in range(len(scores))],
        "y": [value_of(score) for score in scores],
        "meta": {"series": NOT_ESTIMATED, "panel": panel},
        "mode": "markers",
        "marker": {"symbol": "line-ew", "size": 11, "line": {"width": 2, "color": INK}},
        "hovertext": [
            _("not estimated: {hovered}", hovered=_hover(t, s))
            for t, s in zip(titles, scores, strict=True)
        ],
        "hoverinfo": "text",
        "showlegend": False,
    }


def _hover(title: str, score: Score) -> str:
    if score.n == 1:
        return f"<b>{title}</b>: {percent_in_tenths(score.probability)}"
    low, high = map(percent_in_tenths, score.interval)
    share = percent_in_tenths(score.accuracy)
    return _(
        "<b>{title}</b>: {share} right ({low} to {high}), {correct} of {n}",
        title=title,
        share=share,
        low=low,
        high=high,
        correct=score.correct,
        n=score.n,
    )
