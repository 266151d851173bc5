"""Asks every branch about every condition, and shares what cells share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from advprop_core.attacks import attack
from advprop_core.autoattack import AutoAttackConfig
from advprop_core.autoattack.run import auto_attack
from advprop_core.corruptions import corrupt
from advprop_core.evaluation.cells import Cell, Subject, cells_of
from advprop_core.evaluation.conditions import Condition
from advprop_core.evaluation.digests import image_seeds
from advprop_core.evaluation.restricted import Restricted, in_full, places
from advprop_core.evaluation.results import Answers
from advprop_core.evaluation.stored import marked
from advprop_core.folding import fold
from advprop_core.probes import probe, require_room
from advprop_core.processes import Processes

Progress = Callable[[int, int], None]

BATCH_SIZE = 64
ALONE = Processes()
"""One process, on the CPU."""


class Store(Protocol):
    """Where finished cells are kept."""

    def read(self, subject: Subject, cell: Cell, batch_size: int) -> Answers | None:
        """What was kept of a cell, or None."""
        ...

    def write(self, subject: Subject, cell: Cell, batch_size: int, answers: Answers) -> None:
        """Keep a finished cell, whole or not at all."""
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
            their images are through.
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
    total = sum(len(group.subjects[0].labels) for group in groups)
    shared, found, done = _Shared(processes.device), dict[Cell, Answers](), 0
    for group in groups:
        count = len(group.subjects[0].labels)
        kept = processes.from_first(_kept(group, store, batch_size))
        if missing := tuple(cell for cell in group.cells if cell not in kept):
            left, own = replace(group, cells=missing), list[dict[Cell, Answers]]()
            for rows in processes.share(batches(count, batch_size)):
                own.append(_answers(left, shared, rows))
                if progress:
                    progress(done + rows.stop, total)
            parts = processes.gather(own)
            for cell in missing:
                kept[cell] = Answers.join([part[cell] for part in parts])
                if store and processes.is_first:
                    store.write(group.subject(cell), cell, batch_size, kept[cell])
        elif progress:
            progress(done + count, total)
        done += count
        found |= kept
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


def _kept(group: _Group, store: Store | None, batch_size: int) -> dict[Cell, Answers]:
    """What the store has of a group."""
    if store is None:
        return {}
    known = {cell: store.read(group.subject(cell), cell, batch_size) for cell in group.cells}
    return {cell: answers for cell, answers in known.items() if answers is not None}


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


def _resized(pixels: Tensor, size: int) -> Tensor:
    if pixels.shape[-1] == size:
        return _channels_last(pixels)
    fitted = F.interpolate(pixels, (size, size), mode="bicubic", antialias=True)
    return _channels_last(fitted.clamp(0, 1))


def _channels_last(pixels: Tensor) -> Tensor:
    return pixels.contiguous(memory_format=torch.channels_last)
