"""Accuracies of mixed branches, as figures."""

from collections.abc import Mapping, Sequence

from advprop_core.anatomy.dial import Way
from advprop_core.anatomy.halves import Mixture, MixtureAccuracy
from advprop_core.report.colours import branch_colour
from advprop_core.report.style import Spec, whiskers
from advprop_core.text import percent, percent_in_tenths
from advprop_core.types import INPUT_KINDS, InputKind
from app.figures.anatomy import NOT_ESTIMATED, along_way
from app.figures.style import (
    DASHES,
    FAINT,
    FITTED,
    INK,
    LEGEND,
    SHARES,
    bar_marker,
    figure,
    panel_title,
    series,
)
from app.language.text import N_, Sentence, _

KIND_TITLES: dict[InputKind, str] = {"clean": N_("clean"), "adversarial": N_("attacked")}
_BARS_HEIGHT = 280


def bars(rows: Sequence[tuple[str, MixtureAccuracy]], branch: str) -> Spec:
    """Clean and robust accuracy of networks with the γ and β of one branch.

    Each row says in English what the statistics are.
    """
    titles, accuracies = zip(*rows, strict=True)
    panel = Sentence("γ and β of {branch}, mean and variance …", branch=branch)
    traces = [
        {
            "type": "bar",
            "name": _(KIND_TITLES[kind]),
            "meta": {"series": KIND_TITLES[kind], "panel": panel, "y": [*titles]},
            "y": [_(title) for title in titles],
            "x": [accuracy.share(kind) for accuracy in accuracies],
            "orientation": "h",
            "error_x": _whiskers(accuracies, kind),
            "marker": bar_marker(branch_colour(branch), kind),
            "hovertext": [_hover(accuracy, kind) for accuracy in accuracies],
            "hoverinfo": "text",
        }
        for kind in INPUT_KINDS
    ]
    return figure(
        traces,
        _BARS_HEIGHT,
        (0, 22, 34, 46),
        x={"range": [0, 1.02], "fixedrange": True, **SHARES},
        y={"autorange": "reversed", "showgrid": False, **FITTED},
        title=panel_title(_(panel)),
        bargap=0.3,
        bargroupgap=0.06,
        legend={**LEGEND, "y": -0.16, "yanchor": "top", "traceorder": "normal"},
    )


def line(rows: Mapping[Mixture, MixtureAccuracy], way: Way, t: float | None) -> Spec:
    """Clean and robust accuracy along a whole way, with a line at the present place.

    Lines are of statistics of clean pictures and, faint, of statistics that move along.
    """
    estimated = {m.affine: rows[m] for m in rows if m.statistics == "clean"}
    naive = {m.affine: rows[m] for m in rows if m.statistics == m.affine}
    traces = [_accuracies(naive, kind, NOT_ESTIMATED, FAINT) for kind in INPUT_KINDS]
    traces[1]["showlegend"] = False
    for kind in INPUT_KINDS:
        trace = _accuracies(estimated, kind, KIND_TITLES[kind], INK)
        bars = _whiskers([estimated[share] for share in sorted(estimated)], kind)
        traces.append(trace | {"error_y": bars})
    return along_way(traces, way, t)


def _accuracies(
    by_place: Mapping[float, MixtureAccuracy], kind: InputKind, title: str, colour: str
) -> Spec:
    places = sorted(by_place)
    return {
        "type": "scatter",
        "x": places,
        "y": [by_place[position].share(kind) for position in places],
        **series(title),
        "legendgroup": title,
        "mode": "lines+markers",
        "line": {"color": colour, "width": 2, "dash": DASHES[kind]},
        "cliponaxis": False,
        "hovertext": [
            _(
                "{title}, {place}: {hovered}",
                title=_(title),
                place=percent(position),
                hovered=_hover(by_place[position], kind),
            )
            for position in places
        ],
        "hoverinfo": "text",
    }


def _whiskers(accuracies: Sequence[MixtureAccuracy], kind: InputKind) -> Spec:
    return whiskers([(a.share(kind), *a.interval(kind)) for a in accuracies])


def _hover(accuracy: MixtureAccuracy, kind: InputKind) -> str:
    low, high = map(percent_in_tenths, accuracy.interval(kind))
    share = percent_in_tenths(accuracy.share(kind))
    return _(
        "{share} right {kind} ({low} to {high})",
        share=share,
        kind=_(KIND_TITLES[kind]),
        low=low,
        high=high,
    )
