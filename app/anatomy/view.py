"""What a person has chosen on the Anatomy page."""

from dataclasses import dataclass

from app.anatomy.words import MEASURES, MOVED, PARTS, SWAPPED_BY
from app.shell.view import View, one_of, tab_of, within


@dataclass(frozen=True)
class AnatomyView(View):
    """The picture, and what of two branches is looked into.

    Attributes:
        second: The branch that is compared with main.
        dial: How far the blend of the two is from main, in percent.
        moved: What moves with the dial.
        moved_layers: Stages and layers that move with it, or none for all.
        measure: How the distance of norm layers is measured.
        norm_layer: The norm layer that is looked into, or empty for the one that differs most.
        gap_by: What is swapped at a time.
        looked_into: Which tab is open; one of :data:`app.anatomy.words.PARTS`.
        calibrated: Whether a network with main alone is given a calibrated auxiliary branch.
    """

    second: str = "aux"
    dial: int = within(50, 0, 100)
    moved: str = one_of("both", MOVED)
    moved_layers: tuple[str, ...] = ()
    measure: str = one_of("mean_shift", MEASURES)
    norm_layer: str = ""
    gap_by: str = one_of("stage", SWAPPED_BY)
    looked_into: str = tab_of(PARTS)
    calibrated: bool = False
