"""Words of the Influence page; loads no torch."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

from advprop_core.text import spreadsheet_cell
from app.influence.view import SETS
from app.language.text import N_, _, join

if TYPE_CHECKING:
    from app.influence.work import Example, PictureRest

QUESTION = N_("Which training images affect a prediction most?")
INTRODUCTION = N_(
    "A training image is helpful if the loss of the prediction would rise without it, and harmful "
    "if the loss would fall. Each branch has other helpful and harmful images."
)
METHOD = N_(
    "How it is measured: the network's features of the training images stay as they are, and a "
    "last layer is fitted to them. Influence functions (Koh and Liang 2017) then say, to first "
    "order, how the loss of this picture changes when one training image is left out and the layer "
    "is fitted again. What the network learnt before its last layer is not traced."
)
SUSPECTS = N_(
    "These training images have the most influence on main's prediction of themselves, so the "
    "layer can learn them only by heart. Such an image often has a wrong label, or is unlike all "
    "others of its class. Flag the images with a wrong label, and export the list."
)
ALONE = N_(
    "The training images of this network are not available here, so their influence cannot be "
    "measured."
)


def meant(result: PictureRest, trained_on: str) -> str:
    """Whose loss is traced, and to what."""
    images = _(SETS[trained_on]).lower()
    if result.is_known:
        return _(
            "The loss of **{name}**, which the picture shows, is traced to {count:,} {images}.",
            count=result.count,
            images=images,
            name=result.branches[0].meant,
        )
    return _(
        "The true class of the picture is not known, so the loss of each branch's own answer is "
        "traced to {count:,} {images}.",
        count=result.count,
        images=images,
    )


def verdict(result: PictureRest) -> str:
    """How far the branches rest on the same images, in a sentence."""
    sides = [{example.source for example in rest.helpful} for rest in result.branches]
    if len(sides) < 2:
        return ""
    shared, most = set.intersection(*sides), max(map(len, sides))
    of_model = _("{branch} of {model}") if are_several(result) else "{branch}"
    who = join([of_model.format(branch=r.branch, model=r.model) for r in result.branches])
    if not shared:
        return _("None of the most helpful images is shared by {who}.", who=who)
    if len(shared) == most:
        return _("All {most} most helpful images are the same for {who}.", most=most, who=who)
    return _(
        "{count} of the {most} most helpful images are the same for {who}.",
        count=len(shared),
        most=most,
        who=who,
    )


def are_several(result: PictureRest) -> bool:
    """Whether two networks were asked."""
    return len({rest.model for rest in result.branches}) > 1


def flagged_file(flagged: Sequence[str], suspects: Sequence[Example]) -> str:
    """The flagged images as CSV, with what is known of them."""
    known = {example.source: example for example in suspects}
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(["image", "label", "self_influence"])
    for source in flagged:
        example = known.get(source)
        title = example.title if example else source.partition(":")[2]
        label, influence = (example.label, repr(example.score)) if example else ("", "")
        writer.writerow([spreadsheet_cell(title), spreadsheet_cell(label), influence])
    return buffer.getvalue()
