"""Words of the Visualise page; loads no torch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from advprop_core.text import percent
from advprop_core.types import ModelInfo
from app.language.text import N_, _, paragraph
from app.shell.messages import safe
from app.visualise.view import VisualiseView

if TYPE_CHECKING:
    from app.visualise.work import Seen, Visualised

QUESTION = N_("What does each branch look for?")
_SEEN = 0.5  # probability from which on a branch sees the class
INTRODUCTION = N_(
    "For each branch, gradient ascent changes the same start picture step by step. It raises the "
    "score of a class or a channel as far as the strength allows. Robust branches draw parts of "
    "objects. Other branches draw patterns that look like noise."
)
METHOD = N_(
    "Gradient ascent in an L2 ball around the start, which is a targeted attack with a large "
    "radius (Engstrom et al., arXiv 1906.00945; Santurkar et al., arXiv 1906.09453). Nothing "
    "smooths the pictures: no blur, no shifts, no penalty. **Coarse** is the share of the "
    "change's energy in patterns at least 16 pixels long; white noise has 1.2 %. **Also seen by** "
    "names the other branches that give the class more than 50 % for the same picture. A pattern "
    "that only its own branch recognises says little about the class. **Change** can be shorter "
    "than the strength, because colours end at black and white."
)
GRADIENT = N_(
    "One step of this is the gradient of the loss. The Maps page draws it for every branch on one "
    "scale."
)


def heading(view: VisualiseView, info: ModelInfo, layer: str) -> str:
    """What is to be seen."""
    if view.wished == "channel":
        return _("Channel {channel} of {layer}").format(channel=view.channel, layer=layer)
    return dict(info.classes)[view.wished_class].capitalize()


def verdict(result: Visualised) -> str:
    """Which change is coarsest, and which is finest."""
    ordered = sorted(result.pictures, key=lambda seen: seen.coarse)
    finest, coarsest = ordered[0], ordered[-1]
    several = len({seen.model for seen in result.pictures}) > 1
    first = _(
        "**{branch}** draws the coarsest: {share} of its change lies in patterns of 16 pixels or "
        "more."
    )
    if len(ordered) == 1:
        first = _(
            "**{branch}** draws this picture: {share} of its change lies in patterns of 16 pixels "
            "or more."
        )
    sentences = [
        sentence.format(branch=_whose(seen, several), share=percent(seen.coarse))
        for sentence, seen in (
            (first, coarsest),
            (_("**{branch}** draws the finest: {share}."), finest),
        )
    ]
    return paragraph(sentences[: len(ordered)])


def rows(result: Visualised, view: VisualiseView) -> list[dict[str, str]]:
    """The measures of every picture, by column."""
    several = len({seen.model for seen in result.pictures}) > 1
    return [_row(seen, several, view.wished == "channel") for seen in result.pictures]


def _row(seen: Seen, several: bool, is_channel: bool) -> dict[str, str]:
    row = {
        _("Picture of"): _whose(seen, several),
        _("It says"): f"{safe(seen.answer)} {percent(seen.probability)}",
        _("Change (L2)"): f"{seen.length:.1f}",
        _("Coarse"): percent(seen.coarse),
    }
    if seen.seen_by:
        row[_("Also seen by")] = _(", ").join(_witnesses(seen)) or _("none")
    elif is_channel:
        row[_("Activation")] = f"{seen.scores[0]:.3g} → {seen.scores[1]:.3g}"
    return row


def _witnesses(seen: Seen) -> Sequence[str]:
    """Those of the other branches that see the class too; a network is named if it is another."""
    return [
        branch if model == seen.model else f"{safe(model)} {branch}"
        for (model, branch), share in seen.seen_by.items()
        if share > _SEEN
    ]


def _whose(seen: Seen, several: bool) -> str:
    return f"{safe(seen.model)} {seen.branch}" if several else seen.branch
