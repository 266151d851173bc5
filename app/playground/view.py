"""What a person has chosen on the Playground."""

from __future__ import annotations

from dataclasses import dataclass

from app.shell.view import View, one_of

STUDIO = {"": "Closed", "sweep": "ε sweep", "film": "Film", "matrix": "Matrix"}


@dataclass(frozen=True)
class PlaygroundView(View):
    """The picture, and which part of the attack studio is open below it.

    Attributes:
        studio: A key of :data:`STUDIO`; nothing of a part is computed until it is opened.
    """

    studio: str = one_of("", STUDIO)
