"""What a person has chosen on the Maps page."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from advprop_core.attribution.methods import METHODS
from app.shell.view import View, some_of

MOST_MAPS = 6


@dataclass(frozen=True)
class MapsView(View):
    """The picture, and the maps of it.

    Attributes:
        maps: Kinds of map that stand beside each other.
        checked: :func:`checked_mark` of the view whose maps the person asked to be checked.
    """

    maps: tuple[str, ...] = some_of(("grad-cam", "smoothgrad"), METHODS, MOST_MAPS)
    checked: str = ""

    @property
    def map_kinds(self) -> tuple[str, ...]:
        """Those beside each other, and not the one of the other pages."""
        return self.maps


_OF_LOOKS = {"checked", "expert", "method", "scale", "opacity"}


def checked_mark(view: MapsView) -> str:
    """A short text that differs for views with other maps."""
    decisive = {name: value for name, value in vars(view).items() if name not in _OF_LOOKS}
    return hashlib.blake2s(repr(decisive).encode(), digest_size=5).hexdigest()
