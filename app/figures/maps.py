"""Maps as figures: rows are branches and their difference, columns inputs and theirs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from advprop_core.report.colours import Array, Sign, branch_colour, colour_span, overlay
from advprop_core.types import INPUT_KINDS, AttributionMap, Comparison, InputKind
from app.figures.pictures import add_map, colour_axis, picture_grid
from app.figures.style import COLUMN_TITLES, branch_title, hide_axes

if TYPE_CHECKING:
    from torch import Tensor

    from advprop_core.faithfulness.curves import Curves

Maps = Mapping[tuple[InputKind, str], AttributionMap]
"""(input kind, branch) to map."""

_ROW = 205  # px
_STRIP_ROW = 150
_FRAME = {"l": 2, "r": 2, "t": 26, "b": 62}
# Not by colour alone: of main and of the others, on clean and on perturbed pictures.
_DASHES: dict[InputKind, tuple[str, ...]] = {
    "clean": ("solid", "dash", "12px 4px"),
    "adversarial": ("dot", "dashdot", "2px 6px"),
}


def method_grid(
    comparison: Comparison,
    maps: Maps,
    sign: Sign,
    title: str,
    opacity: float,
) -> go.Figure:
    """One kind of map, over the photo in grey: a row for each branch, a column for each input.

    Maps share one colour scale. Differences have a row, a column and a scale of their own, which
    is symmetric around 0.
    """
    branches = comparison.branches
    rows = [*branches, "difference"] if len(branches) > 1 else [*branches]
    columns: list[str] = [*INPUT_KINDS, "difference"]
    figure = make_subplots(
        rows=len(rows),
        cols=len(columns),
        horizontal_spacing=0.02,
        vertical_spacing=0.09,
        subplot_titles=[_title(branches, row, column) for row in rows for column in columns],
    )
    cells = _cells(maps, branches, rows, columns)
    for (row, column), values in cells.items():
        photo = comparison.adversarial if column == "adversarial" else comparison.clean
        axis = "coloraxis2" if "difference" in (row, column) else "coloraxis"
        cell = {"row": rows.index(row) + 1, "column": columns.index(column) + 1}
        add_map(figure, photo.numpy(), values, axis, opacity, **cell)
    hide_axes(figure, autorange="reversed")
    plain = [v for (row, column), v in cells.items() if "difference" not in (row, column)]
    changes = [v for (row, column), v in cells.items() if "difference" in (row, column)]
    figure.update_layout(height=_ROW * len(rows) + 90, margin=_FRAME)
    half = {"len": 0.45, "xanchor": "left"}
    figure.update_layout(
        coloraxis=colour_axis(plain, sign, f"{title} score", x=0.0, **half),
        coloraxis2=colour_axis(changes, "signed", "difference", x=0.55, **half),
    )
    return figure


def strip(
    comparison: Comparison,
    stages: Sequence[str],
    strips: Mapping[tuple[InputKind, str], Tensor],
    opacity: float,
) -> go.Figure:
    """Grad-CAM through all stages, shallow to deep; each stage has a colour scale of its own.

    ``strips`` is (input kind, branch) to (L, H, W).
    """
    rows = [(kind, branch) for branch in comparison.branches for kind in INPUT_KINDS]
    layers = {row: strips[row].numpy() for row in rows}
    spans = [
        colour_span([layers[row][column] for row in rows], "magnitude")
        for column in range(len(stages))
    ]
    photos = {kind: getattr(comparison, kind).numpy() for kind in INPUT_KINDS}
    return picture_grid(
        [
            [
                overlay(photos[row[0]], values, "magnitude", span, opacity)
                for values, span in zip(layers[row], spans, strict=True)
            ]
            for row in rows
        ],
        _STRIP_ROW * len(rows) + 40,
        {"l": 2, "r": 24, "t": 26, "b": 4},
        horizontal_spacing=0.01,
        vertical_spacing=0.02,
        column_titles=list(stages),
        row_titles=[
            f"{branch_title(branch)} · {COLUMN_TITLES[kind].lower()}" for kind, branch in rows
        ],
    )


def curves(curves_of: Mapping[tuple[InputKind, str], Curves], branches: Sequence[str]) -> go.Figure:
    """Insertion and deletion, a line each; grey is the mean of random orders."""
    titles = ["Deletion", "Insertion"]
    figure = make_subplots(rows=1, cols=2, horizontal_spacing=0.08, subplot_titles=titles)
    for (kind, branch), both in curves_of.items():
        number = list(branches).index(branch)
        colour, dash = branch_colour(branch), _DASHES[kind][number % 3]
        for column, (mapped, chance) in enumerate(
            [(both.deletion, both.random_deletion), (both.insertion, both.random_insertion)], 1
        ):
            for line, ink in ((chance, "#8A949E"), (mapped, colour)):
                figure.add_trace(
                    go.Scatter(
                        x=line.shares.numpy(),
                        y=line.probabilities.numpy(),
                        mode="lines",
                        name=f"{branch} · {COLUMN_TITLES[kind].lower()}",
                        legendgroup=f"{branch}{kind}",
                        showlegend=column == 1 and line is mapped,
                        line={"color": ink, "dash": dash, "width": 2 if line is mapped else 1},
                        hovertemplate="%{x:.0%} of the pixels: %{y:.1%}"
                        "<extra>%{fullData.name}</extra>",
                    ),
                    row=1,
                    col=column,
                )
    figure.update_xaxes(tickformat=".0%", title="pixels changed", range=[0, 1])
    figure.update_yaxes(tickformat=".0%", range=[0, 1.02])
    figure.update_yaxes(title="probability of the class", col=1)
    figure.update_layout(
        height=340,
        margin={"l": 2, "r": 2, "t": 30, "b": 2},
        legend={"orientation": "h", "y": -0.22},
    )
    return figure


def _cells(
    maps: Maps, branches: Sequence[str], rows: Sequence[str], columns: Sequence[str]
) -> dict[tuple[str, str], Array]:
    """(row, column) to values; the corner where both are differences stays empty."""
    values = {
        (branch, kind): maps[kind, branch].values.numpy()
        for branch in branches
        for kind in INPUT_KINDS
    }
    cells = dict(values)
    for branch in branches:
        cells[branch, "difference"] = values[branch, "clean"] - values[branch, "adversarial"]
    if "difference" in rows:
        main, aux = branches[:2]
        for kind in INPUT_KINDS:
            cells["difference", kind] = values[main, kind] - values[aux, kind]
    return {(r, c): cells[r, c] for r in rows for c in columns if (r, c) in cells}


def _title(branches: Sequence[str], row: str, column: str) -> str:
    if row == column == "difference":
        return ""
    if row == "difference":
        main, aux = branches[:2]
        return f"<b>{main} − {aux}</b>"
    title = "Difference" if column == "difference" else COLUMN_TITLES[column]
    return f"{branch_title(row)} · {title}"
