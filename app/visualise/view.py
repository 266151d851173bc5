"""What a person has chosen on the Visualise page."""

from dataclasses import dataclass

from app.language.text import N_
from app.shell.view import View, one_of, within

GOALS = {"class": N_("A class"), "channel": N_("A channel")}
"""What is to be seen, and what a person reads of it."""
STARTS = {"noise": N_("Noise"), "picture": N_("The picture")}
"""Where the walk begins, and what a person reads of it."""


@dataclass(frozen=True)
class VisualiseView(View):
    """What is to be seen, from where, and how far the picture may move.

    Attributes:
        model: At first one whose branches differ plainly.
        wished: A key of :data:`GOALS`.
        wished_class: Class id; empty until the page is opened.
        channel: Of the layer that is chosen.
        begins_with: A key of :data:`STARTS`.
        reach: L2 radius in pixel units.
        visual_steps: Steps of the walk.
        second_model: Another network beside it, or empty.
    """

    model: str = "imagenette-advprop"
    wished: str = one_of("class", GOALS)
    wished_class: str = ""
    channel: int = within(0, 0, 4095)
    begins_with: str = one_of("noise", STARTS)
    reach: float = within(40.0, 1.0, 200.0)
    visual_steps: int = within(60, 5, 200)
    second_model: str = ""

    @property
    def map_kinds(self) -> tuple[str, ...]:
        """A kind of map with a layer, where the page needs the picker of layers."""
        return ("grad-cam",) if self.wished == "channel" else ()
