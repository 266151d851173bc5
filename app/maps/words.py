"""Words of the Maps page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from advprop_core.text import percent
from app.shell.comparison import target_class
from app.shell.messages import PICTURES

if TYPE_CHECKING:
    from advprop_core.types import ModelInfo
    from app.maps.map_set import MapSet
    from app.maps.view import MapsView

_DIFFER, _AGREE = 0.3, 0.7
"""Rank correlations below and above which two maps are said to differ, and to agree."""
TRUST = (
    "A map that looks right may still be wrong about the network. These checks ask the network "
    "itself. Does the class disappear when the pixels that the map calls important are removed? "
    "Does the map stay the same under tiny changes? Does it change when the network forgets what "
    "it learnt?"
)
CURVES = (
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
            parts.append(f"on the {word} picture they cannot be compared")
        else:
            parts.append(
                f"on the {word} picture they {_alike(pair.rank_correlation)} (rank correlation "
                f"{pair.rank_correlation:.2f}, {percent(pair.overlap)} of the top tenth in common)"
            )
    first, second = map_set.comparison.branches[:2]
    return f"**{first}** beside **{second}**: {'; '.join(parts)}."


def _alike(correlation: float) -> str:
    """What a correlation means, roughly."""
    if correlation < _DIFFER:
        return "differ"
    return "agree" if correlation > _AGREE else "agree in part"


def target(map_set: MapSet, view: MapsView, info: ModelInfo) -> str | None:
    """What the attack aimed at, and that maps may be of another class; None where it had no aim."""
    aim = target_class(view, info)
    if aim is None or not map_set.maps:
        return None
    names, explained = info.class_names, next(iter(map_set.maps.values())).class_index
    if explained == aim:
        return f"The maps explain **{names[aim]}**, the class that the attack aimed at."
    return (
        f"The attack drives the answer towards **{names[aim]}**, its target. The maps explain "
        f"**{names[explained]}**: choose the target under *The maps explain* to see what speaks "
        "for it."
    )


def strip(stages: Sequence[str]) -> str:
    """What the strip shows."""
    return (
        f"From the first stage, {stages[0]}, to the last, {stages[-1]}: early stages are fine and "
        "see edges, late ones are coarse and see objects. Each column has its own colour scale, "
        "shared by its rows."
    )
