"""A film as small pictures and numbers: what the browser scrubs through, and what is saved."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from advprop_core.compare.film import Film
from app.figures.pictures import amplification, grey
from app.figures.style import colour_range, overlay

MOST_CLASSES = 4
_LOSSLESS = 256  # px; a larger perturbation would take minutes on a slow line


@dataclass(frozen=True)
class Frame:
    """One moment of an attack.

    Attributes:
        title: ``Step 3 of 10``.
        pictures: Encoded as WebP: the picture, the perturbation, a map of each branch.
        shares: Of each branch: probabilities of the reel's classes, in their order.
        answers: Of each branch: the class it gives, and its probability.
    """

    title: str
    pictures: tuple[bytes, ...]
    shares: tuple[tuple[float, ...], ...]
    answers: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Reel:
    """A film, ready to be shown.

    Attributes:
        frames: The clean picture first.
        branches: Main first.
        captions: Of the pictures of a frame.
        classes: Names of the classes that are followed: the one under attack, the target, then
            those that any branch came to find most probable.
        true_place: Where among them the true class is, or None.
        target_place: Where the target is, or None.
        steps: As :class:`~advprop_core.compare.film.Film` has them.
        all_steps: Likewise.
        class_index: Likewise.
    """

    frames: tuple[Frame, ...]
    branches: tuple[str, ...]
    captions: tuple[str, ...]
    classes: tuple[str, ...]
    true_place: int | None
    target_place: int | None
    steps: tuple[int, ...]
    all_steps: int
    class_index: int


def make_reel(film: Film, names: Sequence[str], sign: str, opacity: float) -> Reel:
    """Draw every frame.

    Args:
        film: With maps.
        names: Class names in class-index order.
        sign: ``magnitude`` or ``signed``.
        opacity: Of the maps over the photo, in [0, 1].
    """
    branches = tuple(film.predictions)
    pixels = film.pixels.numpy()
    change = pixels - pixels[:1]
    factor = amplification(float(np.abs(change).max()))
    followed = _followed(film)
    scale = colour_range([film.maps[name].numpy() for name in branches], sign)
    frames = []
    for place, step in enumerate(film.steps):
        said = [film.predictions[name][place] for name in branches]
        heats = [film.maps[name][place].numpy() for name in branches]
        pictures = [
            _webp(pixels[place]),
            _webp(np.clip(0.5 + factor * change[place], 0, 1), exact=True),
            *(_webp(overlay(grey(pixels[place]), heat, sign, scale, opacity)) for heat in heats),
        ]
        frames.append(
            Frame(
                frame_title(step, film.all_steps),
                tuple(pictures),
                tuple(tuple(one.probabilities[list(followed)].tolist()) for one in said),
                tuple((names[one.class_index], one.confidence) for one in said),
            )
        )
    return Reel(
        tuple(frames),
        branches,
        ("Picture", f"Perturbation × {factor}", *(f"Where {b} looks" for b in branches)),
        tuple(names[index] for index in followed),
        _place(followed, film.true_class),
        _place(followed, film.target_class),
        film.steps,
        film.all_steps,
        film.class_index,
    )


def frame_title(step: int, all_steps: int) -> str:
    """``Clean picture``, ``Random start``, ``Step 3 of 10``."""
    if step < 0:
        return "Clean picture"
    if step == 0:
        return "Random start"
    return f"Step {step} of {all_steps}"


def _followed(film: Film) -> tuple[int, ...]:
    """Class indices worth following, the most important first."""
    asked = [film.attacked_class, film.target_class]
    peaks = np.max(
        [one.probabilities.numpy() for said in film.predictions.values() for one in said], axis=0
    )
    order = [*(index for index in asked if index is not None), *np.argsort(-peaks).tolist()]
    return tuple(dict.fromkeys(order))[:MOST_CLASSES]


def _place(followed: Sequence[int], index: int | None) -> int | None:
    return followed.index(index) if index in followed else None


def _webp(values: np.ndarray, *, exact: bool = False) -> bytes:
    array = (values.transpose(1, 2, 0) * 255).round().astype(np.uint8)
    buffer = io.BytesIO()
    lossless = exact and max(array.shape) <= _LOSSLESS
    Image.fromarray(array).save(buffer, "WEBP", lossless=lossless, quality=80 if lossless else 90)
    return buffer.getvalue()
