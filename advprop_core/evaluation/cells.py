"""What is measured: a cell is one figure of the table, a model's branch under a condition."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from torch import Tensor

from advprop_core.datasets.cifar import CorruptedArrays
from advprop_core.datasets.imagenet_c import CorruptedPhotos
from advprop_core.errors import InputError
from advprop_core.evaluation.conditions import EACH, Condition
from advprop_core.evaluation.results import NOT_SHOWN, Answers
from advprop_core.models.dual_bn import DualBNModel
from advprop_core.types import AttackConfig, ModelInfo

PHOTO_SIZE = 224
"""Pixels per side for which the published severities of corruptions hold."""

Stored = CorruptedArrays | CorruptedPhotos
"""The same images under every corruption of a published set, read from files."""


@dataclass(frozen=True, eq=False)
class TestedModel:
    """A model and the images it is tested on.

    Attributes:
        name: Of the model; models that are measured together have different ones.
        model: Frozen.
        images: (N, 3, S, S) uint8 at the network's own size; (0, 3, S, S) where there are only
            stored corruptions of them.
        labels: (N,) int64.
        branches: Who predicts; every branch where none is named.
        photos: (N, 3, 224, 224) uint8, the same images before they were made as small as the
            network's input; corruptions are made on these. Models that hold the same tensor
            share its corrupted pixels.
        textures: (N,) int64, where images are scenes of TextureShapes: the class whose texture
            each object has.
        stored: The same images under a published set's corruptions. Models that hold the same
            one share what is read.
        among: The classes the model may answer with, ascending; any where None.
        info: What its file says of it, for its digest and its classes; not needed to measure.

    Raises:
        ValueError: If a branch does not exist, or the lengths differ.
    """

    name: str
    model: DualBNModel
    images: Tensor
    labels: Tensor
    branches: tuple[str, ...] = ()
    photos: Tensor | None = None
    textures: Tensor | None = None
    stored: Stored | None = None
    among: tuple[int, ...] | None = None
    info: ModelInfo | None = None

    __test__ = False  # no class of tests, whatever pytest makes of its name

    def __post_init__(self) -> None:
        if not self.branches:
            object.__setattr__(self, "branches", self.model.branch_names)
        for branch in self.branches:
            self.model.branch(branch)
        images = len(self.images) or (len(self.labels) if self.stored else 0)
        photos = len(self.labels) if self.photos is None else len(self.photos)
        if not images == len(self.labels) == photos:
            raise ValueError(
                "images, labels and photos must be equally many, got "
                f"{len(self.images)}, {len(self.labels)} and {photos}"
            )

    @property
    def size(self) -> int:
        """Side of the network's input in pixels."""
        return self.images.shape[-1]

    def source(self, condition: Condition) -> Tensor | Stored:
        """What the pixels of a condition are made from.

        Raises:
            ValueError: If it was not given.
        """
        if condition.stored:
            if self.stored is None:
                raise ValueError("stored corruptions are read from files: pass stored")
            return self.stored
        if not len(self.images):
            raise ValueError("there are only stored corruptions: pass images too")
        if condition.corruption is None:
            return self.images
        if self.photos is None:
            raise ValueError("corruptions are made on photos of 224 pixels: pass photos")
        return self.photos


@dataclass(frozen=True)
class Cell:
    """One figure of the table: a model's branch under a condition, with its attack branch.

    With ``smallest``, an attack at its largest radius, the figure is of smallest radii instead.
    """

    model: str
    branch: str
    condition: Condition
    smallest: AttackConfig | None = None


def cells_of(model: TestedModel, conditions: Sequence[Condition]) -> tuple[Cell, ...]:
    """The cells of a model, condition by condition, then branch by branch.

    Each condition has its attack branch: the one that is evaluated, unless others are named.
    """
    cells = []
    for condition in conditions:
        for branch in model.branches:
            sources: tuple[str | None, ...] = (condition.attack_branch or branch,)
            if condition.attack is None:
                sources = (None,)
            elif condition.attack_branch == EACH:
                sources = model.model.branch_names
            cells += [
                Cell(model.name, branch, replace(condition, attack_branch=source))
                for source in sources
            ]
    return tuple(cells)


def only_shown(cells: Mapping[Cell, Answers]) -> dict[Cell, Answers]:
    """Leave out, for each model, the images that could not be shown under some condition.

    All figures of a model are so over the same images, and its intervals can be drawn over these.

    Raises:
        InputError: If no image is left of a model.
    """
    shown: dict[str, Tensor] = {}
    for cell, answers in cells.items():
        # So an image that one condition lacks is left out of all, or differences would mislead.
        readable = answers.predicted != NOT_SHOWN
        shown[cell.model] = shown.get(cell.model, readable) & readable
    for model, readable in shown.items():
        if not readable.any():
            raise InputError(f"{model}: no image can be read under every condition")
    return {cell: answers.rows(shown[cell.model]) for cell, answers in cells.items()}
