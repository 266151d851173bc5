"""What a person has chosen on the Influence page."""

from dataclasses import dataclass

from advprop_core.datasets.texture_shapes.scenes import SHAPES
from advprop_core.types import ModelInfo
from app.language.text import N_
from app.shell.pictures import own_folder
from app.shell.samples import class_folders
from app.shell.view import View, one_of, tab_of, within

PARTS = (N_("What does it rest on?"), N_("Which labels look wrong?"))
SETS = {"scenes": N_("Drawn scenes"), "folder": N_("Photos of your folder")}
"""What training images may be, and what a person reads of it."""


@dataclass(frozen=True)
class InfluenceView(View):
    """The picture, and the training images that are asked about it.

    Attributes:
        model: At first one whose training images are here.
        image: At first a picture that it knows.
        second_model: Another network beside it, or empty.
        trained_on: A key of :data:`SETS`.
        training_images: At most so many of them, spread over the classes.
        shown_images: Helpful ones of each branch, and as many harmful ones.
        influence_part: Which tab is open; one of :data:`PARTS`.
        flagged: Training images that the person flagged as mislabelled, as
            :mod:`app.shell.pictures` names them.
    """

    model: str = "shapes-advprop"
    image: str = "scene:2"
    second_model: str = ""
    trained_on: str = one_of("scenes", SETS)
    training_images: int = within(600, 100, 12_000)
    shown_images: int = within(4, 1, 10)
    influence_part: str = tab_of(PARTS)
    flagged: tuple[str, ...] = ()


def sets_for(info: ModelInfo) -> list[str]:
    """The training images that are here for a network, the likeliest first."""
    sets = ["scenes"] if tuple(info.class_ids) == SHAPES else []
    return [*sets, "folder"] if own_folder() is not None and len(class_folders()) > 1 else sets
