"""What becomes of a class when pixels go, or come, in the order of a map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

import plotly.graph_objects as go

from advprop_core.report.colours import branch_colour
from advprop_core.types import InputKind
from app.figures.style import KIND_TITLES, ink_axes, legend
from app.language.text import _

if TYPE_CHECKING:
    from advprop_core.faithfulness.curves import Curves

_CHANCE = "#8A949E"
# Not by colour alone: of main and of the others, on clean and on perturbed pictures.
_DASHES: dict[InputKind, tuple[str, ...]] = {
    "clean": ("solid", "dash", "12px 4px"),
    "adversarial": ("dot", "dashdot", "2px 6px"),
}


Walk = Literal["deletion", "insertion"]
WALKS: tuple[Walk, ...] = ("deletion", "insertion")


def curves(
    curves_of: Mapping[tuple[InputKind, str], Curves],
    branches: Sequence[str],
    walk: Walk,
    *,
    dark: bool = False,
) -> go.Figure:
    """Deletion or insertion, a line for each map; grey is the mean of random orders."""
    figure = go.Figure()
    hovered = _("{share} of the pixels: {probability}").format(
        share="%{x:$.0%}", probability="%{y:$.1%}"
    )
    for (kind, branch), both in curves_of.items():
        dash = _DASHES[kind][list(branches).index(branch) % 3]
        mapped, chance = (getattr(both, name) for name in (walk, f"random_{walk}"))
        for line, ink in ((chance, _CHANCE), (mapped, branch_colour(branch))):
            figure.add_trace(
                go.Scatter(
                    x=line.shares.numpy(),
                    y=line.probabilities.numpy(),
                    mode="lines",
                    name=f"{branch} · {_(KIND_TITLES[kind])}",
                    meta={"series": f"{branch} · {KIND_TITLES[kind]}"},
                    legendgroup=f"{branch}{kind}",
                    showlegend=line is mapped,
                    line={"color": ink, "dash": dash, "width": 2 if line is mapped else 1},
                    hovertemplate=hovered + "<extra>%{fullData.name}</extra>",
                )
            )
    axis = {"tickformat": "$.0%", "fixedrange": True}
    figure.update_xaxes(title_text=_("pixels changed"), range=[0, 1], **axis)
    figure.update_yaxes(
        title_text=_("probability of the class"), range=[0, 1.02], automargin=True, **axis
    )
    ink_axes(figure, dark)
    figure.update_layout(
        height=300 + 22 * len(curves_of),
        margin={"l": 2, "r": 2, "t": 8, "b": 2},
        legend=legend(dark, y=0, yref="container", yanchor="bottom"),
    )
    return figure
