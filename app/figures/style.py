"""Colours, scales and what all figures have in common.

Colour means branch; maps use perceptual scales that can be read without colour vision.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from advprop_core.report.colours import branch_colour

COLUMN_TITLES = {"clean": "Clean", "adversarial": "Perturbed"}
CONFIG = {"displayModeBar": False}
INK = {False: "#1F2933", True: "#E6EAEE"}
# Cividis, and blue through white to orange. What is near zero is see-through, so that the photo
# stays visible where there is little to say.
_MAGNITUDE = ((0, 32, 77), (60, 77, 110), (122, 123, 120), (188, 174, 108), (255, 234, 70))
_SIGNED = ((0, 114, 178), (128, 185, 217), (247, 247, 247), (234, 175, 128), (213, 94, 0))


def branch_title(branch: str) -> str:
    """A branch's name with its colour beside it."""
    return coloured(branch, branch_colour(branch))


def coloured(title: str, colour: str) -> str:
    """A title with a colour in a mark beside it, for coloured letters are hard to read."""
    return f'<span style="color:{colour}">■</span> <b>{title}</b>'


def overlay(
    photo: np.ndarray, values: np.ndarray, sign: str, span: tuple[float, float], opacity: float
) -> np.ndarray:
    """(3, H, W) photo with an (H, W) map over it, in the colours of :func:`colour_scale`."""
    stops = colour_scale(sign)
    places = [place for place, _ in stops]
    parts = np.array([_rgba(colour) for _, colour in stops])
    share = np.clip((values - span[0]) / (span[1] - span[0]), 0, 1)
    red, green, blue, alpha = (np.interp(share, places, parts[:, i]) for i in range(4))
    weight = opacity * alpha
    mixed: np.ndarray = (1 - weight) * photo + weight * np.stack([red, green, blue]) / 255
    return mixed


def _rgba(colour: str) -> tuple[float, ...]:
    return tuple(float(part) for part in colour[5:-1].split(","))


def colour_scale(sign: str) -> list[tuple[float, str]]:
    """A perceptual scale whose colours fade where the value is near zero."""
    colours = _MAGNITUDE if sign == "magnitude" else _SIGNED
    places = np.linspace(0, 1, len(colours))
    distance = places if sign == "magnitude" else np.abs(2 * places - 1)
    return [
        (float(place), f"rgba({r},{g},{b},{float(far):.2f})")
        for place, far, (r, g, b) in zip(places, distance, colours, strict=True)
    ]


def colour_range(values: Sequence[np.ndarray], sign: str) -> tuple[float, float]:
    """One range for all maps: to the 99.5th percentile of all values together.

    Signed maps get a range symmetric around 0.
    """
    together = np.abs(np.concatenate([v.ravel() for v in values]))
    high = float(np.percentile(together, 99.5)) or float(together.max()) or 1.0
    return (0.0, high) if sign == "magnitude" else (-high, high)
