"""What becomes of a class when pixels go, or come, in the order of a map."""

from collections.abc import Mapping, Sequence
from typing import Literal

from advprop_core.faithfulness.curves import Curves
from advprop_core.report.colours import branch_colour
from advprop_core.report.style import Spec
from advprop_core.types import InputKind
from app.figures.style import FITTED, KIND_TITLES, LEGEND, figure
from app.language.text import _

_CHANCE = "#8A949E"
# Not by colour alone: of main and of the others, on clean and on perturbed pictures.
_DASHES: dict[InputKind, tuple[str, ...]] = {
    "clean": ("solid", "dash", "12px 4px"),
    "adversarial": ("dot", "dashdot", "2px 6px"),
}


Walk = Literal["deletion", "insertion"]
WALKS: tuple[Walk, ...] = ("deletion", "insertion")


def curves(
    curves_of: Mapping[tuple[InputKind, str], Curves], branches: Sequence[str], walk: Walk
) -> Spec:
    """Deletion or insertion, a line for each map; grey is the mean of random orders."""
    hovered = _("{share} of the pixels: {probability}", share="%{x:$.0%}", probability="%{y:$.1%}")
    traces = []
    for (kind, branch), both in curves_of.items():
        dash = _DASHES[kind][list(branches).index(branch) % 3]
        mapped, chance = (getattr(both, name) for name in (walk, f"random_{walk}"))
        for line, ink, width in ((chance, _CHANCE, 1), (mapped, branch_colour(branch), 2)):
            traces.append(
                {
                    "type": "scatter",
                    "x": line.shares.tolist(),
                    "y": line.probabilities.tolist(),
                    "mode": "lines",
                    "name": f"{branch} · {_(KIND_TITLES[kind])}",
                    "meta": {"series": f"{branch} · {KIND_TITLES[kind]}"},
                    "legendgroup": f"{branch}{kind}",
                    "showlegend": line is mapped,
                    "line": {"color": ink, "dash": dash, "width": width},
                    "hovertemplate": hovered + "<extra>%{fullData.name}</extra>",
                }
            )
    axis = {"tickformat": "$.0%", **FITTED}
    return figure(
        traces,
        300 + 22 * len(curves_of),
        (2, 2, 8, 2),
        x={"title": {"text": _("pixels changed")}, "range": [0, 1], **axis},
        y={"title": {"text": _("probability of the class")}, "range": [0, 1.02], **axis},
        legend={**LEGEND, "y": 0, "yref": "container", "yanchor": "bottom"},
    )
