"""Visualisations as a reel: the pictures of all branches under one slider."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from advprop_core.report.colours import branch_colour
from advprop_core.report.drawing import to_webp
from advprop_core.visualise.ascent import Visualisation
from advprop_core.visualise.goals import Channel
from app.figures.reel import MOST_CLASSES, Frame, Reel, numbered_step
from app.language.text import N_


@dataclass(frozen=True)
class Drawn:
    """A visualisation, and whose it is.

    Attributes:
        branch: Decides the colour.
        title: Stands below the picture.
        made: The visualisation.
    """

    branch: str
    title: str
    made: Visualisation


def make_visual_reel(films: Sequence[Drawn], names: Sequence[str]) -> Reel:
    """Draw every frame; the films have the same goal and steps, and their classes these names."""
    first = films[0].made
    is_class = not isinstance(first.goal, Channel)
    followed = _followed(films)
    frames = []
    for frame, step in enumerate(first.steps):
        answers = [film.made.answers[frame] for film in films]
        frames.append(
            Frame(
                numbered_step(step, first.steps[-1]) if step else N_("Start"),
                tuple(to_webp(film.made.frames[frame].numpy()) for film in films),
                tuple(tuple(a.probabilities[list(followed)].tolist()) for a in answers),
                tuple((names[a.class_index], a.confidence) for a in answers),
            )
        )
    titles = tuple(film.title for film in films)
    return Reel(
        frames=tuple(frames),
        branches=titles,
        captions=titles,
        classes=tuple(names[index] for index in followed),
        true_place=None,
        target_place=0 if is_class else None,
        steps=first.steps,
        all_steps=first.steps[-1],
        class_index=followed[0],
        colours=tuple(branch_colour(film.branch) for film in films),
        start=N_("the start"),
        exact=None,
    )


def _followed(films: Sequence[Drawn]) -> tuple[int, ...]:
    """Class indices worth following: the one that is wished, then those most probable at an end."""
    goal = films[0].made.goal
    ends = np.max([film.made.answers[-1].probabilities.numpy() for film in films], axis=0)
    wished = [] if isinstance(goal, Channel) else [goal]
    return tuple(dict.fromkeys([*wished, *np.argsort(-ends).tolist()]))[:MOST_CLASSES]
