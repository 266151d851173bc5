"""The work behind the Influence page: features, a fitted last layer, and influences."""

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from advprop_core.attribution.progress import split
from advprop_core.datasets.listed import ImageList
from advprop_core.datasets.named import list_images
from advprop_core.influence.features import FeatureCache
from advprop_core.influence.tracer import Tracer, last_layer_tracer
from advprop_core.models.checkpoints import Checkpoint
from advprop_core.models.class_names import find_class
from advprop_core.models.dual_bn import MAIN
from app.shell import cache
from app.shell.cache import Lens
from app.shell.jobs import Report
from app.shell.messages import tame
from app.shell.pictures import folder_source, own_folder

SUSPECTS = 24
_PARTS = 1000  # of one branch's progress: reports are whole numbers


@dataclass(frozen=True)
class Example:
    """A training image.

    Attributes:
        source: As :mod:`app.shell.pictures` names it.
        title: Its name in the data set.
        label: Name of its class there.
        score: Its influence: positive lowers the loss.
    """

    source: str
    title: str
    label: str
    score: float


@dataclass(frozen=True)
class BranchRest:
    """What a branch's prediction rests on.

    Attributes:
        model: Name of the network.
        branch: Name of the branch.
        answer: The class that the fitted layer says.
        probability: Of the answer.
        meant: The class whose loss is traced.
        helpful: Most helpful first.
        harmful: Most harmful first.
    """

    model: str
    branch: str
    answer: str
    probability: float
    meant: str
    helpful: tuple[Example, ...]
    harmful: tuple[Example, ...]


@dataclass(frozen=True)
class PictureRest:
    """What the predictions of a picture rest on.

    Attributes:
        branches: Of every network in turn.
        count: How many training images there are.
        is_known: Whether the picture's true class is one of theirs.
    """

    branches: tuple[BranchRest, ...]
    count: int
    is_known: bool


def trace_picture(
    lenses: Sequence[Lens],
    pixels: Sequence[Tensor],
    *,
    label: str | None,
    kind: str,
    limit: int,
    shown: int,
    progress: Report,
) -> PictureRest:
    """Trace one picture through every branch of the networks.

    Args:
        lenses: The networks.
        pixels: The picture at the size of each, (1, 3, S, S) in [0, 1].
        label: The picture's true class, where known.
        kind: Which training images; a key of :data:`app.influence.view.SETS`.
        limit: At most so many of them.
        shown: How many helpful and harmful ones are wanted.
        progress: Of all branches.
    """
    images = _training_images(kind, limit)
    names = [tame(name) for _, name in images.classes]
    true_class = None if label is None else find_class(images.classes, label)
    asked = [
        (lens, branch, of_size)
        for lens, of_size in zip(lenses, pixels, strict=True)
        for branch, origin in lens.info.branches.items()
        if origin != "copied"
    ]
    rests = []
    listeners = split(progress, [_PARTS] * len(asked))
    for (lens, branch, of_size), listener in zip(asked, listeners, strict=True):
        rest = _tracer(lens, branch, images, listener).trace(of_size, true_class)
        rests.append(
            BranchRest(
                lens.network.name,
                branch,
                names[rest.answer],
                rest.probability,
                names[rest.class_index],
                _examples(images, rest.helpful(shown)),
                _examples(images, rest.harmful(shown)),
            )
        )
    return PictureRest(tuple(rests), len(images), true_class is not None)


def no_training_images(*, progress: Report) -> PictureRest:
    """Of a network whose training images are not here."""
    return PictureRest((), 0, False)


def find_suspects(lens: Lens, *, kind: str, limit: int, progress: Report) -> tuple[Example, ...]:
    """The training images with the largest influence on themselves in main, largest first."""
    images = _training_images(kind, limit)
    return _examples(images, _tracer(lens, MAIN, images, progress).suspects(SUSPECTS))


def _training_images(kind: str, limit: int) -> ImageList:
    """Their list; an InputError where they cannot be used."""
    return list_images("shapes" if kind == "scenes" else str(own_folder()), limit=limit)


def _tracer(lens: Lens, branch: str, images: ImageList, progress: Report) -> Tracer:
    """A branch with its training images; the last few are kept in memory."""
    key = (lens.network, branch, images.digest)
    tracer: Tracer | None = cache.tracers().get(key)
    if tracer is None:
        checkpoint = Checkpoint(lens.model, lens.info)
        tracer = last_layer_tracer(checkpoint, branch, images, FeatureCache(), progress)
        cache.tracers().put(key, tracer)
    return tracer


def _examples(images: ImageList, pairs: Sequence[tuple[int, float]]) -> tuple[Example, ...]:
    folder = own_folder()
    return tuple(
        Example(
            folder_source(images.files[place], folder)
            if images.files and folder is not None
            else f"training:{place}",
            tame(images.title(place)),
            tame(images.classes[int(images.labels[place])][1]),
            score,
        )
        for place, score in pairs
    )
