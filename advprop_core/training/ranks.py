"""What several training processes do together."""

from collections.abc import Mapping

import torch
from accelerate.utils import gather
from torch import Tensor, distributed

from advprop_core.training.batch import Figures


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
