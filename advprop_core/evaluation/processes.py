"""Processes that share a piece of work: one alone, or as many as torchrun or Accelerate started."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import distributed

T = TypeVar("T")

_CPU = torch.device("cpu")


@dataclass(frozen=True)
class Processes:
    """All of them, as one sees them; without arguments, one alone on the CPU.

    Attributes:
        rank: Which one this is, from 0.
        count: How many there are.
        device: Where this one's networks run.
    """

    rank: int = 0
    count: int = 1
    device: torch.device = _CPU

    @property
    def is_first(self) -> bool:
        """Whether this is the one that speaks and writes."""
        return self.rank == 0

    def share(self, parts: Sequence[T]) -> Sequence[T]:
        """This one's share of the work: the parts are dealt in turn."""
        return parts[self.rank :: self.count]

    def gather(self, results: Sequence[T]) -> list[T]:
        """What all made of their shares, in the order of the parts; every process must call it.

        The results are on the CPU, for they are pickled.
        """
        if self.count == 1:
            return list(results)
        everyones: list[Sequence[T]] = [[]] * self.count
        distributed.all_gather_object(everyones, results)
        # They were dealt in turn. What each met by chance, such as damaged files, has any length.
        turns = range(max(map(len, everyones)))
        return [results[turn] for turn in turns for results in everyones if turn < len(results)]

    def from_first(self, value: T) -> T:
        """The first process's value, on all; every process must call it."""
        if self.count == 1:
            return value
        values = [value]
        distributed.broadcast_object_list(values, 0)
        return values[0]


ALONE = Processes()
"""One process, on the CPU."""


def are_several() -> bool:
    """Whether torchrun or Accelerate started more than this one; known before they have joined."""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1


@contextmanager
def joined() -> Iterator[Processes]:
    """Join the processes that were started together, each with a GPU where there are some."""
    from accelerate import PartialState

    # Without a GPU Accelerate must be told so, or it takes each process for one that is alone.
    state = PartialState(cpu=are_several() and not torch.cuda.is_available())
    device = state.device if state.device.type == "cuda" else _CPU
    try:
        yield Processes(state.process_index, state.num_processes, device)
    finally:
        state.destroy_process_group()
