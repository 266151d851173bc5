"""A run of the Robustness page, done by a worker."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path
from torch import Tensor

from advprop_core.datasets.listed import Images
from advprop_core.evaluation.cells import Cell
from advprop_core.evaluation.conditions import EACH, Condition
from advprop_core.evaluation.data import DataRequest, open_images
from advprop_core.evaluation.masking import controls
from advprop_core.evaluation.results import Answers
from advprop_core.evaluation.store import FORMAT, CellStore
from advprop_core.evaluation.suite import Suite, attack_conditions, evaluate
from advprop_core.evaluation.summary import summarise
from advprop_core.models.bundle import open_file
from advprop_core.types import ModelInfo
from app.robustness.measurement import (
    FOLDER,
    SEED,
    RunRequest,
    command,
    data_name,
    folder_of,
)
from app.shell.cache import model_settings
from app.shell.jobs import Report
from app.shell.messages import tamed
from app.shell.pictures import DRAWN, folder_source, set_source

MOST_FILES = 4000
"""The oldest go first. A file holds a figure's answers to some images, 30 bytes for each."""


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a run found; without the images, for it stays in a session.

    Attributes:
        content: As ``results.json`` has it.
        conditions: Clean, attacks, corruptions: as they were asked for, without the checks of
            gradients.
        cells: Answers image by image.
        labels: Model to the true class of each image.
        sources: Model to what the app calls each image.
        infos: Of the networks, by name.
        figures: How many there are, smallest radii included.
        found_before: Of how many figures earlier runs had measured all images, and of how many
            some; None where nothing can be kept.
    """

    content: dict[str, Any]
    conditions: tuple[Condition, ...]
    cells: Mapping[Cell, Answers]
    labels: Mapping[str, Tensor]
    sources: Mapping[str, tuple[str, ...]]
    infos: Mapping[str, ModelInfo]
    figures: int
    found_before: tuple[int, int] | None

    def answers(self, model: str, condition: Condition) -> dict[str, Answers]:
        """Branch to its answers, each branch attacked through itself."""
        return {
            cell.branch: answers
            for cell, answers in self.cells.items()
            if cell.model == model
            and cell.condition.attack_branch in (None, cell.branch)
            and replace(cell.condition, attack_branch=None) == condition
        }


def measure(request: RunRequest, files: Mapping[str, Path], progress: Report) -> Outcome:
    """Measure; what is finished is kept at once. ``files`` is name to checkpoint file.

    Raises:
        InputError: If a file cannot be used, or the images do not fit the networks.
    """
    settings = model_settings()
    opened = {name: open_file(files[name], settings).without_copies() for name in request.models}
    progress(0.0)
    folder = folder_of(request)
    data = DataRequest(request.data if folder is None else str(folder), limit=request.images)
    tested = open_images(data, opened, with_photos=bool(request.corruptions))
    source = EACH if request.through_each else None
    shown = (
        Condition(),
        *attack_conditions(request.attacks, source, restarts=request.restarts),
        *(Condition(corruption=config) for config in request.corruptions),
        *(Condition(probe=config) for config in request.probes),
    )
    checks = map(Condition, controls(request.attacks, SEED)) if request.sanity else ()
    suite = Suite(
        tested.models,
        tuple(dict.fromkeys([*shown, *checks])),
        request.search,
        data_name(request),
        SEED,
        tested.notes,
    )
    cells = cell_folder()
    store = None if cells is None else CellStore(cells, suite.digests)
    evaluation = evaluate(suite, store=store, progress=progress)
    if store is not None and store.failure is not None:
        # Without the path, which visitors do not need to know.
        note = (
            f"results are complete, but this server could not keep them ({store.failure.strerror})"
            ": they are measured again next time"
        )
        evaluation = replace(evaluation, suite=replace(suite, notes=(*suite.notes, note)))
    return Outcome(
        summarise(evaluation, command(request, files)),
        tuple(replace(condition, attack_branch=None) for condition in shown),
        evaluation.cells,
        {model.name: model.labels for model in tested.models},
        {name: _sources(request, images) for name, images in (tested.images or {}).items()},
        {name: tamed(checkpoint.info) for name, checkpoint in opened.items()},
        len(evaluation.cells) + len(evaluation.radii),
        None if store is None else (store.reused, store.extended),
    )


def _sources(request: RunRequest, images: Images) -> tuple[str, ...]:
    """What :mod:`app.shell.pictures` calls each image."""
    folder = folder_of(request)
    if folder is None:
        kind = next(kind for kind, name in DRAWN.items() if name == request.data)
        return tuple(f"{kind}:{index}" for index in range(len(images.labels)))
    if request.data == FOLDER:
        return tuple(folder_source(file, folder) for file in images.files)
    return tuple(set_source(file, folder, request.data) for file in images.files)


# -- where finished figures are kept between runs: one folder of the person's own cache ------------


def cell_folder() -> Path | None:
    """The folder, made if need be and not fuller than it should be; None where it cannot be."""
    try:
        # A later version that counts otherwise finds a folder of its own, and is not stopped by
        # this one.
        cells = user_cache_path("advprop-lens", appauthor=False) / f"cells-{FORMAT}"
        cells.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):  # no home, or a read-only one: the page says it keeps nothing
        return None
    if not os.access(cells, os.W_OK):
        return None
    forget_oldest(cells)
    return cells


def forget_oldest(cells: Path, most: int = MOST_FILES) -> None:
    """Keep the folder bounded: the files that were written first go first."""

    def written(path: Path) -> float:
        try:
            return path.stat().st_mtime
        except FileNotFoundError:  # another worker has forgotten it just now
            return 0.0

    cell_files = (path for path in cells.iterdir() if path.suffix in (".safetensors", ".tmp"))
    files = sorted(cell_files, key=written)
    for path in files[: max(0, len(files) - most)]:
        path.unlink(missing_ok=True)
