"""A whole transfer experiment: what its cells need, the cells, and what came of them."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save as as_safetensors

from advprop_core.datasets.listed import ImageList
from advprop_core.errors import AdvPropError
from advprop_core.files import Keeper, write_whole
from advprop_core.models import checkpoints
from advprop_core.pictures.digests import image_digests
from advprop_core.text import join
from advprop_core.transfer.features import FeatureCache
from advprop_core.transfer.grid import Cell, Grid
from advprop_core.transfer.pools import Failure, Pool, Run, run_all
from advprop_core.transfer.sources import Source, open_source
from advprop_core.transfer.target import Drawn, open_target, require_enough
from advprop_core.transfer.training import PIXELS, Curve, Task, run_task
from advprop_core.types import Progress

FORMAT = 1
"""Raised when the form of a cell's file, or what its figures mean, changes; older files are not
found."""
Counting = Callable[[str, int], AbstractContextManager[Progress]]
"""From what is done and how much of it to a bar that (done, all) moves."""


@dataclass(frozen=True)
class Outcome:
    """What came of a grid.

    Attributes:
        grid: What was asked for.
        train: The training images of the task, of which some were drawn.
        test_images: On how many images accuracy is measured.
        sources: Those compared, by name.
        curves: Each finished cell's figures.
        failed: Each cell that failed twice.
        reused: How many cells were found finished.
        notes: What a person should know, in sentences.
    """

    grid: Grid
    train: ImageList
    test_images: int
    sources: Mapping[str, Source]
    curves: Mapping[Cell, Curve]
    failed: Mapping[Cell, Failure]
    reused: int
    notes: tuple[str, ...]


def run_grid(
    grid: Grid,
    out: Path,
    make_pool: Callable[[Run], Pool],
    *,
    opener: Callable[[str], Source] = open_source,
    counting: Counting = lambda *_: nullcontext(lambda done, total: None),
) -> Outcome:
    """Train every cell that is not finished yet.

    Args:
        grid: What is compared.
        out: Folder for features, images and finished cells, which other grids may share. Every
            machine of a cluster must see it.
        make_pool: From what runs a cell to where cells run; not called if all are finished.
        opener: From a name in ``grid.sources`` to the source.
        counting: Shows how far the work is.

    Raises:
        AdvPropError: If no cell could be trained; it gives the first one's reason.
        CannotWrite: If features or images cannot be written.
        InputError: For sources or data that cannot be used together.
    """
    train, test = open_target(grid.data)
    require_enough(train, grid.num_images)
    sources = {name: opener(name) for name in grid.sources}
    sizes = {name: grid.size or source.info.input_size for name, source in sources.items()}
    drawn = Drawn(train, test, max(grid.num_images), grid.seeds, grid.test_images)
    store, notes = CellStore(out / "cells"), list[str]()
    if len({*sizes.values()}) > 1:
        shown_at = join([f"{name} at {size}" for name, size in sizes.items()])
        notes.append(
            "the sources take images of different sizes, and each is shown them at its own: "
            f"{shown_at} pixels"
        )
    tasks: dict[Cell, Task] = {}
    deciding: dict[Cell, dict[str, Any]] = {}
    curves: dict[Cell, Curve] = {}
    for size in dict.fromkeys(sizes.values()):  # images of one size are in memory at a time
        shown = _Shown(grid, out, drawn, size, counting)
        for cell in (cell for cell in grid.cells() if sizes[cell.source] == size):
            deciding[cell] = shown.deciding(cell, sources[cell.source])
            if (curve := store.read(deciding[cell])) is not None:
                curves[cell] = curve
            else:
                tasks[cell] = shown.task(cell, sources[cell.source])
        notes += shown.notes
    reused, failed = len(curves), dict[Cell, Failure]()
    order = [cell for cell in grid.cells() if cell in tasks]
    all_cells = reused + len(order)
    with counting("cells", all_cells) as progress:

        def note_result(index: int, result: Curve | Failure) -> None:
            cell = order[index]
            if isinstance(result, Failure):
                failed[cell] = result
            else:
                curves[cell] = result
                store.write(deciding[cell], result)
            progress(len(curves) + len(failed), all_cells)

        progress(reused, all_cells)
        if order:
            with closing(make_pool(run_task)) as pool:
                run_all(pool, [tasks[cell] for cell in order], note_result)
    if not curves:
        raise AdvPropError(f"no cell could be trained: {next(iter(failed.values())).reason}")
    if store.failure:
        notes.append(f"results are complete, but not kept for a later run: {store.failure}")
    in_order = {cell: curves[cell] for cell in grid.cells() if cell in curves}
    test_images = len(drawn.test)
    return Outcome(grid, train, test_images, sources, in_order, failed, reused, tuple(notes))


class _Shown:
    """The images at one size, and files that cells share, each written once.

    Every worker finds them there.
    """

    def __init__(self, grid: Grid, out: Path, drawn: Drawn, size: int, counting: Counting) -> None:
        self._grid, self._out, self._drawn = grid, out, drawn
        self._size, self._counting = size, counting
        self._images = drawn.read(size)
        self._digests = image_digests(self._images, drawn.labels)
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._features: dict[str, tuple[Path, Sequence[int]]] = {}
        self.notes: list[str] = []

    def deciding(self, cell: Cell, source: Source) -> dict[str, Any]:
        """All that decides a cell's result, as plain values."""
        recipe = self._grid.recipe(cell, self._size).to_json()
        shown = hashlib.sha256(str(len(self._drawn.train.classes)).encode())
        for index in (*self._train(cell), *self._drawn.test_positions):
            shown.update(self._digests[index])
        left_out = ("start_from", "architecture")  # the network's digest says more
        return {
            "network": source.digest,
            "images": shown.hexdigest(),
            "recipe": {key: value for key, value in recipe.items() if key not in left_out},
            "features": self._grid.is_frozen(cell),
            **asdict(cell),
            "source": "",  # whatever it is called
        }

    def task(self, cell: Cell, source: Source) -> Task:
        """What a worker needs to train a cell."""
        train, test = self._train(cell), self._drawn.test_positions
        network: Path | None = None
        rows: Sequence[int]
        if self._grid.is_frozen(cell):
            file, rows = self._features_of(source)
        else:
            file, rows = self._write_images(), range(len(self._images))
            network = self._write_network(source)
        return Task(
            self._grid.recipe(cell, self._size),
            self._drawn.train.classes,
            file.resolve(),
            tuple(rows[index] for index in train),
            tuple(rows[index] for index in test),
            tuple(self._drawn.labels[[*train, *test]].tolist()),
            network and network.resolve(),
        )

    def _train(self, cell: Cell) -> list[int]:
        return self._drawn.positions[cell.seed][: cell.num_images]

    def _features_of(self, source: Source) -> tuple[Path, Sequence[int]]:
        """The file of a source's features, and the images' rows in it."""
        if source.name not in self._features:
            cache = FeatureCache(self._out / "features", source, self._size)
            with self._counting(f"features of {source.name}", 1) as progress:
                try:
                    rows = cache.rows(self._images, self._digests, self._device, progress)
                except torch.OutOfMemoryError:
                    if self._device.type == "cpu":
                        raise
                    self._device = torch.device("cpu")
                    self.notes.append("the GPU's memory was full, so features were made on the CPU")
                    rows = cache.rows(self._images, self._digests, self._device, progress)
            self._features[source.name] = cache.path, rows
        return self._features[source.name]

    def _write_images(self) -> Path:
        digest = hashlib.sha256(b"".join(self._digests)).hexdigest()[:16]
        path = self._out / "images" / f"{self._size}-{digest}.safetensors"
        if not path.exists():
            write_whole(path, as_safetensors({PIXELS: self._images}))
        return path

    def _write_network(self, source: Source) -> Path:
        path = self._out / "networks" / f"{source.digest[:16]}.safetensors"
        if not path.exists():
            checkpoints.save(path, source.model, source.info)
        return path


class CellStore(Keeper):
    """A folder with a file for each finished cell, found by all that decides its result.

    Files appear whole or not at all, so the process may be ended at any moment, and a later grid
    goes on where this one was.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def read(self, deciding: Mapping[str, Any]) -> Curve | None:
        """What was kept of a cell; None where nothing was, or the file cannot be read."""
        try:
            curve: Curve = json.loads(self._path(deciding).read_text("utf-8"))["result"]
        except (OSError, ValueError, KeyError, TypeError):  # then it is trained again
            return None
        return curve

    def write(self, deciding: Mapping[str, Any], curve: Curve) -> None:
        """Keep a cell, whole or not at all."""
        content = json.dumps({"deciding": deciding, "result": curve}, indent=1)
        self.keep(self._path(deciding), content)

    def _path(self, deciding: Mapping[str, Any]) -> Path:
        text = json.dumps({"format": FORMAT, **deciding}, sort_keys=True)
        return self.folder / f"{hashlib.sha256(text.encode()).hexdigest()[:32]}.json"
