"""Maps as tables of pictures, in HTML: rows and columns are labelled once, in text."""

import base64
from collections.abc import Mapping, Sequence
from html import escape

from advprop_core.anatomy.dial import Blended
from advprop_core.anatomy.excitement import Excitement
from advprop_core.report.colours import (
    Array,
    Sign,
    Span,
    branch_colour,
    colour_span,
    colour_stops,
    overlay,
)
from advprop_core.report.drawing import to_webp
from advprop_core.types import INPUT_KINDS, Comparison, InputKind
from app.figures.anatomy import networks_of
from app.figures.board import Maps, where
from app.figures.style import COLUMN_TITLES, KIND_TITLES, marked
from app.language.text import _, ngettext

Stacks = Mapping[tuple[InputKind, str], Array]
"""(input kind, branch) to maps one above another, (L, H, W)."""
_DIFFERENCE = "difference"
_FEW = 3  # columns; pictures of more stay small


def method_table(comparison: Comparison, maps: Maps, sign: Sign, title: str, opacity: float) -> str:
    """One kind of map, over the photo in grey: a row for each branch, a column for each input.

    Maps share one colour scale. Differences have a row, a column and a scale of their own, which
    is symmetric around 0.
    """
    branches = comparison.branches
    values = {
        (b, str(kind)): maps[kind, b].values.numpy() for b in branches for kind in INPUT_KINDS
    }
    changes = {(b, _DIFFERENCE): values[b, "clean"] - values[b, "adversarial"] for b in branches}
    # Of a row and a column: markup of its head, and what it is called in words.
    rows = {branch: (marked(escape(branch), branch_colour(branch)), branch) for branch in branches}
    columns = {str(kind): (_(COLUMN_TITLES[kind]), _seen(kind)) for kind in INPUT_KINDS}
    columns[_DIFFERENCE] = _("Clean − perturbed"), _("clean minus perturbed")
    words = _("difference: green is more on the clean picture, violet more on the perturbed one")
    if len(branches) > 1:
        first, second = branches[:2]
        changes |= {
            (_DIFFERENCE, kind): values[first, kind] - values[second, kind] for kind in INPUT_KINDS
        }
        minus = _("{first} minus {second}", first=first, second=second)
        rows[_DIFFERENCE] = f"{escape(first)} − {escape(second)}", minus
        words = _(
            "difference: green is more on the clean picture or in {first}, violet more on the "
            "perturbed one or in {second}",
            first=first,
            second=second,
        )
    span, change_span = colour_span(values.values(), sign), colour_span(changes.values(), "change")
    body = []
    for row, (head, row_name) in rows.items():
        cells = []
        for column, (_head, column_name) in columns.items():
            kind = "adversarial" if column == "adversarial" else "clean"
            photo = getattr(comparison, kind).numpy()
            alt = _(", ").join([title, row_name, column_name])
            if (drawn := values.get((row, column))) is not None:
                cells.append(_picture(photo, drawn, sign, span, opacity, alt))
            elif (drawn := changes.get((row, column))) is not None:
                cells.append(_picture(photo, drawn, "change", change_span, opacity, alt))
            else:
                cells.append("<td></td>")
        body.append(_row(head, cells))
    return (
        _table(title, [head for head, _name in columns.values()], body)
        + _key(sign, span, _("{title} score", title=title))
        + _key("change", change_span, words)
    )


def strip_table(
    comparison: Comparison,
    stages: Sequence[str],
    strips: Stacks,
    opacity: float,
) -> str:
    """Grad-CAM through all stages, shallow to deep; each stage has a colour scale of its own.

    ``strips`` holds those of the stages, main first.
    """
    titles = [f"Grad-CAM, {stage}" for stage in stages]
    body = _rows(comparison, strips, titles, "magnitude", opacity)
    return _table(_("Grad-CAM through all stages"), [*map(escape, stages)], body)


def blend_table(
    comparison: Comparison, blend: Blended, sign: Sign, title: str, opacity: float
) -> str:
    """Both pictures, each with the maps of main, of the blend and of the second branch.

    All maps share one colour scale.
    """
    networks = networks_of(comparison, blend)
    span = colour_span([drawn for network in networks for drawn in network.maps.values()], sign)
    body = []
    for kind in INPUT_KINDS:
        photo, seen = getattr(comparison, kind).numpy(), _seen(kind)
        cells = [_image(photo, seen)]
        for network in networks:
            alt = _(", ").join([title, network.title, seen])
            cells.append(_picture(photo, network.maps[kind], sign, span, opacity, alt))
        body.append(_row(_(COLUMN_TITLES[kind]), cells))
    heads = [_("Picture"), *(marked(escape(n.title), n.colour) for n in networks)]
    name, score = _("{title} along the dial"), _("{title} score")
    return _table(name.format(title=title), heads, body) + _key(
        sign, span, score.format(title=title)
    )


def excited_table(
    comparison: Comparison,
    maps: Mapping[tuple[InputKind, str], Excitement],
    opacity: float,
) -> str:
    """What the layer gives in some channels, through both branches; each channel has its scale."""
    titles = [
        ngettext("channel {numbers}", "channels {numbers}", 1).format(numbers=number)
        for number in next(iter(maps.values())).channels
    ]
    outputs = {row: shown.outputs.numpy() for row, shown in maps.items()}
    spans = _spans(outputs, "change")
    body = _rows(comparison, outputs, titles, "change", opacity)
    heads = [f"{title}<br>± {span[1]:.2g}" for title, span in zip(titles, spans, strict=True)]
    return _table(_("Activations of channels"), heads, body)


def _rows(
    comparison: Comparison,
    values: Stacks,
    titles: Sequence[str],
    sign: Sign,
    opacity: float,
) -> list[str]:
    """A row of maps for each branch and input, over the photo; each column has its own scale."""
    body, spans = [], _spans(values, sign)
    for (kind, branch), maps in values.items():
        photo, seen = getattr(comparison, kind).numpy(), _(KIND_TITLES[kind])
        cells = [
            _picture(photo, drawn, sign, span, opacity, _(", ").join([title, branch, seen]))
            for drawn, span, title in zip(maps, spans, titles, strict=True)
        ]
        body.append(_row(f"{marked(escape(branch), branch_colour(branch))}<br>{seen}", cells))
    return body


def _spans(values: Stacks, sign: Sign) -> list[Span]:
    """A colour scale for each column of maps."""
    return [colour_span(column, sign) for column in zip(*values.values(), strict=True)]


def _seen(kind: InputKind) -> str:
    return _("{kind} picture", kind=_(KIND_TITLES[kind]))


def _picture(photo: Array, values: Array, sign: Sign, span: Span, opacity: float, alt: str) -> str:
    return _image(overlay(photo, values, sign, span, opacity), f"{alt}: {where(values)}")


def _image(pixels: Array, alt: str) -> str:
    data = base64.b64encode(to_webp(pixels)).decode()
    return f'<td><img src="data:image/webp;base64,{data}" alt="{escape(alt, quote=True)}"></td>'


def _row(title: str, cells: Sequence[str]) -> str:
    return f'<tr><th scope="row">{title}</th>{"".join(cells)}</tr>'


def _table(title: str, columns: Sequence[str], body: Sequence[str]) -> str:
    """Titles of columns are markup, as those of rows are."""
    heads = "".join(f'<th scope="col">{column}</th>' for column in columns)
    size = "maps many" if len(columns) > _FEW else "maps"
    return (
        f'<table class="{size}" aria-label="{escape(title, quote=True)}">'
        f"<thead><tr><td></td>{heads}</tr></thead><tbody>{''.join(body)}</tbody></table>"
    )


def _key(sign: Sign, span: Span, words: str) -> str:
    """A bar of the colours over mid-grey, with the values at its ends and what they are of."""
    stops = ", ".join(
        f"rgba({red},{green},{blue},{cover:.2f}) {100 * place:.0f}%"
        for place, (red, green, blue), cover in colour_stops(sign)
    )
    low, high = (f"{end:.2g}".replace("-", "−") for end in span)
    ends = escape(_("from {low} to {high}", low=low, high=high), quote=True)
    return (
        f'<p class="maps-key">{low}<span class="bar" role="img" aria-label="{ends}" '
        f'style="background:linear-gradient(to right, {stops}), #8a8f94"></span>{high} '
        f"{escape(words)}</p>"
    )
