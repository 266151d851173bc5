"""What a person has chosen on the Maps page."""

from __future__ import annotations

from dataclasses import dataclass

from advprop_core.attribution.methods import METHODS
from app.shell.view import View, some_of

MOST_MAPS = 6


@dataclass(frozen=True)
class MapsView(View):
    """The picture, and the maps of it.

    Attributes:
        maps: Kinds of map that stand beside each other.
    """

    maps: tuple[str, ...] = some_of(("grad-cam", "smoothgrad"), METHODS, MOST_MAPS)

    @property
    def map_kinds(self) -> tuple[str, ...]:
        """Those beside each other, and not the one of the other pages."""
        return self.maps
