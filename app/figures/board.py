"""The main job at a glance, as plain values: pictures, each branch's answers and its maps."""

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from advprop_core.attribution.methods import METHODS
from advprop_core.report.colours import (
    Array,
    amplification,
    amplify,
    branch_colour,
    map_spans,
    overlay,
)
from advprop_core.text import percent
from advprop_core.types import INPUT_KINDS, AttributionMap, Comparison, InputKind, Prediction
from app.language.text import N_, _

Maps = Mapping[tuple[InputKind, str], AttributionMap]
"""(input kind, branch) to map."""
MOST_ANSWERS = 5
_MOST_OF_MANY = 4  # answers of each of three branches or more: two rows of two, as high as its maps
_SHOWN = 0.01  # a class that neither picture gives so much is left out
_PLACES = (
    (N_("strongest at the top left"), N_("strongest at the top"), N_("strongest at the top right")),
    (N_("strongest at the left"), N_("strongest in the middle"), N_("strongest at the right")),
    (
        N_("strongest at the bottom left"),
        N_("strongest at the bottom"),
        N_("strongest at the bottom right"),
    ),
)


_MAP_ALTS: Mapping[InputKind, str] = {
    "clean": N_("{title} of {branch} for {name} on the clean picture, {where}"),
    "adversarial": N_("{title} of {branch} for {name} on the perturbed picture, {where}"),
}


def amplified(result: Comparison) -> tuple[Array, int]:
    """What lies between both pictures, amplified around mid-grey, and how many times."""
    change = (result.adversarial - result.clean).numpy()
    factor = amplification(change)
    return amplify(change, factor), factor


def overlaid(result: Comparison, scale: str, opacity: float) -> dict[tuple[InputKind, str], Array]:
    """(input kind, branch) to the map over its picture in grey, (3, H, W) in [0, 1].

    ``scale`` is that of :func:`~advprop_core.report.colours.map_spans`.
    """
    values = {cell: drawn.values.numpy() for cell, drawn in result.maps.items()}
    sign = METHODS[next(iter(result.maps.values())).method].sign
    spans = map_spans(values, sign, scale)
    return {
        (kind, branch): overlay(
            getattr(result, kind).numpy(), drawn, sign, spans[kind, branch], opacity
        )
        for (kind, branch), drawn in values.items()
    }


def pictures(result: Comparison, title: str, perturbation: str) -> list[dict[str, str]]:
    """Clean picture, perturbed picture and what lies between, each with its words."""
    change, factor = amplified(result)
    strength = _("amplified {factor}×", factor=factor) if factor > 1 else _("as it is")
    # Captions stand under small pictures, in one line; what the change is, the page says above.
    return [
        _picture(
            result.clean.numpy(),
            _("Clean: {title}", title=title),
            _("The clean picture: {title}", title=title),
        ),
        _picture(
            result.adversarial.numpy(),
            _("Perturbed"),
            _("The perturbed picture: {perturbation}", perturbation=perturbation),
        ),
        _picture(
            change,
            _("Amplified {factor}×", factor=factor) if factor > 1 else _("Change"),
            _(
                "The perturbation, {amplified}: {perturbation}",
                amplified=strength,
                perturbation=perturbation,
            ),
        ),
    ]


def outline(
    clean: bytes, title: str, names: Sequence[str]
) -> tuple[list[dict[str, str] | None], list[dict[str, Any]]]:
    """Pictures and branches before anything is known of them but the clean picture, a PNG."""
    source = f"data:image/png;base64,{base64.b64encode(clean).decode()}"
    words = {
        "caption": _("Clean: {title}", title=title),
        "alt": _("The clean picture: {title}", title=title),
    }
    empty = [
        {"name": name, "colour": branch_colour(name), "said": "", "answers": []} for name in names
    ]
    return [{"source": source, **words}, None, None], empty


def branches(
    result: Comparison, names: Sequence[str], said: Mapping[str, str]
) -> list[dict[str, Any]]:
    """What each branch answers to both pictures, in words (``said``) and class by class."""
    rows = []
    for branch in result.branches:
        predictions = [result.predictions[kind, branch] for kind in INPUT_KINDS]
        answers = []
        for index in _followed(predictions, result):
            shares = [float(prediction.probabilities[index]) for prediction in predictions]
            answers.append(
                {
                    "name": names[index],
                    "true": index == result.true_class,
                    "shares": shares,
                    "words": [*map(percent, shares)],
                }
            )
        colour = branch_colour(branch)
        rows.append({"name": branch, "colour": colour, "said": said[branch], "answers": answers})
    return rows


def maps(
    result: Comparison, names: Sequence[str], scale: str, opacity: float
) -> dict[str, list[dict[str, str]]]:
    """Branch to its maps over the clean and the perturbed picture; see :func:`overlaid`."""
    rows: dict[str, list[dict[str, str]]] = {branch: [] for branch in result.branches}
    shown = overlaid(result, scale, opacity)
    for branch, row in rows.items():
        for kind in INPUT_KINDS:
            drawn = result.maps[kind, branch]
            name = names[drawn.class_index]
            alt = _(
                _MAP_ALTS[kind],
                title=_(METHODS[drawn.method].title),
                branch=branch,
                name=name,
                where=where(drawn.values.numpy()),
            )
            caption = _("for {name}", name=name)
            row.append(_picture(shown[kind, branch], caption, alt, exact=False))
    return rows


def where(values: Array) -> str:
    """Where a map lies, in words: ``strongest in the middle``."""
    strength = np.abs(values)
    if not strength.any():
        return _("empty")
    parts = [np.array_split(row, 3, axis=1) for row in np.array_split(strength, 3, axis=0)]
    sums = np.array([[part.mean() for part in row] for row in parts])
    row, column = divmod(int(sums.argmax()), 3)
    return _(_PLACES[row][column])


def _followed(predictions: Sequence[Prediction], result: Comparison) -> list[int]:
    """The answers to both pictures, then what else is probable, the true class among them."""
    most = MOST_ANSWERS if len(result.branches) < 3 else _MOST_OF_MANY
    peaks: dict[int, float] = {}
    for prediction in predictions:
        for index, share in prediction.top(most):
            if share >= _SHOWN:
                peaks[index] = max(share, peaks.get(index, 0.0))
    answers = [prediction.class_index for prediction in predictions]
    others = sorted(peaks, key=lambda index: -peaks[index])
    ranked = [*dict.fromkeys([*answers, *others])][:most]  # both answers, however unsure
    if result.true_class is not None and result.true_class not in ranked:
        ranked = [*ranked[: most - 1], result.true_class]
    return ranked


def _picture(values: Array, caption: str, alt: str, *, exact: bool = True) -> dict[str, str]:
    from advprop_core.report.drawing import to_webp  # here: it loads torch

    data = base64.b64encode(to_webp(values, exact=exact)).decode()
    return {"source": f"data:image/webp;base64,{data}", "caption": caption, "alt": alt}
