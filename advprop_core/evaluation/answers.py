"""Asks every branch about every condition, and shares what cells share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from time import monotonic
from typing import Protocol

import torch
from torch import Tensor, nn

from advprop_core.attacks.autoattack import AutoAttackConfig
from advprop_core.attacks.autoattack.run import auto_attack
from advprop_core.attacks.gradient import Model, attack, attack_until_turned
from advprop_core.evaluation.cells import Cell, Subject, cells_of
from advprop_core.evaluation.conditions import Condition
from advprop_core.evaluation.restricted import Restricted, in_full, places
from advprop_core.evaluation.results import Answers
from advprop_core.evaluation.stored_corruptions import marked, resized
from advprop_core.models.folding import fold
from advprop_core.pictures.corruptions import corrupt
from advprop_core.pictures.digests import image_seeds
from advprop_core.pictures.draws import streams
from advprop_core.pictures.probes import probe, require_room
from advprop_core.processes import Processes
from advprop_core.types import AttackConfig

Progress = Callable[[int, int], None]

BATCH_SIZE = 64
_FEW = 16  # images at a time where each takes long
_PATIENCE = 60  # seconds after which answers are kept, though more of their cell are to come
ALONE = Processes()
"""One process, on the CPU."""


class Store(Protocol):
    """Where answers are kept."""

    def read(self, subject: Subject, cell: Cell) -> tuple[Tensor, Answers]:
        """What was kept of a cell: (n,) places of its images, ascending, and the answers there."""
        ...

    def write(self, subject: Subject, cell: Cell, places: Tensor, answers: Answers) -> None:
        """Keep the answers to the images at (n,) places, whole or not at all."""
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
        batch_size: Images at a time; answers depend on it by rounding alone.
        store: Answers found there are not asked for again; new ones are kept there every minute,
            and those of AutoAttack as soon as a few images are through.
        progress: Called with (done, all), which count an image once for every group of cells
            that share its pixels; under AutoAttack with every pass, so that it can end the work.
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

        found |= work.answers(group, told)
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


class _Shared:
    """What several groups need, made when it is first needed."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self._folded: dict[tuple[str, str], nn.Module] = {}
        self._seeds: dict[tuple[int, int], list[int]] = {}

    def seeds(self, images: Tensor, seed: int, rows: Tensor) -> list[int]:
        """For the images at (n,) places; they follow from the images themselves."""
        key = (id(images), seed)  # subjects keep their images as long as this lives
        if key not in self._seeds:
            self._seeds[key] = image_seeds(images, seed)
        return [self._seeds[key][row] for row in rows.tolist()]

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

    def answers(self, group: _Group, told: Callable[[int], None]) -> dict[Cell, Answers]:
        """Every cell's answers: those that were kept, and those to the images that lack some."""
        first = self.processes.is_first  # the others' folders need not hold the same
        kept = self.processes.from_first(self._kept(group) if first else {})
        lacking = tuple(cell for cell, (there, _) in kept.items() if len(there) < group.count)
        missing = _missing([kept[cell][0] for cell in lacking], group.count)
        if len(missing) < group.count:
            told(group.count - len(missing))
        if not lacking:
            return {cell: answers for cell, (_, answers) in kept.items()}
        known = {cell: there for cell, (there, _) in kept.items()}
        fresh = self._ask(replace(group, cells=lacking), missing, known, told)
        return {
            cell: _whole(own, missing, fresh[cell]) if cell in fresh else own[1]
            for cell, own in kept.items()
        }

    def _ask(
        self,
        group: _Group,
        missing: Tensor,
        known: Mapping[Cell, Tensor],
        told: Callable[[int], None],
    ) -> dict[Cell, Answers]:
        """What the batches say, which are dealt out; each process keeps its own now and then."""
        before, own = group.count - len(missing), list[dict[Cell, Answers]]()
        new, kept_at, kept = list[Tensor](), monotonic(), torch.empty(0, dtype=torch.int64)
        for some in self.processes.share(batches(len(missing), self._at_a_time(group))):

            def heard(count: int = before + some.start) -> None:
                told(count)

            own.append(_answers(group, self.shared, missing[some], heard))
            new.append(missing[some])
            if group.is_slow or monotonic() - kept_at > _PATIENCE:
                rows = torch.cat(new)
                self._keep(group, rows, _joined(own[-len(new) :], group.cells), known)
                new, kept_at, kept = [], monotonic(), torch.cat([kept, rows])
            told(before + some.stop)
        fresh = _joined(self.processes.gather(own), group.cells)
        if self.processes.is_first:  # all but what it has kept itself
            rest = ~torch.isin(missing, kept)
            said = {cell: answers.rows(rest) for cell, answers in fresh.items()}
            self._keep(group, missing[rest], said, known)
        return fresh

    def _at_a_time(self, group: _Group) -> int:
        few = group.is_slow and self.processes.device.type == "cpu"
        return min(self.batch_size, _FEW) if few else self.batch_size

    def _kept(self, group: _Group) -> dict[Cell, tuple[Tensor, Answers]]:
        if self.store is None:
            nothing = torch.empty(0, dtype=torch.int64), Answers.none()
            return dict.fromkeys(group.cells, nothing)
        return {cell: self.store.read(group.subject(cell), cell) for cell in group.cells}

    def _keep(
        self,
        group: _Group,
        rows: Tensor,
        said: Mapping[Cell, Answers],
        known: Mapping[Cell, Tensor],
    ) -> None:
        """Keep what is said of the images at (n,) places, but for what was known of them."""
        if self.store is None:
            return
        for cell in group.cells:
            new = ~torch.isin(rows, known[cell])
            if new.any():
                self.store.write(group.subject(cell), cell, rows[new], said[cell].rows(new))


def _joined(parts: Sequence[Mapping[Cell, Answers]], cells: Sequence[Cell]) -> dict[Cell, Answers]:
    return {cell: Answers.join([part[cell] for part in parts]) for cell in cells}


def _missing(known: Sequence[Tensor], count: int) -> Tensor:
    """(n,) places of the images that lack some answer, ascending."""
    lacks = torch.zeros(count, dtype=torch.bool)
    for there in known:
        own = torch.ones(count, dtype=torch.bool)
        own[there] = False
        lacks |= own
    return lacks.nonzero()[:, 0]


def _whole(known: tuple[Tensor, Answers], missing: Tensor, fresh: Answers) -> Answers:
    """A cell's answers in the order of its images: fresh ones where none were kept."""
    there, kept = known
    new = ~torch.isin(missing, there)
    order = torch.cat([there, missing[new]]).argsort()
    return Answers.join([kept, fresh.rows(new)]).rows(order)


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


def _answers(
    group: _Group, shared: _Shared, rows: Tensor, heard: Callable[[], None]
) -> dict[Cell, Answers]:
    """What each cell's branch says of the images at (n,) places; slow work calls ``heard``."""
    readable: Tensor | None = None
    if group.condition.stored:
        pixels, readable = _read(group, rows)
    else:
        pixels = _shown(group, shared, rows, heard)
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


def _read(group: _Group, rows: Tensor) -> tuple[dict[int, Tensor], Tensor]:
    """Side to what networks with such an input are shown, from files; and which can be read."""
    stored, corruption = group.subjects[0].stored, group.condition.corruption
    assert stored is not None
    assert corruption is not None
    read, shown = stored.read(corruption, rows)
    pixels = read.float() / 255
    return _at_sizes(pixels, group), shown


def _shown(
    group: _Group, shared: _Shared, rows: Tensor, heard: Callable[[], None]
) -> dict[int, Tensor]:
    """Side to what networks with such an input are shown."""
    condition, first = group.condition, group.subjects[0]
    if condition.corruption is not None:
        assert first.photos is not None
        seeds = shared.seeds(first.photos, condition.corruption.seed, rows)
        photos = first.photos[rows].to(shared.device).float() / 255
        corrupted = corrupt(photos, condition.corruption, seeds=seeds)
        return _at_sizes(corrupted, group)
    if condition.probe is not None:
        seeds = shared.seeds(first.images, condition.probe.seed, rows)
        probed = probe(first.images[rows].float() / 255, condition.probe, seeds=seeds)
        return {first.size: _channels_last(probed)}
    pixels = _channels_last(first.images[rows].float() / 255)
    if condition.attack is not None:
        pixels = pixels.to(shared.device)
        labels = places(first.labels[rows], first.among).to(shared.device)
        assert condition.attack_branch is not None
        network: Model = shared.network(first, condition.attack_branch)
        config = condition.attack
        if isinstance(config, AttackConfig) and not config.random_start:
            return {first.size: attack(network, pixels, labels, config)}
        seeds = shared.seeds(first.images, config.seed, rows)
        if isinstance(config, AutoAttackConfig):
            network = _listening(network, heard)
        pixels = _attacked_at_random(network, pixels, labels, condition, seeds)
    return {first.size: pixels}


def _listening(network: Model, heard: Callable[[], None]) -> Model:
    """The network, asked through a call that may end minutes of work by raising."""

    def ask(pixels: Tensor) -> Tensor:
        heard()
        return network(pixels)

    return ask


def _attacked_at_random(
    network: Model, pixels: Tensor, labels: Tensor, condition: Condition, seeds: Sequence[int]
) -> Tensor:
    config = condition.attack
    assert config is not None
    if isinstance(config, AutoAttackConfig):
        return auto_attack(network, pixels, labels, config, seeds=seeds).adversarial
    draws, restarts = streams(seeds, len(seeds)), condition.restarts
    if restarts > 1:
        return attack_until_turned(network, pixels, labels, config, restarts, draws)
    return attack(network, pixels, labels, config, draws=draws)


def _at_sizes(pixels: Tensor, group: _Group) -> dict[int, Tensor]:
    sizes = {one.size for one in group.subjects}
    return {size: _channels_last(resized(pixels, size)) for size in sizes}


def _channels_last(pixels: Tensor) -> Tensor:
    return pixels.contiguous(memory_format=torch.channels_last)
