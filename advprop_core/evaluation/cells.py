"""Measures cells, a cell being a model's branch under a condition, and shares what they share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from advprop_core.attacks import attack
from advprop_core.autoattack import AutoAttackConfig
from advprop_core.autoattack.run import auto_attack
from advprop_core.corruptions import corrupt
from advprop_core.dual_bn import DualBNModel
from advprop_core.evaluation.conditions import Condition
from advprop_core.evaluation.digests import image_seeds
from advprop_core.evaluation.restricted import Restricted, in_full, places
from advprop_core.evaluation.results import Answers
from advprop_core.evaluation.stored import Stored, marked
from advprop_core.folding import fold
from advprop_core.probes import probe, require_room

Progress = Callable[[int, int], None]

BATCH_SIZE = 64
PHOTO_SIZE = 224
"""Pixels per side for which the published severities of corruptions hold."""


@dataclass(frozen=True, eq=False)
class Subject:
    """A model and the images it is asked about.

    Attributes:
        name: Of the model; subjects that are measured together have different ones.
        model: Frozen.
        images: (N, 3, S, S) uint8 at the network's own size; (0, 3, S, S) where there are only
            stored corruptions of them.
        labels: (N,) int64.
        branches: Who predicts.
        photos: (N, 3, 224, 224) uint8, the same images before they were made as small as the
            network's input; corruptions are made on these. Subjects that hold the same tensor
            share its corrupted pixels.
        textures: (N,) int64, where images are scenes of TextureShapes: the class whose texture
            each object has.
        stored: The same images under a published set's corruptions. Subjects that hold the same
            one share what is read.
        among: The classes the model may answer with, ascending; any where None.

    Raises:
        ValueError: If there is no image, a branch does not exist, or the lengths differ.
    """

    name: str
    model: DualBNModel
    images: Tensor
    labels: Tensor
    branches: tuple[str, ...]
    photos: Tensor | None = None
    textures: Tensor | None = None
    stored: Stored | None = None
    among: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        if not len(self.labels):
            raise ValueError("images must not be empty")
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


@dataclass(frozen=True)
class Cell:
    """One figure of the table: a model's branch under a condition.

    Attributes:
        model: Name of the subject.
        branch: Who predicts.
        condition: What it is shown; the attack branch is filled in.
    """

    model: str
    branch: str
    condition: Condition


class Store(Protocol):
    """Where finished cells are kept."""

    def read(self, subject: Subject, cell: Cell, batch_size: int) -> Answers | None:
        """What was kept of a cell, or None."""
        ...

    def write(self, subject: Subject, cell: Cell, batch_size: int, answers: Answers) -> None:
        """Keep a finished cell, whole or not at all."""
        ...


def cells_of(subject: Subject, conditions: Sequence[Condition]) -> tuple[Cell, ...]:
    """The cells of a subject, condition by condition, then branch by branch."""
    return tuple(
        Cell(subject.name, branch, _through(condition, branch))
        for condition in conditions
        for branch in subject.branches
    )


def answer(
    subjects: Sequence[Subject],
    conditions: Sequence[Condition],
    *,
    batch_size: int = BATCH_SIZE,
    store: Store | None = None,
    progress: Progress | None = None,
) -> dict[Cell, Answers]:
    """What every branch of every subject answers under every condition.

    Cells that are shown the same pixels are measured together: an attack is made once for all
    branches that are asked about it, a corruption once for all models with the same photos, and a
    probe once for all models with the same images.

    Args:
        subjects: With different names.
        conditions: Clean, attacks, corruptions, probes.
        batch_size: Images at a time. The random starts of an attack depend on it.
        store: Cells found there are not measured again; measured ones are kept there as soon as
            their images are through.
        progress: Called with (done, all), which count an image once for every group of cells
            that share its pixels.

    Raises:
        ValueError: If an attack branch does not exist, logits are not finite, a corruption comes
            without photos, or a probe has more patches than an image has pixels.
    """
    cells = dict.fromkeys(cell for one in subjects for cell in cells_of(one, conditions))
    groups = _groups(subjects, cells)
    total = sum(len(group.subjects[0].labels) for group in groups)
    shared, found, done = _Shared(), dict[Cell, Answers](), 0
    for group in groups:
        missing = []
        for cell in group.cells:
            subject = group.subject(cell)
            if store and (kept := store.read(subject, cell, batch_size)) is not None:
                found[cell] = kept
            else:
                missing.append(cell)
        if missing:
            left = replace(group, cells=tuple(missing))
            parts: dict[Cell, list[Answers]] = {cell: [] for cell in missing}
            for count, answers in _by_batch(left, shared, batch_size):
                for cell, part in answers.items():
                    parts[cell].append(part)
                if progress:
                    progress(done + count, total)
            for cell, several in parts.items():
                found[cell] = Answers.join(several)
                if store:
                    store.write(group.subject(cell), cell, batch_size, found[cell])
        elif progress:
            progress(done + len(group.subjects[0].labels), total)
        done += len(group.subjects[0].labels)
    return found


@dataclass(frozen=True, eq=False)
class _Group:
    """Cells that are shown the same pixels, but for their size."""

    condition: Condition
    subjects: tuple[Subject, ...]
    cells: tuple[Cell, ...]

    def subject(self, cell: Cell) -> Subject:
        return next(one for one in self.subjects if one.name == cell.model)


class _Shared:
    """What several groups need, made when it is first needed."""

    def __init__(self) -> None:
        self._folded: dict[tuple[str, str], nn.Module] = {}
        self._seeds: dict[tuple[int, int], list[int]] = {}

    def seeds(self, photos: Tensor, seed: int) -> list[int]:
        key = (id(photos), seed)  # subjects keep their photos as long as this lives
        if key not in self._seeds:
            self._seeds[key] = image_seeds(photos, seed)
        return self._seeds[key]

    def network(self, subject: Subject, branch: str) -> nn.Module:
        key = (subject.name, branch)
        if key not in self._folded:
            example = torch.zeros((1, 3, subject.size, subject.size))
            folded = fold(subject.model.branch(branch), example)
            self._folded[key] = Restricted(folded, subject.among) if subject.among else folded
        return self._folded[key]


def _through(condition: Condition, branch: str) -> Condition:
    """The condition with its attack branch: the one that is evaluated, unless one is named."""
    own = (condition.attack_branch or branch) if condition.attack else None
    return replace(condition, attack_branch=own)


def _groups(subjects: Sequence[Subject], cells: Iterator[Cell] | dict[Cell, None]) -> list[_Group]:
    by_name = {one.name: one for one in subjects}
    if len(by_name) != len(subjects):
        raise ValueError(f"subjects must have different names, got {[s.name for s in subjects]}")
    sorted_out: dict[tuple[str | int, Condition], list[Cell]] = {}
    for cell in cells:
        subject, condition = by_name[cell.model], cell.condition
        if condition.attack_branch is not None:
            subject.model.branch(condition.attack_branch)  # refused now, not after half the work
        pixels: str | int = subject.name
        if condition.stored:
            if subject.stored is None:
                raise ValueError("stored corruptions are read from files: pass stored")
            pixels = id(subject.stored)
        elif not len(subject.images):
            raise ValueError("there are only stored corruptions: pass images too")
        elif condition.corruption is not None:
            if subject.photos is None:
                raise ValueError("corruptions are made on photos of 224 pixels: pass photos")
            pixels = id(subject.photos)
        if condition.probe is not None:
            require_room(condition.probe, subject.size)
            pixels = id(subject.images)
        sorted_out.setdefault((pixels, condition), []).append(cell)
    return [
        _Group(condition, tuple({c.model: by_name[c.model] for c in several}.values()), (*several,))
        for (_, condition), several in sorted_out.items()
    ]


def _by_batch(
    group: _Group, shared: _Shared, batch_size: int
) -> Iterator[tuple[int, dict[Cell, Answers]]]:
    """Number of images so far, and what each cell's branch says of the last ones."""
    count = len(group.subjects[0].labels)
    for start in range(0, count, batch_size):
        rows = slice(start, min(start + batch_size, count))
        readable: Tensor | None = None
        if group.condition.stored:
            pixels, readable = _read(group, rows)
        else:
            pixels = _shown(group, shared, rows)
        answers = {}
        for cell in group.cells:
            subject = group.subject(cell)
            with torch.no_grad():
                logits = shared.network(subject, cell.branch)(pixels[subject.size]).float()
            asked = Answers.from_logits(logits, places(subject.labels[rows], subject.among))
            own = in_full(asked, subject.among)
            answers[cell] = own if readable is None else marked(own, readable)
        yield rows.stop, answers


def _read(group: _Group, rows: slice) -> tuple[dict[int, Tensor], Tensor]:
    """Side to what networks with such an input are shown, from files; and which can be read."""
    stored, corruption = group.subjects[0].stored, group.condition.corruption
    assert stored is not None
    assert corruption is not None
    read, shown = stored.read(corruption, rows)
    pixels = read.float() / 255
    return {size: _resized(pixels, size) for size in {s.size for s in group.subjects}}, shown


def _shown(group: _Group, shared: _Shared, rows: slice) -> dict[int, Tensor]:
    """Side to what networks with such an input are shown."""
    condition, first = group.condition, group.subjects[0]
    if condition.corruption is not None:
        assert first.photos is not None
        seeds = shared.seeds(first.photos, condition.corruption.seed)[rows]
        corrupted = corrupt(first.photos[rows].float() / 255, condition.corruption, seeds=seeds)
        return {size: _resized(corrupted, size) for size in {one.size for one in group.subjects}}
    if condition.probe is not None:
        seeds = shared.seeds(first.images, condition.probe.seed)[rows]
        probed = probe(first.images[rows].float() / 255, condition.probe, seeds=seeds)
        return {first.size: _channels_last(probed)}
    pixels = _channels_last(first.images[rows].float() / 255)
    if condition.attack is not None:
        labels = places(first.labels[rows], first.among)
        assert condition.attack_branch is not None
        network = shared.network(first, condition.attack_branch)
        config = replace(condition.attack, seed=condition.attack.seed + rows.start)
        if isinstance(config, AutoAttackConfig):
            pixels = auto_attack(network, pixels, labels, config).adversarial
        else:
            pixels = attack(network, pixels, labels, config)
    return {first.size: pixels}


def _resized(pixels: Tensor, size: int) -> Tensor:
    if pixels.shape[-1] == size:
        return _channels_last(pixels)
    fitted = F.interpolate(pixels, (size, size), mode="bicubic", antialias=True)
    return _channels_last(fitted.clamp(0, 1))


def _channels_last(pixels: Tensor) -> Tensor:
    return pixels.contiguous(memory_format=torch.channels_last)
