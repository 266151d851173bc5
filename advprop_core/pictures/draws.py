"""Random numbers per sample: each place in a batch has a stream of its own, or each image."""

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import torch
from torch import Tensor

Streams = Sequence[torch.Generator]
Seed = int | Sequence[int]
"""One for a batch, in which each place then has its own stream; or one for each sample."""


def streams(seed: Seed, count: int) -> list[torch.Generator]:
    """Starts a generator on the CPU for each of `count` samples.

    It depends on the seed and the sample's place, and shares nothing with neighbours of either.
    Under a seed of its own, a sample has the stream of the first place, wherever it lies.

    Raises:
        ValueError: If there are several seeds, but not one per sample.
    """
    if isinstance(seed, int):
        pairs = [(seed, index) for index in range(count)]
    elif len(seed) == count:
        pairs = [(sample_seed, 0) for sample_seed in seed]
    else:
        raise ValueError(f"seeds must be one per sample, got {len(seed)} for {count}.")
    # Not seed + place: place 1 of one seed would have the stream of place 0 of the next.
    states = (np.random.SeedSequence(pair).generate_state(1, np.uint64)[0] for pair in pairs)
    return [torch.Generator().manual_seed(int(state)) for state in states]


def normal(draws: Streams, *shape: int) -> Tensor:
    """Draws standard normal numbers (N, *shape), on the CPU, a sample from each stream."""
    return _each(lambda draw: torch.randn(shape, generator=draw), draws)


def uniform(draws: Streams, *shape: int) -> Tensor:
    """Draws numbers (N, *shape), even over [-1,1), on the CPU, a sample from each stream."""
    return 2 * _each(lambda draw: torch.rand(shape, generator=draw), draws) - 1


def whole(draws: Streams, low: int, high: int, *shape: int) -> Tensor:
    """Draws whole numbers (N, *shape), even over low … high-1, on the CPU."""
    return _each(lambda draw: torch.randint(low, high, shape, generator=draw), draws)


def poisson(draws: Streams, rates: Tensor) -> Tensor:
    """Draws counts with the expectations (N, …) given, on the CPU, a sample from each stream."""
    return _each(torch.poisson, rates.cpu(), draws)


def _each(draw: Callable[..., Tensor], *values: Iterable[Any]) -> Tensor:
    """One sample after another, on threads: torch lets go of the GIL while it draws."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return torch.stack(list(pool.map(draw, *values)))
