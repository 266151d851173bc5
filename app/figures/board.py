"""The main job at a glance, as plain values: pictures, each branch's answers and its maps."""

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from advprop_core.report.colours import (
    Array,
    Sign,
    amplification,
    amplify,
    branch_colour,
    map_spans,
    overlay,
)
from advprop_core.text import percent
from advprop_core.types import INPUT_KINDS, AttributionMap, Comparison, InputKind
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


def pictures(result: Comparison, title: str, perturbation: str) -> list[dict[str, str]]:
    """Clean picture, perturbed picture and what lies between, each with its words."""
    change = (result.adversarial - result.clean).numpy()
    factor = amplification(change)
    amplified = _("amplified {factor}×").format(factor=factor) if factor > 1 else _("as it is")
    # Captions stand under small pictures, in one line; what the change is, the page says above.
    return [
        _picture(
            result.clean.numpy(),
            _("Clean: {title}").format(title=title),
            _("The clean picture: {title}").format(title=title),
        ),
        _picture(
            result.adversarial.numpy(),
            _("Perturbed"),
            _("The perturbed picture: {perturbation}").format(perturbation=perturbation),
        ),
        _picture(
            amplify(change, factor),
            _("Amplified {factor}×").format(factor=factor) if factor > 1 else _("Change"),
            _("The perturbation, {amplified}: {perturbation}").format(
                amplified=amplified, perturbation=perturbation
            ),
        ),
    ]


def outline(
    clean: bytes, title: str, names: Sequence[str]
) -> tuple[list[dict[str, str] | None], list[dict[str, Any]]]:
    """Pictures and branches before anything is known of them but the clean picture, a PNG."""
    source = f"data:image/png;base64,{base64.b64encode(clean).decode()}"
    words = {
        "caption": _("Clean: {title}").format(title=title),
        "alt": _("The clean picture: {title}").format(title=title),
    }
    empty = [
        {"name": name, "colour": branch_colour(name), "said": "", "answers": []} for name in names
    ]
    return [{"source": source, **words}, None, None], empty


def branches(
    result: Comparison, names: Sequence[str], said: Mapping[str, str]
) -> list[dict[str, Any]]:
    """What each branch answers to both pictures, in words (``said``) and class by class."""
    return [
        {
            "name": branch,
            "colour": branch_colour(branch),
            "said": said[branch],
            "answers": [
                {
                    "name": names[index],
                    "true": index == result.true_class,
                    "shares": [_share(result, kind, branch, index) for kind in INPUT_KINDS],
                    "words": [percent(_share(result, kind, branch, index)) for kind in INPUT_KINDS],
                }
                for index in _followed(result, branch)
            ],
        }
        for branch in result.branches
    ]


def maps(
    result: Comparison, sign: Sign, title: str, names: Sequence[str], scale: str, opacity: float
) -> dict[str, list[dict[str, str]]]:
    """Branch to its maps over the clean and the perturbed picture, in grey.

    ``scale`` is that of :func:`~advprop_core.report.colours.map_spans`.
    """
    spans = map_spans({c: drawn.values.numpy() for c, drawn in result.maps.items()}, sign, scale)
    rows: dict[str, list[dict[str, str]]] = {}
    for branch in result.branches:
        for kind in INPUT_KINDS:
            drawn = result.maps[kind, branch]
            values, photo = drawn.values.numpy(), getattr(result, kind).numpy()
            shown = overlay(photo, values, sign, spans[kind, branch], opacity)
            name = names[drawn.class_index]
            alt = _(_MAP_ALTS[kind]).format(
                title=title, branch=branch, name=name, where=where(values)
            )
            rows.setdefault(branch, []).append(
                _picture(shown, _("for {name}").format(name=name), alt, exact=False)
            )
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


def _followed(result: Comparison, branch: str) -> list[int]:
    """The answers to both pictures, then what else is probable, the true class among them."""
    most = MOST_ANSWERS if len(result.branches) < 3 else _MOST_OF_MANY
    sums: dict[int, float] = {}
    for kind in INPUT_KINDS:
        for index, share in result.predictions[kind, branch].top(most):
            if share >= _SHOWN:
                sums[index] = max(share, sums.get(index, 0.0))
    answers = [result.predictions[kind, branch].class_index for kind in INPUT_KINDS]
    others = sorted(sums, key=lambda index: -sums[index])
    ranked = [*dict.fromkeys([*answers, *others])][:most]  # both answers, however unsure
    if result.true_class is not None and result.true_class not in ranked:
        ranked = [*ranked[: most - 1], result.true_class]
    return ranked


def _share(result: Comparison, kind: InputKind, branch: str, index: int) -> float:
    return float(result.predictions[kind, branch].probabilities[index])


def _picture(values: Array, caption: str, alt: str, *, exact: bool = True) -> dict[str, str]:
    from advprop_core.report.drawing import to_webp  # here: it loads torch

    data = base64.b64encode(to_webp(values, exact=exact)).decode()
    return {"source": f"data:image/webp;base64,{data}", "caption": caption, "alt": alt}
