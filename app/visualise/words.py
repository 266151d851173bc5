"""Words of the Visualise page; loads no torch."""

from __future__ import annotations

from collections.abc import Callable
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
        return _("Channel {channel} of {layer}", channel=view.channel, layer=layer)
    return dict(info.classes)[view.wished_class].capitalize()


def verdict(result: Visualised) -> str:
    """Which change is coarsest, and which is finest."""
    ordered = sorted(result.pictures, key=lambda seen: seen.coarse)
    finest, coarsest, whose = ordered[0], ordered[-1], _naming(result)
    first = _(
        "**{branch}** draws the coarsest: {share} of its change lies in patterns of 16 pixels or "
        "more."
    )
    if len(result.pictures) == 1:
        first = _(
            "**{branch}** draws this picture: {share} of its change lies in patterns of 16 pixels "
            "or more."
        )
    sentences = [first.format(branch=whose(coarsest), share=percent(coarsest.coarse))]
    if len(result.pictures) > 1:
        second = _("**{branch}** draws the finest: {share}.")
        sentences.append(second.format(branch=whose(finest), share=percent(finest.coarse)))
    return paragraph(sentences)


def rows(result: Visualised, view: VisualiseView) -> list[dict[str, str]]:
    """The measures of every picture, by column."""
    lines, whose = [], _naming(result)
    for seen in result.pictures:
        line = {
            _("Picture of"): whose(seen),
            _("It says"): f"{safe(seen.answer)} {percent(seen.probability)}",
            _("Change (L2)"): f"{seen.length:.1f}",
            _("Coarse"): percent(seen.coarse),
        }
        # Of the other branches that see the class too; a network is named if it is another.
        witnesses = [
            branch if model == seen.model else f"{safe(model)} {branch}"
            for (model, branch), share in seen.seen_by.items()
            if share > _SEEN
        ]
        if seen.seen_by:
            line[_("Also seen by")] = _(", ").join(witnesses) or _("none")
        elif view.wished == "channel":
            line[_("Activation")] = f"{seen.scores[0]:.3g} → {seen.scores[1]:.3g}"
        lines.append(line)
    return lines


def _naming(result: Visualised) -> Callable[[Seen], str]:
    """What a picture is called: by its branch, and by its network where there are two."""
    if len({seen.model for seen in result.pictures}) == 1:
        return lambda seen: seen.branch
    return lambda seen: f"{safe(seen.model)} {seen.branch}"
