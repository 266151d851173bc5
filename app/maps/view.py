"""What a person has chosen on the Maps page."""

import hashlib
from dataclasses import dataclass

from app.shell.view import MAPS, View, some_of

MOST_MAPS = 6


@dataclass(frozen=True)
class MapsView(View):
    """The picture, and the maps of it.

    Attributes:
        maps: Kinds of map that stand beside each other.
        checked: The maps that the person asked to be checked, as :func:`ask` writes it.
    """

    maps: tuple[str, ...] = some_of(("grad-cam", "smoothgrad"), MAPS, MOST_MAPS)
    checked: str = ""

    @property
    def map_kinds(self) -> tuple[str, ...]:
        """Those beside each other, and not the one of the other pages."""
        return self.maps


# Fields on which no single map depends: when they change, checks of a map stay asked for.
_UNDECISIVE = {"maps", "checked", "expert", "method", "scale", "opacity"}


def ask(view: MapsView) -> str:
    """All maps of a view as those that are to be checked, and a mark of what they are maps of."""
    return ".".join([_mark(view), *dict.fromkeys([*asked(view), *view.maps])])


def asked(view: MapsView) -> tuple[str, ...]:
    """The kinds of map that the person asked to be checked in a view like this."""
    mark, *methods = view.checked.split(".")
    return tuple(methods) if mark == _mark(view) else ()


def _mark(view: MapsView) -> str:
    """A short text that differs for views of which one map differs."""
    decisive = {name: value for name, value in vars(view).items() if name not in _UNDECISIVE}
    return hashlib.blake2s(repr(decisive).encode(), digest_size=5).hexdigest()
