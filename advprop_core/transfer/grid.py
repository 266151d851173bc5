"""What a transfer experiment compares: sources, numbers of images, blocks that are trained, seeds.

The defaults are those of Utrera et al. (arXiv 2007.05869).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from itertools import product
from pathlib import Path
from typing import Annotated, Any

from annotated_types import Ge, Le, MinLen

from advprop_core.errors import Checked, Count, InputError, about
from advprop_core.text import join, trained_blocks
from advprop_core.training.recipe import Recipe
from advprop_core.training.recipe_files import (
    make_recipe,
    merge,
    read_recipe,
    read_toml,
    refuse_unknown_keys,
)

HEAD, ALL = "0", "all"
"""Values of ``trainable``: the new head alone, and the whole network."""
_TRAINABLE = re.compile(r"all|0|[1-9]\d*")
_TRAINING = (
    "epochs", "batch_size", "optimizer", "optimizer_eps", "learning_rate", "momentum",
    "weight_decay", "schedule", "warmup_epochs", "decay_epochs", "decay_rate", "label_smoothing",
    "unfreeze_patience", "precision", "compile", "augmentation",
)  # fmt: skip
"""Keys of a training recipe that a grid may set; the rest follow from its cells."""


def _default_values() -> dict[str, Any]:
    """Those of the shipped recipe ``transfer``."""
    return {**read_recipe("transfer"), "start_from": "the source of a cell"}


@dataclass(frozen=True)
class Cell:
    """One network that is trained.

    Attributes:
        source: Network and branch, as they were given.
        trainable: How many blocks from the end are trained beside the new head: ``0``, ``3``,
            ``all`` …
        num_images: How many training images it is shown.
        seed: Which images these are, of the head, of their order and augmentation.
    """

    source: str
    trainable: str
    num_images: int
    seed: int

    @property
    def name(self) -> str:
        """What people read: ``imagenet-lite0:aux, 3 blocks, 400 images, seed 1``."""
        return (
            f"{self.source}, {trained_blocks(self.trainable)}, {self.num_images} images, seed "
            f"{self.seed}"
        )


@dataclass(frozen=True)
class Grid(Checked):
    """Every source with every number of images, of trained blocks, and every seed."""

    sources: Annotated[tuple[str, ...], MinLen(1)]
    """Networks that are compared, the first of them with each other: a bundled name, a file or a
    timm name, with :BRANCH behind it for another branch than main."""
    data: str
    """The new task: a folder with train/ and val/ or test/, or a published set as KIND:DIR."""
    num_images: Annotated[tuple[Annotated[int, Ge(2), Le(100_000_000)], ...], MinLen(1)] = (
        100, 200, 400, 800, 1600,
    )  # fmt: skip
    """Numbers of training images, drawn evenly over the classes; smaller sets are parts of larger
    ones."""
    trainable: Annotated[tuple[str, ...], MinLen(1)] = (HEAD,)
    """How many blocks from the end are trained beside the new head: numbers, or all."""
    seeds: Annotated[int, Ge(1), Le(10_000)] = 5
    """How many times all is done, each with other images."""
    size: Annotated[int, Ge(32), Le(4096)] | None = None
    """Side of the images in pixels; by default each source's own."""
    test_images: Count = 2000
    """Accuracy is measured on at most so many test images, drawn evenly over the classes."""
    training: Recipe = field(default_factory=lambda: make_recipe(_default_values()))
    """How each network is trained."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("sources", "num_images", "trainable"):
            values = getattr(self, name)
            if twice := [value for value in values if values.count(value) > 1]:
                raise InputError(f"{name} names {twice[0]} twice")
        for trainable in self.trainable:
            if not _TRAINABLE.fullmatch(trainable):
                raise InputError(
                    f"trainable must be a number of blocks or {ALL}, got {trainable!r}"
                )
            self._recipe_trainable(trainable)

    def cells(self) -> Iterator[Cell]:
        """Every cell, seed by seed, so that a part of the grid already compares all sources."""
        axes = range(self.seeds), self.trainable, self.num_images, self.sources
        for seed, trainable, num_images, source in product(*axes):
            yield Cell(source, trainable, num_images, seed)

    def is_frozen(self, cell: Cell) -> bool:
        """Whether the head alone is trained, so that images have features once and for all."""
        return cell.trainable == HEAD and not self.training.unfreeze_patience

    def recipe(self, cell: Cell, size: int) -> Recipe:
        """How one network is trained, at this size of images.

        A batch is at most as large as the recipe's; an epoch deals all images out to equal ones.
        """
        steps = -(-cell.num_images // self.training.batch_size)
        return replace(
            self._recipe_trainable(cell.trainable),
            seed=cell.seed,
            size=size,
            batch_size=cell.num_images // steps,
        )

    def _recipe_trainable(self, trainable: str) -> Recipe:
        """An InputError where the recipe's patience has nothing to unfreeze."""
        named = {HEAD: "head", ALL: "all"}.get(trainable, f"blocks:{trainable}")
        return replace(self.training, trainable=named)


def make_grid(values: Mapping[str, Any]) -> Grid:
    """A grid from plain values, such as a TOML file's.

    The table ``training`` holds keys of a training recipe, on top of the recipe ``transfer``. Where
    it gives epochs alone, the learning rate still drops after each third of them.

    Raises:
        InputError: For an unknown key, or a value of the wrong kind or out of its range.
    """
    grid_values = dict(values)
    refuse_unknown_keys("A grid", grid_values, [entry.name for entry in fields(Grid)])
    training = grid_values.get("training", {})
    if not isinstance(training, Mapping):
        raise InputError(f"training must be a table of a recipe's keys, got {training!r}")
    refuse_unknown_keys("A grid", training, _TRAINING, prefix="training.")
    base = _default_values()
    if isinstance(epochs := training.get("epochs"), int):
        base["decay_epochs"] = epochs / 3
    with about("training"):
        grid_values["training"] = make_recipe(merge(base, training))
    if isinstance(trainable := grid_values.get("trainable"), list | tuple):
        grid_values["trainable"] = tuple(map(str, trainable))  # a number of blocks may be a number
    if lacking := [name for name in ("sources", "data") if name not in grid_values]:
        raise InputError(f"a transfer experiment needs {join(lacking)}")
    return Grid(**grid_values)


def read_grid(path: Path) -> dict[str, Any]:
    """The values of a grid in a TOML file, for :func:`make_grid`.

    Raises:
        InputError: If there is no such file, or it is not TOML.
    """
    if not path.is_file():
        raise InputError(f"there is no grid {path}: give a TOML file")
    return read_toml(path, f"the grid {path}")
