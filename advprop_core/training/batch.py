"""What goes into a training step, what comes out of it, and what processes share of it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple, Self

import numpy as np
import torch
from accelerate.utils import gather
from torch import Tensor, distributed, nn
from torch.nn import functional as F

# Branch name to pixels, and to the logits of them: a DualBNModel, perhaps wrapped for training
# on several processes.
Forward = Callable[[Mapping[str, Tensor]], Mapping[str, Tensor]]
# Gives what attacks go through: one branch in eval mode, as its weights are at that moment.
View = Callable[[], nn.Module]


def mixed_seed(*numbers: int) -> int:
    """A seed in which every number counts.

    Adding them up would not do: torch's generator on a CPU looks at the lowest 32 bits alone.
    """
    return int(np.random.SeedSequence(numbers).generate_state(1)[0])


@dataclass(frozen=True)
class Batch:
    """One process's share of a step.

    Attributes:
        pixels: (N, 3, H, W) in [0, 1].
        targets: (N,) class indices, or (N, C) probabilities where images were mixed.
        seed: Of everything random in this step on this process.
        common_seed: The same on every process.
        strength: Factor in [0, 1] on epsilon and step size, while they warm up.
    """

    pixels: Tensor
    targets: Tensor
    seed: int
    common_seed: int = 0
    strength: float = 1.0

    def subset(self, chosen: slice) -> Self:
        """The batch of the chosen images."""
        return replace(self, pixels=self.pixels[chosen], targets=self.targets[chosen])


class Figures(NamedTuple):
    """What one branch made of one kind of input."""

    loss: Tensor
    """Mean, before any weight."""
    hits: Tensor
    """Share of images whose most probable class is the label's."""


@dataclass(frozen=True)
class Outcome:
    """What is to be propagated backwards, and what of it is worth writing down.

    Attributes:
        loss: Scalar with a graph.
        figures: By ``BRANCH/INPUT`` (``main/clean``, ``aux/adversarial``), detached.
        norm_scales: Of the last outcome: branch name to the factor on the gradients of its norm
            layers; branches that are not named keep theirs.
    """

    loss: Tensor
    figures: Mapping[str, Figures]
    norm_scales: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """An objective, ready to train one model.

    Attributes:
        step: From (forward, batch) to one outcome for each backward pass; the caller propagates
            each before it asks for the next.
        passes: How many that are.
    """

    step: Callable[[Forward, Batch], Iterator[Outcome]]
    passes: int = 1


def score(logits: Tensor, targets: Tensor, smoothing: float) -> tuple[Tensor, Figures]:
    """Mean cross-entropy of (N, C) logits, and the figures for the log."""
    loss = F.cross_entropy(logits.float(), targets, label_smoothing=smoothing)
    labels = targets if targets.ndim == 1 else targets.argmax(1)
    hits = (logits.detach().argmax(1) == labels).float().mean()
    return loss, Figures(loss.detach(), hits)


def world() -> tuple[int, int]:
    """(rank, number of processes); (0, 1) where there is only one."""
    if distributed.is_available() and distributed.is_initialized():
        return distributed.get_rank(), distributed.get_world_size()
    return 0, 1


def means_over_ranks(figures: Mapping[str, Figures]) -> dict[str, Figures]:
    """The figures of all processes' images; every process must call it."""
    _, count = world()
    if count == 1:
        return dict(figures)
    rows = torch.stack([torch.stack(row) for row in figures.values()])
    distributed.all_reduce(rows)
    return {name: Figures(*row) for name, row in zip(figures, rows / count, strict=True)}


def shuffle_across_ranks(pixels: Tensor, targets: Tensor, seed: int) -> tuple[Tensor, Tensor]:
    """Deal the (N, …) images and targets of all processes anew; N and seed are the same on all."""
    rank, count = world()
    if count == 1:
        return pixels, targets
    everyones, labels = gather((pixels.contiguous(), targets.contiguous()))
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))
    dealt = order[rank::count].to(pixels.device)
    return everyones[dealt], labels[dealt]
