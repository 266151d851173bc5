"""Words of the Maps page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from advprop_core.text import percent
from advprop_core.types import ModelInfo
from app.language.text import N_, _
from app.maps.view import MapsView
from app.shell.comparison import target_class
from app.shell.messages import PICTURES

if TYPE_CHECKING:
    from app.maps.map_set import MapSet

_DIFFER, _AGREE = 0.3, 0.7
"""Rank correlations below and above which two maps are said to differ, and to agree."""
TRUST = N_(
    "A map that looks right may still be wrong about the network. These checks ask the network "
    "itself. Does the class disappear when the pixels that the map calls important are removed? "
    "Does the map stay the same under tiny changes? Does it change when the network forgets what "
    "it learnt?"
)
CURVES = N_(
    "With a good map deletion falls early and insertion rises early. Coloured: pixels change in "
    "the order of the map. Grey: the mean of random orders. Dotted and dash-dotted lines "
    "belong to the perturbed picture. Deleted pixels turn grey; insertion starts from a blurred "
    "picture."
)


def agreement(map_set: MapSet, method: str) -> str | None:
    """How far main's and aux's maps agree, in one sentence; None for a single branch."""
    from advprop_core.faithfulness.maps import Undefined  # here: it loads torch

    parts = []
    for kind, word in PICTURES.items():
        pair = map_set.across_branches.get((method, kind))
        if pair is None:
            return None
        if isinstance(pair.rank_correlation, Undefined) or isinstance(pair.overlap, Undefined):
            parts.append(_("on the {word} picture they cannot be compared", word=_(word)))
        else:
            alike = _("agree in part")
            if pair.rank_correlation < _DIFFER:
                alike = _("differ")
            elif pair.rank_correlation > _AGREE:
                alike = _("agree")
            parts.append(
                _(
                    "on the {word} picture they {alike} (rank correlation {rank:.2f}, "
                    "{overlap} of the top tenth in common)",
                    word=_(word),
                    alike=alike,
                    rank=pair.rank_correlation,
                    overlap=percent(pair.overlap),
                )
            )
    first, second = map_set.comparison.branches[:2]
    return _(
        "**{first}** beside **{second}**: {parts}.",
        first=first,
        second=second,
        parts=_("; ").join(parts),
    )


def target(map_set: MapSet, view: MapsView, info: ModelInfo) -> str | None:
    """What the attack aimed at, and that maps may be of another class; None where it had no aim."""
    aim = target_class(view, info)
    if aim is None or not map_set.maps:
        return None
    names, explained = info.class_names, next(iter(map_set.maps.values())).class_index
    if explained == aim:
        return _(
            "The maps explain **{name}**, the class that the attack aimed at.", name=names[aim]
        )
    return _(
        "The attack drives the answer towards **{name}**, its target. The maps explain "
        "**{explained}**. To see the evidence for the target, choose it under *The maps explain*.",
        name=names[aim],
        explained=names[explained],
    )


def strip(stages: Sequence[str]) -> str:
    """What the strip shows."""
    return _(
        "From the first stage, {first}, to the last, {last}: early stages are fine "
        "and see edges, late ones are coarse and see objects. Each column has its own "
        "colour scale, shared by its rows.",
        first=stages[0],
        last=stages[-1],
    )
