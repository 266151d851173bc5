"""What a person should know of the images before they trust a figure, in sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from advprop_core.datasets.class_folders import listing
from advprop_core.datasets.folders import Unreadable
from advprop_core.evaluation.cells import Subject
from advprop_core.models.class_names import are_the_same
from advprop_core.types import ModelInfo


def of_small_photos(count: int, total: int, size: int, *, corrupted: bool) -> list[str]:
    """That photos had to be enlarged, if any had.

    Args:
        count: How many of them.
        total: How many photos there are.
        size: Side they were wanted in, in pixels.
        corrupted: Whether they are then corrupted.
    """
    if not count:
        return []
    what = "enlarged"
    if corrupted:
        what = "enlarged before they were corrupted: ImageNet-C's severities are for larger ones"
    return [f"{count} of {total} photos are smaller than {size} pixels and were {what}"]


def left_out(name: str, unreadable: Sequence[Unreadable], ignored: Sequence[str]) -> list[str]:
    """What a model is not asked about, if anything.

    Args:
        name: Of the model.
        unreadable: Files that could not be read.
        ignored: Classes of the data that the model does not know.
    """
    parts = []
    if unreadable:
        first, count = unreadable[0], len(unreadable)
        files = "1 file" if count == 1 else f"{count} files"
        parts.append(f"{files} that cannot be read, such as {first.path.name}")
    if ignored:
        parts.append(f"classes that it does not know: {listing(ignored)}")
    return [f"{name} was not asked about {'; '.join(parts)}"] if parts else []


def of_unlike_images(subjects: Sequence[Subject], infos: Mapping[str, ModelInfo]) -> list[str]:
    """That models which know different classes were asked about different images, if so.

    Two classes are one if they share an id or a name, as a class folder can be either.
    """
    first, *others = (_classes_shown(one, infos[one.name]) for one in subjects)
    if all(are_the_same(first, other) for other in others):
        return []
    asked = ", ".join(f"{one.name}: {len(one.labels)}" for one in subjects)
    return [
        f"the models know different classes and were asked about different images ({asked}), so "
        "their figures do not compare like with like"
    ]


def _classes_shown(subject: Subject, info: ModelInfo) -> list[tuple[str, str]]:
    """(id, name) of each class that it was shown."""
    return [info.classes[label] for label in subject.labels.unique()]
