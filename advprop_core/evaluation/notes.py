"""What a person should know of the images before they trust a figure, in sentences."""

from collections.abc import Sequence

from advprop_core.datasets.listed import Unreadable
from advprop_core.evaluation.cells import TestedModel
from advprop_core.models.class_names import are_the_same
from advprop_core.text import listing


def of_small_photos(count: int, total: int, size: int, *, corrupted: bool) -> list[str]:
    """That ``count`` of ``total`` photos were enlarged to ``size`` pixels a side, if any were."""
    if not count:
        return []
    what = "enlarged"
    if corrupted:
        what = "enlarged before they were corrupted: ImageNet-C's severities are for larger ones"
    return [f"{count} of {total} photos are smaller than {size} pixels and were {what}"]


def left_out(name: str, unreadable: Sequence[Unreadable], ignored: Sequence[str]) -> list[str]:
    """What a model is not tested on, if anything: files, and classes that it does not know."""
    parts = []
    if unreadable:
        first, count = unreadable[0], len(unreadable)
        files = "1 file" if count == 1 else f"{count} files"
        parts.append(f"{files} that cannot be read, such as {first.path.name}")
    if ignored:
        parts.append(f"classes that it does not know: {listing(ignored)}")
    return [f"{name} was not tested on {'; '.join(parts)}"] if parts else []


def of_unlike_images(models: Sequence[TestedModel]) -> list[str]:
    """That models which know different classes were tested on different images, if so.

    Two classes are one if they share an id or a name, as a class folder can be either.
    """
    shown = []
    for model in models:
        assert model.info is not None
        shown.append([model.info.classes[label] for label in model.labels.unique()])
    first, *others = shown
    if all(are_the_same(first, other) for other in others):
        return []
    counts = ", ".join(f"{model.name}: {len(model.labels)}" for model in models)
    return [
        f"the models know different classes and were tested on different images ({counts}), so "
        "their figures cannot be compared"
    ]
