"""Visualisations as a reel: the pictures of all branches under one slider."""

from collections.abc import Sequence
from dataclasses import dataclass

from advprop_core.report.colours import branch_colour
from advprop_core.report.drawing import to_webp
from advprop_core.visualise.ascent import Visualisation
from advprop_core.visualise.goals import Channel
from app.figures.reel import Reel, frame_of, most_probable, numbered_step
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
    wished = None if isinstance(first.goal, Channel) else first.goal
    followed = most_probable([wished], [film.made.answers[-1] for film in films])
    frames = []
    for frame, step in enumerate(first.steps):
        answers = [film.made.answers[frame] for film in films]
        title = numbered_step(step, first.steps[-1]) if step else N_("Start")
        pictures = (to_webp(film.made.frames[frame].numpy()) for film in films)
        frames.append(frame_of(title, pictures, answers, followed, names))
    titles = tuple(film.title for film in films)
    return Reel(
        frames=tuple(frames),
        branches=titles,
        captions=titles,
        classes=tuple(names[index] for index in followed),
        true_place=None,
        target_place=None if wished is None else 0,
        steps=first.steps,
        all_steps=first.steps[-1],
        class_index=followed[0],
        colours=tuple(branch_colour(film.branch) for film in films),
        start=N_("the start"),
        exact=None,
    )
