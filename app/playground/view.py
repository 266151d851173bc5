"""What a person has chosen on the Playground."""

from dataclasses import dataclass, replace
from urllib.parse import parse_qsl, urlencode

from app.language.text import N_
from app.shell.links import decode, encode
from app.shell.view import View, accepted_by, one_of

STUDIO = {
    "": N_("Closed"),
    "sweep": N_("ε sweep"),
    "film": N_("Film"),
    "matrix": N_("Matrix"),
}


def _require_kept(text: str) -> None:
    """Refuse what no link of the Playground holds."""
    if text and (complaints := decode(dict(parse_qsl(text)), PlaygroundView())[1]):
        raise ValueError(complaints[0])


@dataclass(frozen=True)
class PlaygroundView(View):
    """The picture, and which part of the attack studio is open below it.

    Attributes:
        studio: A key of :data:`STUDIO`; nothing of a part is computed until it is opened.
        beside: Another view of this page to compare with, as :func:`write_kept` writes it; empty
            for none.
    """

    studio: str = one_of("", STUDIO)
    beside: str = accepted_by(_require_kept, "")


def write_kept(view: PlaygroundView) -> str:
    """A view as text, without what it is itself compared with."""
    return urlencode(encode(replace(view, beside="", studio="")))


def read_kept(text: str) -> PlaygroundView:
    """The view that was kept."""
    return replace(decode(dict(parse_qsl(text)), PlaygroundView())[0], beside="", studio="")
