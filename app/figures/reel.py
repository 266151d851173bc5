"""A film as small pictures and numbers: what the browser scrubs through, and what is saved."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from advprop_core.compare.film import Film
from advprop_core.report.colours import (
    Sign,
    amplification,
    amplify,
    branch_colour,
    colour_span,
    overlay,
)
from advprop_core.report.drawing import to_webp
from advprop_core.types import Prediction
from advprop_core.visualise.ascent import Visualisation
from advprop_core.visualise.goals import Channel
from app.language.text import N_, Sentence

MOST_CLASSES = 4


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
    """A film, ready to be shown. Its words are English, for files, and can be translated.

    Attributes:
        frames: The clean picture first.
        branches: Main first.
        captions: Of the pictures of a frame.
        classes: Names of the classes that are followed: the one under attack, the target, then
            those that any branch came to find most probable.
        true_place: Where among them the true class is, or None.
        target_place: Where the target is, or None.
        steps: As :class:`~advprop_core.compare.film.Film` has it, like the three below.
        colours: Of the branches.
        start: What the first frame shows, in words.
        exact: Which picture of a frame shows each pixel as a block: the perturbation, or None.
    """

    frames: tuple[Frame, ...]
    branches: tuple[str, ...]
    captions: tuple[str, ...]
    classes: tuple[str, ...]
    true_place: int | None = None
    target_place: int | None = None
    steps: tuple[int, ...] = ()
    all_steps: int = 0
    class_index: int = 0
    maps_refused: str | None = None
    colours: tuple[str, ...] = ()
    start: str = N_("the clean picture")
    exact: int | None = 1


def make_reel(film: Film, names: Sequence[str], sign: Sign, opacity: float) -> Reel:
    """Draw every frame; maps, where the film has any, cover the photo by ``opacity``, in [0, 1]."""
    branches = tuple(film.predictions)
    pixels = film.pixels.numpy()
    change = pixels - pixels[:1]
    factor = amplification(change)
    everything = [answer for answers in film.predictions.values() for answer in answers]
    followed = most_probable([film.attacked_class, film.target_class], everything)
    places: dict[int | None, int] = {index: row_index for row_index, index in enumerate(followed)}
    maps = [drawn.numpy() for drawn in film.maps.values()]
    scale = colour_span(maps, sign) if maps else (0.0, 1.0)  # without maps nothing is coloured
    frames = []
    for frame, step in enumerate(film.steps):
        predictions = [film.predictions[name][frame] for name in branches]
        pictures = [
            to_webp(pixels[frame]),
            to_webp(amplify(change[frame], factor), exact=True),
            *(
                to_webp(overlay(pixels[frame], drawn[frame], sign, scale, opacity))
                for drawn in maps
            ),
        ]
        title = frame_title(step, film.all_steps)
        frames.append(frame_of(title, pictures, predictions, followed, names))
    return Reel(
        tuple(frames),
        branches,
        (
            N_("Picture"),
            Sentence("Perturbation × {factor}", factor=factor),
            *(Sentence("Where {branch} looks", branch=branch) for branch in film.maps),
        ),
        tuple(names[index] for index in followed),
        places.get(film.true_class),
        places.get(film.target_class),
        film.steps,
        film.all_steps,
        film.class_index,
        film.maps_refused,
        tuple(map(branch_colour, branches)),
    )


def frame_title(step: int, all_steps: int) -> str:
    """``Clean picture``, ``Random start``, ``Step 3 of 10``."""
    if step > 0:
        return Sentence("Step {step} of {all_steps}", step=step, all_steps=all_steps)
    return N_("Random start") if step == 0 else N_("Clean picture")


def frame_of(
    title: str,
    pictures: Iterable[bytes],
    answers: Sequence[Prediction],
    followed: Sequence[int],
    names: Sequence[str],
) -> Frame:
    """A moment, with what each branch answers of the classes that are followed."""
    shares = tuple(tuple(answer.probabilities[[*followed]].tolist()) for answer in answers)
    best = tuple((names[answer.class_index], answer.confidence) for answer in answers)
    return Frame(title, tuple(pictures), shares, best)


def most_probable(asked: Iterable[int | None], answers: Iterable[Prediction]) -> tuple[int, ...]:
    """Class indices worth following: those that are asked for, then the most probable ones."""
    peaks = np.max([answer.probabilities.numpy() for answer in answers], axis=0)
    order = [*(index for index in asked if index is not None), *np.argsort(-peaks).tolist()]
    return tuple(dict.fromkeys(order))[:MOST_CLASSES]


def make_visual_reel(
    made: Mapping[str, Visualisation], branches: Sequence[str], names: Sequence[str]
) -> Reel:
    """Draw every frame of visualisations with the same goal and steps, under one slider.

    Args:
        made: What stands below each picture, to how it came to be.
        branches: Whose each is: they decide the colours.
        names: Class names in class-index order.
    """
    films = [*made.values()]
    goal, steps = films[0].goal, films[0].steps
    wished = None if isinstance(goal, Channel) else goal
    followed = most_probable([wished], [film.answers[-1] for film in films])
    frames = []
    for frame, step in enumerate(steps):
        answers = [film.answers[frame] for film in films]
        title = frame_title(step, steps[-1]) if step else N_("Start")
        pictures = (to_webp(film.frames[frame].numpy()) for film in films)
        frames.append(frame_of(title, pictures, answers, followed, names))
    return Reel(
        frames=tuple(frames),
        branches=tuple(made),
        captions=tuple(made),
        classes=tuple(names[index] for index in followed),
        target_place=None if wished is None else 0,
        colours=tuple(map(branch_colour, branches)),
        start=N_("the start"),
        exact=None,
    )
