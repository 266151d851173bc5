"""What networks are shown under a condition, and the classes that they may answer with."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor, nn

from advprop_core.attacks.autoattack import AutoAttackConfig
from advprop_core.attacks.autoattack.run import auto_attack
from advprop_core.attacks.gradient import attack, attack_until_turned
from advprop_core.evaluation.cells import Cell, TestedModel
from advprop_core.evaluation.conditions import Condition
from advprop_core.evaluation.processes import ALONE, Processes
from advprop_core.evaluation.store import CellStore
from advprop_core.models.folding import fold
from advprop_core.pictures.corruptions.apply import corrupt
from advprop_core.pictures.digests import image_seeds
from advprop_core.pictures.draws import streams
from advprop_core.pictures.probes.apply import probe
from advprop_core.types import AttackConfig

BATCH_SIZE = 64


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
        # Tensors are keys by identity; the cache holds them, so no other can take their place.
        self._seeds = lru_cache(maxsize=None)(image_seeds)

    def seeds(self, images: Tensor, seed: int, rows: Tensor) -> list[int]:
        """For the images at (n,) places; they follow from the images themselves."""
        all_seeds = self._seeds(images, seed)
        return [all_seeds[row] for row in rows.tolist()]

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
) -> tuple[Tensor, Tensor | None]:
    """What networks are shown before it gets their size, and which of it could be read.

    ``on_pass`` is called at every pass of an attack that takes minutes, and may end it by raising.

    Returns:
        (n, 3, H, W) pixels; and (n,) bool, or None where no file is read.
    """
    condition, first = group.condition, group.models[0]
    corruption, source = condition.corruption, first.source(condition)
    if not isinstance(source, Tensor):
        assert corruption is not None
        images, readable = source.read(corruption, rows)
        return images.float() / 255, readable
    if corruption is not None:
        seeds = workshop.seeds(source, corruption.seed, rows)
        photos = source[rows].to(workshop.device).float() / 255
        return corrupt(photos, corruption, seeds=seeds), None
    if condition.probe is not None:
        seeds = workshop.seeds(source, condition.probe.seed, rows)
        return probe(source[rows].float() / 255, condition.probe, seeds=seeds), None
    if condition.attack is not None:
        return _attacked(group, workshop, rows, on_pass), None
    return clean_batch(first, rows, workshop.device)[0], None


def _attacked(
    group: Group, workshop: Workshop, rows: Tensor, on_pass: Callable[[], None]
) -> Tensor:
    condition, model = group.condition, group.models[0]
    config, restarts = condition.attack, condition.restarts
    assert config is not None
    assert condition.attack_branch is not None
    network = workshop.network(model, condition.attack_branch)
    pixels, labels = clean_batch(model, rows, workshop.device)
    if isinstance(config, AttackConfig) and not config.random_start:
        return attack(network, pixels, labels, config)
    seeds = workshop.seeds(model.images, config.seed, rows)
    if isinstance(config, AutoAttackConfig):

        def ask(shown: Tensor) -> Tensor:
            on_pass()
            logits: Tensor = network(shown)
            return logits

        return auto_attack(ask, pixels, labels, config, seeds=seeds).adversarial
    draws = streams(seeds, len(seeds))
    if restarts > 1:
        return attack_until_turned(network, pixels, labels, config, restarts, draws)
    return attack(network, pixels, labels, config, draws=draws)


def clean_batch(model: TestedModel, rows: Tensor, device: torch.device) -> tuple[Tensor, Tensor]:
    """(n, 3, S, S) pixels in [0, 1] of some images, and (n,) labels among the kept classes."""
    pixels = model.images[rows].to(device).float() / 255
    labels = places(model.labels[rows], model.among).to(device)
    return pixels.contiguous(memory_format=torch.channels_last), labels


class Restricted(nn.Module):
    """A network's logits of some classes.

    ImageNet-A and -R have 200 of ImageNet's 1000 classes, and their articles (arXiv 1907.07174,
    2006.16241) choose among the logits of these.

    Args:
        network: From (N, 3, S, S) to (N, C) logits; its mode is kept.
        classes: Indices that are kept, ascending.
    """

    def __init__(self, network: nn.Module, classes: Sequence[int]) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("classes", torch.tensor(classes), persistent=False)
        self.train(network.training)  # a new module is in training mode

    def forward(self, pixels: Tensor) -> Tensor:
        """(N, K) logits of the kept classes."""
        logits: Tensor = self.network(pixels)
        return logits.index_select(1, self.get_buffer("classes"))


def places(labels: Tensor, classes: Sequence[int] | None) -> Tensor:
    """The places of (N,) labels among the kept classes; the labels, where all are kept.

    Raises:
        ValueError: If a label is not kept.
    """
    if classes is None:
        return labels
    class_indices = torch.tensor(classes)
    positions = torch.searchsorted(class_indices, labels).clamp(max=len(class_indices) - 1)
    if not torch.equal(class_indices[positions], labels):
        raise ValueError("among must hold every label's class: add the missing ones")
    return positions
