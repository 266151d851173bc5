"""The main job at a glance: pictures, maps and answers on one screen, enlarged together."""

from typing import Any

from app.elements.declare import declare
from app.figures.style import COLUMN_TITLES
from app.language.text import _

_mount = declare("board")


def board(
    name: str,
    label: str,
    pictures: Sequence[Mapping[str, str] | None],
    branches: Sequence[Mapping[str, Any]],
    maps: Mapping[str, Sequence[Mapping[str, str]]] | None,
    facts: Sequence[Mapping[str, str]],
    *,
    is_old: bool,
    is_half: bool = False,
) -> None:
    """A row of pictures, then for each branch its maps and its answers.

    Args:
        name: Of this one, where a page has several.
        label: The same for those who hear the page.
        pictures: The clean, the perturbed, and what lies between; None waits for one.
        branches: Main first; each has a name, a colour and answers.
        maps: Branch to its maps; a branch that is not there waits for them. None: there are none.
        facts: What was measured on the perturbed picture.
        is_old: Whether the maps are those of a comparison before this one.
        is_half: Whether another one stands beside it. All are enlarged and moved together.
    """
    _mount(
        key=f"board.{name}",
        data={
            "label": label,
            "pictures": pictures,
            "branches": branches,
            "maps": maps,
            "facts": facts,
            "titles": [_(title) for title in COLUMN_TITLES.values()],
            "isOld": is_old,
            "isHalf": is_half,
        },
    )
