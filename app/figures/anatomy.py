"""The dial as figures: one network between two others, on both pictures."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from advprop_core.anatomy.dial import Blended, Curve, Way
from advprop_core.report.colours import Array, branch_colour
from advprop_core.report.style import Spec
from advprop_core.text import percent, shorten
from advprop_core.types import INPUT_KINDS, Comparison, InputKind, Prediction
from app.figures.style import (
    DASHES,
    FAINT,
    INK,
    KIND_TITLES,
    LEGEND,
    figure,
    marked,
    row_axis,
    series,
    upright,
)
from app.language.text import N_, _

NOT_ESTIMATED = N_("not estimated")
_HOVERED = {"place": "%{x:$.0%}", "share": "%{y:$.1%}"}  # as plotly fills them in
_CLASSES = 4
_LONGEST_NAME = 20
_BARS_HEIGHT = 235
_CURVE_HEIGHT = 230


class Network(NamedTuple):
    """One of the three that are shown."""

    title: str
    colour: str
    predictions: Mapping[InputKind, Prediction]
    maps: Mapping[InputKind, Array]


def colour_between(first: str, second: str, t: float) -> str:
    """The colour at t of the straight line between two, as ``#RRGGBB``."""
    ends = [[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in (first, second)]
    return "#" + "".join(
        f"{round((1 - t) * start + t * end):02X}" for start, end in zip(*ends, strict=True)
    )


def bars(comparison: Comparison, blend: Blended, kind: InputKind, names: Sequence[str]) -> Spec:
    """What main, the blend and the second branch say of one picture, class by class."""
    networks = networks_of(comparison, blend)
    chosen = _classes(comparison, blend)
    full_names = {}
    for index in chosen:
        mark = "✓ " if index == comparison.true_class else ""
        full_names[f"{mark}{shorten(names[index], _LONGEST_NAME)}"] = f"{mark}{names[index]}"
    traces = []
    for network in networks:
        shares = network.predictions[kind].probabilities[chosen].tolist()
        traces.append(
            {
                "type": "bar",
                "name": network.title,
                "x": shares,
                "y": [*range(len(chosen))],
                "orientation": "h",
                "marker": {"color": network.colour},
                "text": [percent(share) for share in shares],
                "textposition": "outside",
                "textfont": {"color": INK, "size": 11},
                "constraintext": "none",
                "cliponaxis": False,
                "hovertemplate": "%{text}",
            }
        )
    return figure(
        traces,
        _BARS_HEIGHT,
        (0, 0, 4, 30),
        x={"range": [0, 1.14], "visible": False},
        y={"tickfont": {"size": 13}, **row_axis([*full_names])},
        meta={"labels": full_names},
        barmode="group",
        bargap=0.28,
        legend={**LEGEND, "y": -0.02, "yanchor": "top", "traceorder": "normal"},
    )


def curve(lines: Sequence[Curve], blend: Blended, class_index: int) -> Spec:
    """The probability of one class all along the way, with a mark at the present place.

    A second line, without estimating statistics, is faint.
    """

    def line(curve: Curve, kind: InputKind, colour: str, width: float, **options: Any) -> Spec:
        return {
            "type": "scatter",
            "x": [*curve.places],
            "y": curve.shares[kind][:, class_index].tolist(),
            "mode": "lines",
            "line": {"color": colour, "width": width, "dash": DASHES[kind]},
            **options,
        }

    way = lines[0].way
    hovered = _("{place} of the way, statistics not estimated: {share}", **_HOVERED)
    traces = [
        line(naive, kind, FAINT, 1.5, **series(NOT_ESTIMATED), legendgroup="naive",
             showlegend=kind == "clean", hovertemplate=hovered)
        for naive in lines[1:]
        for kind in naive.shares
    ]  # fmt: skip
    hovered = _("{place} of the way: {share}", **_HOVERED)
    for kind in lines[0].shares:
        trace = line(lines[0], kind, INK, 2, **series(KIND_TITLES[kind]), hovertemplate=hovered)
        traces.append(trace)
        traces.append(_dots([0, 1], [trace["y"][0], trace["y"][-1]], _end_colours(way), 9))
        if blend.way == way:
            here = float(blend.predictions[kind].probabilities[class_index])
            now = colour_between(branch_colour("main"), branch_colour(way.second), blend.t)
            traces.append(_dots([blend.t], [here], [now], 15, INK))
    return along_way(traces, way, blend.t)


def along_way(traces: Sequence[Spec], way: Way, t: float | None) -> Spec:
    """A figure whose x is the way from main to a branch, and whose y is a share.

    A line stands at the present place, where that is known.
    """
    towards = way.second if way.whole else _("towards {branch}", branch=way.second)
    notes: list[Spec] = [
        {
            "x": x,
            "y": 0,
            "xref": "paper",
            "yref": "paper",
            "xanchor": "right" if x else "left",
            "yanchor": "top",
            "yshift": -4,
            "text": marked(f"<b>{name}</b>", colour),
            "showarrow": False,
        }
        for x, name, colour in zip((0, 1), ("main", towards), _end_colours(way), strict=True)
    ]
    # Beside the ends, where lines begin and the slider's handle is.
    notes += [
        {"x": 0.125, "y": share, "text": text, "yanchor": "bottom", "showarrow": False}
        for share, text in ((0, "0 %"), (0.5, "50 %"), (1, "100 %"))
    ]
    return figure(
        traces,
        _CURVE_HEIGHT,
        (6, 6, 26, 24),
        x={
            "range": [0, 1],
            "tickvals": [0.25, 0.5, 0.75],
            "ticktext": ["25 %", "50 %", "75 %"],
            "showgrid": False,
            "zeroline": False,
        },
        y={
            "range": [-0.04, 1.06],
            "tickvals": [0, 0.5, 1],
            "showticklabels": False,
            "zeroline": False,
        },
        annotations=notes,
        shapes=[] if t is None else [upright(t, color=FAINT, width=1)],
        legend={**LEGEND, "y": 1.02, "yanchor": "bottom", "x": 1, "xanchor": "right"},
    )


def _end_colours(way: Way) -> list[str]:
    return [branch_colour("main"), branch_colour(way.second) if way.whole else FAINT]


def _dots(
    x: Sequence[float], y: Sequence[float], colours: Sequence[str], size: int, edge: str = ""
) -> Spec:
    line = {"color": edge, "width": 2} if edge else {"width": 0}
    return {
        "type": "scatter",
        "x": x,
        "y": y,
        "mode": "markers",
        "marker": {"color": colours, "size": size, "line": line},
        "showlegend": False,
        "cliponaxis": False,
        "hoverinfo": "skip",
    }


def networks_of(comparison: Comparison, blend: Blended) -> list[Network]:
    """Main, the blend and the second branch: the order of the way."""
    ends = {name: branch_colour(name) for name in ("main", blend.way.second)}
    main, second = (
        Network(
            name,
            colour,
            {kind: comparison.predictions[kind, name] for kind in INPUT_KINDS},
            {k: drawn.values.numpy() for (k, b), drawn in comparison.maps.items() if b == name},
        )
        for name, colour in ends.items()
    )
    between = Network(
        percent(blend.t),
        colour_between(main.colour, second.colour, blend.t),
        blend.predictions,
        {kind: drawn.values.numpy() for kind, drawn in blend.maps.items()},
    )
    return [main, between, second]


def _classes(comparison: Comparison, blend: Blended) -> list[int]:
    """Classes worth showing, the same for both pictures and, as a rule, all along the way."""
    ends = [
        prediction.probabilities.numpy()
        for (_kind, branch), prediction in comparison.predictions.items()
        if branch in ("main", blend.way.second)
    ]
    ranked = np.argsort(-np.max(ends, axis=0), kind="stable").tolist()
    must = [prediction.class_index for prediction in blend.predictions.values()]
    if comparison.true_class is not None:
        must.append(comparison.true_class)
    chosen = [i for i in ranked if i in must]
    chosen += [i for i in ranked if i not in must][: max(0, _CLASSES - len(chosen))]
    return sorted(chosen, key=ranked.index)
