"""A run of the Robustness page, done by a worker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from torch import Tensor

from advprop_core.attacks.autoattack.config import require_classes
from advprop_core.datasets.folders import Unreadable
from advprop_core.datasets.named import load_images
from advprop_core.evaluation.answers import answer
from advprop_core.evaluation.cells import PHOTO_SIZE, Cell, Subject, cells_of
from advprop_core.evaluation.conditions import EACH, Condition, takes_restarts
from advprop_core.evaluation.masking import controls, suspicions
from advprop_core.evaluation.notes import left_out, of_small_photos, of_unlike_images
from advprop_core.evaluation.results import Answers
from advprop_core.evaluation.results_file import (
    content_of,
    corruption_errors,
    findings,
    shape_biases,
)
from advprop_core.evaluation.shape_bias import ShapeBias
from advprop_core.evaluation.smallest_epsilon import SmallestEpsilon, measure_smallest
from advprop_core.evaluation.store import CellStore
from advprop_core.models.checkpoints import Checkpoint, load
from advprop_core.models.digest import model_digest
from advprop_core.types import AttackConfig, ModelInfo
from app.robustness import cell_cache
from app.robustness.measurement import AUTOATTACK, FOLDER, SEED, RunRequest, command
from app.shell.jobs import Job
from app.shell.messages import tamed
from app.shell.pictures import DRAWN, folder_source, own_folder

Classes = tuple[tuple[str, str], ...]


@dataclass(frozen=True, eq=False)
class Album:
    """Images of one size with their labels, and what the app calls each of them.

    Attributes:
        pixels: (N, 3, S, S) uint8.
        labels: (N,) int64.
        sources: Each image's name, as :mod:`app.shell.pictures` reads it.
        unreadable: Files that were left out.
        ignored: Class folders that the network does not know.
        enlarged: How many photos are smaller than their size here.
        textures: (N,) class of each texture, of drawn scenes.
        among: The classes that may be answered, where their set restricts them.
        notes: What is to be said of how they were read.
    """

    pixels: Tensor
    labels: Tensor
    sources: tuple[str, ...]
    unreadable: tuple[Unreadable, ...] = ()
    ignored: tuple[str, ...] = ()
    enlarged: int = 0
    textures: Tensor | None = None
    among: tuple[int, ...] | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a run found.

    Attributes:
        content: As ``results.json`` has it.
        conditions: Clean, attacks, corruptions: as they were asked for, without the checks of
            gradients.
        cells: Answers image by image.
        labels: Model to the true class of each image.
        sources: Model to what the app calls each image.
        infos: Of the networks, by name.
        found_before: Of how many figures earlier runs had measured all images, and of how many
            some; None where nothing can be kept.
    """

    content: dict[str, Any]
    conditions: tuple[Condition, ...]
    cells: Mapping[Cell, Answers]
    labels: Mapping[str, Tensor]
    sources: Mapping[str, tuple[str, ...]]
    infos: Mapping[str, ModelInfo]
    found_before: tuple[int, int] | None

    def answers(self, model: str, condition: Condition) -> dict[str, Answers]:
        """Branch to its answers, each branch attacked through itself."""
        own = [cell for cell in self.cells if cell.model == model]
        names = dict.fromkeys(cell.branch for cell in own)
        return {
            branch: next(
                self.cells[cell]
                for cell in own
                if cell.branch == branch
                and cell.condition.attack_branch in (None, branch)
                and replace(cell.condition, attack_branch=None) == condition
            )
            for branch in names
        }


def measure(request: RunRequest, files: Mapping[str, Path], job: Job) -> Outcome:
    """Do the work, reporting to the job; what is finished is kept at once.

    Args:
        request: What is to be measured.
        files: Name to checkpoint file.
        job: Asked between batches whether to go on.

    Raises:
        ValueError: If a file cannot be used, or the images do not fit the networks.
    """
    opened = {name: load(files[name]).without_copies() for name in request.models}
    job.report(0.0)
    albums = _albums(request, opened)
    photos = _photos(request, opened)
    subjects = [
        Subject(
            name,
            one.model,
            albums[name].pixels,
            albums[name].labels,
            one.model.branch_names,
            photos[one.info.classes].pixels if photos else None,
            albums[name].textures,
            among=albums[name].among,
        )
        for name, one in opened.items()
    ]
    source = EACH if request.through_each else None
    shown = (
        Condition(),
        *(
            Condition(config, source, restarts=request.restarts if takes_restarts(config) else 1)
            for config in request.attacks
        ),
        *(Condition(corruption=config) for config in request.corruptions),
        *(Condition(probe=config) for config in request.probes),
    )
    checks = controls(request.attacks, SEED) if request.sanity else []
    conditions = tuple(dict.fromkeys([*shown, *map(Condition, checks)]))
    digests = {name: model_digest(one.model, one.info) for name, one in opened.items()}
    place = cell_cache.made()
    if AUTOATTACK in request.kinds:
        for one in opened.values():
            require_classes(one.info.num_classes, one.info.name)
    store = None if place is None else CellStore(place, digests)
    share = 0.5 if request.search else 1.0  # of the work, very roughly
    answered = answer(
        subjects,
        conditions,
        store=store,
        progress=lambda done, total: job.report(share * done / total),
    )
    found_before = None if store is None else (store.reused, store.extended)
    cells = {cell: answered[cell] for subject in subjects for cell in cells_of(subject, conditions)}
    radii = _radii(request.search, subjects, store, job) if request.search else ()
    return Outcome(
        _content(
            request,
            files,
            cells,
            digests,
            shape_biases(cells, subjects),
            radii,
            _notes(subjects, albums, photos, opened),
        ),
        tuple(replace(one, attack_branch=None) for one in shown),
        cells,
        {name: album.labels for name, album in albums.items()},
        {name: album.sources for name, album in albums.items()},
        {name: tamed(one.info) for name, one in opened.items()},
        found_before,
    )


def _content(
    request: RunRequest,
    files: Mapping[str, Path],
    cells: Mapping[Cell, Answers],
    digests: Mapping[str, str],
    biases: Mapping[tuple[str, str], ShapeBias],
    radii: Sequence[SmallestEpsilon],
    notes: Sequence[str],
) -> dict[str, Any]:
    folder = own_folder()
    named = folder.name if request.data == FOLDER and folder is not None else request.data
    return content_of(
        findings(cells, SEED),
        corruption_errors(cells, SEED),
        data=named,
        seed=SEED,
        models=digests,
        command=command(request, files),
        warnings=suspicions(cells),
        biases=biases,
        radii=radii,
        notes=notes,
    )


def _notes(
    subjects: Sequence[Subject],
    albums: Mapping[str, Album],
    photos: Mapping[Classes, Album],
    opened: Mapping[str, Checkpoint],
) -> list[str]:
    notes = [note for one in albums.values() for note in one.notes]
    for name, one in albums.items():
        notes += left_out(name, one.unreadable, one.ignored)
    for shown, corrupted in ((albums, False), (photos, True)):
        for one in shown.values():
            count, size = len(one.labels), one.pixels.shape[-1]
            notes += of_small_photos(one.enlarged, count, size, corrupted=corrupted)
    notes += of_unlike_images(subjects, {name: one.info for name, one in opened.items()})
    return list(dict.fromkeys(notes))


def _radii(
    search: AttackConfig, subjects: Sequence[Subject], store: CellStore | None, job: Job
) -> list[SmallestEpsilon]:
    """Of every branch, in the second half of the work."""
    found: list[SmallestEpsilon] = []
    for number, one in enumerate(subjects):

        def progress(done: int, total: int, number: int = number) -> None:
            job.report(0.5 + 0.5 * (number + done / total) / len(subjects))

        found += measure_smallest(one, search, store=store, progress=progress)
    return found


def _albums(request: RunRequest, opened: Mapping[str, Checkpoint]) -> dict[str, Album]:
    """Model to its images, which networks of one size and with the same classes share."""
    wanted = {name: (one.info.input_size, one.info.classes) for name, one in opened.items()}
    infos = {wanted[name]: one.info for name, one in opened.items()}
    made = {key: _album(request, info, key[0]) for key, info in infos.items()}
    return {name: made[key] for name, key in wanted.items()}


def _photos(request: RunRequest, opened: Mapping[str, Checkpoint]) -> dict[Classes, Album]:
    """The images at the size of corruptions, once for networks with the same classes."""
    if not request.corruptions:
        return {}
    infos = {one.info.classes: one.info for one in opened.values()}
    return {classes: _album(request, info, PHOTO_SIZE) for classes, info in infos.items()}


def _album(request: RunRequest, info: ModelInfo, size: int) -> Album:
    made = _folder_album(request, info, size) if request.data == FOLDER else _drawn(request, size)
    if len(seen := made.labels.unique()) < 2:
        raise ValueError(
            f"The images are of one class only, {info.class_names[int(seen[0])]}: a network that "
            "always answers it would be right. Take more images, or a folder of several classes."
        )
    return made


def _drawn(request: RunRequest, size: int) -> Album:
    images = load_images(request.data, size, limit=request.images)
    kind = next(kind for kind, name in DRAWN.items() if name == request.data)
    sources = tuple(f"{kind}:{index}" for index in range(len(images.labels)))
    return Album(images.pixels, images.labels, sources, textures=images.textures)


def _folder_album(request: RunRequest, info: ModelInfo, size: int) -> Album:
    root = own_folder()
    if root is None:
        raise ValueError("There is no folder of photos: start the app with --images FOLDER.")
    images = load_images(str(root), size, classes=info.classes, limit=request.images)
    return Album(
        images.pixels,
        images.labels,
        tuple(folder_source(file, root) for file in images.files),
        images.unreadable,
        images.ignored_classes,
        images.enlarged,
        among=images.among,
        notes=images.notes,
    )
