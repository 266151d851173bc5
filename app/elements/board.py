"""The main job at a glance: pictures, maps and answers on one screen, enlarged together."""

from typing import Any

from app.elements.declare import declare
from app.figures.style import COLUMN_TITLES
from app.language.text import _

_mount = declare("board")


def board(name: str, title: str, **data: Any) -> None:
    """A row of pictures, then for each branch its maps and its answers.

    Args:
        name: Of this one, where a page has several.
        title: What those who hear the page are told first.
        data: As ``board.js`` reads it. ``pictures`` are the clean, the perturbed, and what lies
            between, where None waits for one; ``branches``, main first, have a name, a colour and
            answers; ``maps`` is branch to its maps, a branch that is not there waits for them, and
            None says that there are none;
            ``facts`` were measured on the perturbed picture; ``isOld`` says that the maps are those
            of a comparison before this one, ``isHalf`` that another one stands beside it: then all
            are enlarged and moved together.
    """
    titles = [_(title) for title in COLUMN_TITLES.values()]
    label = _(
        "{title}: pictures, maps and answers. Zoom with plus and minus, move with the arrow keys, "
        "0 to see all.",
        title=title,
    )
    default = {"label": label, "titles": titles, "facts": [], "isOld": False, "isHalf": False}
    _mount(key=f"board.{name}", data=default | data)
