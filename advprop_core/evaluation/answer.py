"""Asks every branch about every condition, and shares what cells share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import torch
from torch import Tensor, nn

from advprop_core.attacks import attack
from advprop_core.autoattack import AutoAttackConfig
from advprop_core.autoattack.run import auto_attack
from advprop_core.corruptions import corrupt
from advprop_core.evaluation.cells import Cell, Subject, cells_of
from advprop_core.evaluation.conditions import Condition
from advprop_core.evaluation.digests import image_seeds
from advprop_core.evaluation.restricted import Restricted, in_full, places
from advprop_core.evaluation.results import Answers
from advprop_core.evaluation.stored import marked, resized
from advprop_core.folding import fold
from advprop_core.probes import probe, require_room
from advprop_core.processes import Processes

Progress = Callable[[int, int], None]

BATCH_SIZE = 64
_FEW = 16  # images at a time where each takes long
ALONE = Processes()
"""One process, on the CPU."""


class Store(Protocol):
    """Where finished cells are kept."""

    def read(
        self, subject: Subject, cell: Cell, batch_size: int, rows: slice | None
    ) -> Answers | None:
        """What was kept of a cell, or of these of its images, or None."""
        ...

    def write(
        self, subject: Subject, cell: Cell, batch_size: int, rows: slice | None, answers: Answers
    ) -> None:
        """Keep it, whole or not at all."""
        ...


def answer(
    subjects: Sequence[Subject],
    conditions: Sequence[Condition],
    *,
    batch_size: int = BATCH_SIZE,
    store: Store | None = None,
    progress: Progress | None = None,
    processes: Processes = ALONE,
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
            their images are through, those of AutoAttack a few images at a time.
        progress: Called with (done, all), which count an image once for every group of cells
            that share its pixels.
        processes: That call this together. They deal the batches out, so their number changes
            no answer; networks run on the device of each, and the first one keeps the cells.

    Raises:
        ValueError: If an attack branch does not exist, logits are not finite, a corruption comes
            without photos, or a probe has more patches than an image has pixels.
    """
    cells = dict.fromkeys(cell for one in subjects for cell in cells_of(one, conditions))
    groups = _groups(subjects, cells)
    total = sum(group.count for group in groups)
    work = _Work(_Shared(processes.device), batch_size, store, processes)
    found, done = dict[Cell, Answers](), 0
    for group in groups:

        def told(count: int, before: int = done) -> None:
            if progress:
                progress(before + count, total)

        found |= work.in_pieces(group, told) if group.is_slow else work.at_once(group, told)
        done += group.count
    return found


@dataclass(frozen=True, eq=False)
class _Group:
    """Cells that are shown the same pixels, but for their size."""

    condition: Condition
    subjects: tuple[Subject, ...]
    cells: tuple[Cell, ...]

    @property
    def count(self) -> int:
        return len(self.subjects[0].labels)

    @property
    def is_slow(self) -> bool:
        """Whether a few images take minutes."""
        return isinstance(self.condition.attack, AutoAttackConfig)

    def subject(self, cell: Cell) -> Subject:
        return next(one for one in self.subjects if one.name == cell.model)

    def missing(self, kept: Mapping[Cell, Answers]) -> _Group | None:
        """The same with the cells that are not kept; None where there is none."""
        cells = tuple(cell for cell in self.cells if cell not in kept)
        return replace(self, cells=cells) if cells else None


class _Shared:
    """What several groups need, made when it is first needed."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
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
            network = fold(subject.model.branch(branch), example)
            if subject.among:
                network = Restricted(network, subject.among)
            self._folded[key] = network.to(self.device)
        return self._folded[key]


@dataclass(frozen=True, eq=False)
class _Work:
    """How groups are measured, and where what is finished is kept."""

    shared: _Shared
    batch_size: int
    store: Store | None
    processes: Processes

    def at_once(self, group: _Group, told: Callable[[int], None]) -> dict[Cell, Answers]:
        """The batches are dealt out, and cells kept when all of them are through."""
        kept = self.processes.from_first(self._kept(group, self.batch_size, None))
        if (left := group.missing(kept)) is None:
            told(group.count)
            return kept
        own = []
        for rows in self.processes.share(batches(group.count, self.batch_size)):
            own.append(_answers(left, self.shared, rows))
            told(rows.stop)
        measured = _joined(self.processes.gather(own), left.cells)
        if self.processes.is_first:
            self._keep(left, self.batch_size, None, measured)
        return kept | measured

    def in_pieces(self, group: _Group, told: Callable[[int], None]) -> dict[Cell, Answers]:
        """The batches are small, and each process keeps its own as soon as it is through."""
        few = _FEW if self.processes.device.type == "cpu" else self.batch_size
        size, own = min(self.batch_size, few), []
        for rows in self.processes.share(batches(group.count, size)):
            kept = self._kept(group, size, rows)
            if (left := group.missing(kept)) is not None:
                measured = _answers(left, self.shared, rows)
                self._keep(left, size, rows, measured)
                kept |= measured
            own.append(kept)
            told(rows.stop)
        return _joined(self.processes.gather(own), group.cells)

    def _kept(self, group: _Group, batch_size: int, rows: slice | None) -> dict[Cell, Answers]:
        if self.store is None:
            return {}
        read = self.store.read
        known = {cell: read(group.subject(cell), cell, batch_size, rows) for cell in group.cells}
        return {cell: answers for cell, answers in known.items() if answers is not None}

    def _keep(
        self,
        group: _Group,
        batch_size: int,
        rows: slice | None,
        measured: Mapping[Cell, Answers],
    ) -> None:
        if self.store is not None:
            for cell, answers in measured.items():
                self.store.write(group.subject(cell), cell, batch_size, rows, answers)


def _joined(parts: Sequence[Mapping[Cell, Answers]], cells: Sequence[Cell]) -> dict[Cell, Answers]:
    return {cell: Answers.join([part[cell] for part in parts]) for cell in cells}


def _groups(subjects: Sequence[Subject], cells: Iterable[Cell]) -> list[_Group]:
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


def batches(count: int, batch_size: int) -> list[slice]:
    """The places of the images of each batch, the last one's as many as are left."""
    return [slice(at, min(at + batch_size, count)) for at in range(0, count, batch_size)]


def _answers(group: _Group, shared: _Shared, rows: slice) -> dict[Cell, Answers]:
    """What each cell's branch says of some images."""
    readable: Tensor | None = None
    if group.condition.stored:
        pixels, readable = _read(group, rows)
    else:
        pixels = _shown(group, shared, rows)
    pixels = {size: one.to(shared.device) for size, one in pixels.items()}
    answers = {}
    for cell in group.cells:
        subject = group.subject(cell)
        with torch.no_grad():
            logits = shared.network(subject, cell.branch)(pixels[subject.size]).float().cpu()
        asked = Answers.from_logits(logits, places(subject.labels[rows], subject.among))
        own = in_full(asked, subject.among)
        answers[cell] = own if readable is None else marked(own, readable)
    return answers


def _read(group: _Group, rows: slice) -> tuple[dict[int, Tensor], Tensor]:
    """Side to what networks with such an input are shown, from files; and which can be read."""
    stored, corruption = group.subjects[0].stored, group.condition.corruption
    assert stored is not None
    assert corruption is not None
    read, shown = stored.read(corruption, rows)
    pixels = read.float() / 255
    return _at_sizes(pixels, group), shown


def _shown(group: _Group, shared: _Shared, rows: slice) -> dict[int, Tensor]:
    """Side to what networks with such an input are shown."""
    condition, first = group.condition, group.subjects[0]
    if condition.corruption is not None:
        assert first.photos is not None
        seeds = shared.seeds(first.photos, condition.corruption.seed)[rows]
        corrupted = corrupt(first.photos[rows].float() / 255, condition.corruption, seeds=seeds)
        return _at_sizes(corrupted, group)
    if condition.probe is not None:
        seeds = shared.seeds(first.images, condition.probe.seed)[rows]
        probed = probe(first.images[rows].float() / 255, condition.probe, seeds=seeds)
        return {first.size: _channels_last(probed)}
    pixels = _channels_last(first.images[rows].float() / 255)
    if condition.attack is not None:
        pixels = pixels.to(shared.device)
        labels = places(first.labels[rows], first.among).to(shared.device)
        assert condition.attack_branch is not None
        network = shared.network(first, condition.attack_branch)
        config = replace(condition.attack, seed=condition.attack.seed + rows.start)
        if isinstance(config, AutoAttackConfig):
            pixels = auto_attack(network, pixels, labels, config).adversarial
        else:
            pixels = attack(network, pixels, labels, config)
    return {first.size: pixels}


def _at_sizes(pixels: Tensor, group: _Group) -> dict[int, Tensor]:
    sizes = {one.size for one in group.subjects}
    return {size: _channels_last(resized(pixels, size)) for size in sizes}


def _channels_last(pixels: Tensor) -> Tensor:
    return pixels.contiguous(memory_format=torch.channels_last)
