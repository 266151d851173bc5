"""Memory that runs out is told with what to lower."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from advprop_core.errors import AdvPropError

_SIGNS = ("out of memory", "ALLOC_FAILED", "DefaultCPUAllocator", "killed by signal: Killed")
"""What the text of torch's RuntimeErrors holds where memory ran out."""


class OutOfMemory(AdvPropError):
    """A run did not fit; the message says what to lower."""


@contextmanager
def memory_advice(advice: str) -> Iterator[None]:
    """Raise OutOfMemory, with advice on what to lower, in place of what torch or Python raises."""
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise OutOfMemory(advice) from error
    except RuntimeError as error:
        if not any(sign in str(error) for sign in _SIGNS):
            raise
        raise OutOfMemory(advice) from error
