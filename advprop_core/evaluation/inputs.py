"""What networks are shown under a condition: clean, attacked, corrupted or probed pixels."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from advprop_core.attacks.autoattack import AutoAttackConfig
from advprop_core.attacks.autoattack.run import auto_attack
from advprop_core.attacks.gradient import attack, attack_until_turned
from advprop_core.attacks.inputs import Model
from advprop_core.evaluation.batches import BATCH_SIZE
from advprop_core.evaluation.cells import Cell, TestedModel
from advprop_core.evaluation.conditions import Condition
from advprop_core.evaluation.networks import Restricted, places
from advprop_core.evaluation.processes import ALONE, Processes
from advprop_core.evaluation.store import CellStore
from advprop_core.models.folding import fold
from advprop_core.pictures.corruptions.apply import corrupt
from advprop_core.pictures.digests import image_seeds
from advprop_core.pictures.draws import streams
from advprop_core.pictures.pixels import resized
from advprop_core.pictures.probes.apply import probe
from advprop_core.types import AttackConfig


@dataclass(frozen=True, eq=False)
class Group:
    """Cells of one condition that are shown the same pixels, but for size, and their models."""

    condition: Condition
    models: tuple[TestedModel, ...]
    cells: tuple[Cell, ...]

    @property
    def count(self) -> int:
        """Number of images."""
        return len(self.models[0].labels)

    @property
    def is_slow(self) -> bool:
        """Whether a few images take minutes."""
        return isinstance(self.condition.attack, AutoAttackConfig)

    def model(self, cell: Cell) -> TestedModel:
        """The model that a cell is of."""
        return next(model for model in self.models if model.name == cell.model)


class Workshop:
    """How an evaluation is made, and what several groups need: folded networks and seeds.

    Args:
        processes: That work together, and where their networks run.
        batch_size: Images at a time; answers depend on it by rounding alone.
        store: What is found there is not measured again, and what is finished is kept there, so
            that an evaluation that was ended goes on where it was.
    """

    def __init__(
        self,
        processes: Processes = ALONE,
        batch_size: int = BATCH_SIZE,
        store: CellStore | None = None,
    ) -> None:
        self.processes, self.batch_size, self.store = processes, batch_size, store
        self.device = processes.device
        self._folded: dict[tuple[str, str], nn.Module] = {}
        self._seeds: dict[tuple[int, int], list[int]] = {}

    def seeds(self, images: Tensor, seed: int, rows: Tensor) -> list[int]:
        """For the images at (n,) places; they follow from the images themselves."""
        key = (id(images), seed)  # the models keep their images as long as this lives
        if key not in self._seeds:
            self._seeds[key] = image_seeds(images, seed)
        return [self._seeds[key][row] for row in rows.tolist()]

    def network(self, model: TestedModel, branch: str) -> nn.Module:
        """A branch that is folded, and answers among the classes that its model may."""
        key = (model.name, branch)
        if key not in self._folded:
            network = fold(model.model.branch(branch), torch.zeros((1, 3, model.size, model.size)))
            if model.among is not None:
                network = Restricted(network, model.among)
            self._folded[key] = network.to(self.device)
        return self._folded[key]


def pixels_of(
    group: Group, workshop: Workshop, rows: Tensor, on_pass: Callable[[], None]
) -> tuple[dict[int, Tensor], Tensor | None]:
    """Side to what networks with such an input are shown, and which of it could be read.

    ``on_pass`` is called at every pass of an attack that takes minutes, and may end it by raising.

    Returns:
        (n, 3, S, S) pixels by side S; and (n,) bool, or None where no file is read.
    """
    condition, first = group.condition, group.models[0]
    if condition.stored:
        assert first.stored is not None
        assert condition.corruption is not None
        images, readable = first.stored.read(condition.corruption, rows)
        return _at_sizes(images.float() / 255, group), readable
    if condition.corruption is not None:
        assert first.photos is not None
        seeds = workshop.seeds(first.photos, condition.corruption.seed, rows)
        photos = first.photos[rows].to(workshop.device).float() / 255
        return _at_sizes(corrupt(photos, condition.corruption, seeds=seeds), group), None
    pixels = first.images[rows].float() / 255
    if condition.probe is not None:
        seeds = workshop.seeds(first.images, condition.probe.seed, rows)
        return {first.size: _channels_last(probe(pixels, condition.probe, seeds=seeds))}, None
    pixels = _channels_last(pixels)
    if condition.attack is not None:
        pixels = _attacked(group, workshop, rows, pixels.to(workshop.device), on_pass)
    return {first.size: pixels}, None


def _attacked(
    group: Group, workshop: Workshop, rows: Tensor, pixels: Tensor, on_pass: Callable[[], None]
) -> Tensor:
    condition, first = group.condition, group.models[0]
    config, restarts = condition.attack, condition.restarts
    assert config is not None
    assert condition.attack_branch is not None
    labels = places(first.labels[rows], first.among).to(workshop.device)
    network: Model = workshop.network(first, condition.attack_branch)
    if isinstance(config, AttackConfig) and not config.random_start:
        return attack(network, pixels, labels, config)
    seeds = workshop.seeds(first.images, config.seed, rows)
    if isinstance(config, AutoAttackConfig):
        network = _listening(network, on_pass)
        return auto_attack(network, pixels, labels, config, seeds=seeds).adversarial
    draws = streams(seeds, len(seeds))
    if restarts > 1:
        return attack_until_turned(network, pixels, labels, config, restarts, draws)
    return attack(network, pixels, labels, config, draws=draws)


def _listening(network: Model, on_pass: Callable[[], None]) -> Model:
    """The network, asked through a call that may end minutes of work by raising."""

    def ask(pixels: Tensor) -> Tensor:
        on_pass()
        return network(pixels)

    return ask


def _at_sizes(pixels: Tensor, group: Group) -> dict[int, Tensor]:
    sizes: Sequence[int] = sorted({model.size for model in group.models})
    return {size: _channels_last(resized(pixels, size)) for size in sizes}


def _channels_last(pixels: Tensor) -> Tensor:
    return pixels.contiguous(memory_format=torch.channels_last)
