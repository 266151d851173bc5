"""Two branches that were asked about the same images: is the difference more than chance?

Whether two intervals overlap does not say: they treat the images of each branch as others. What
counts is on which images one of the two alone is right. Loads no torch.
"""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from advprop_core.errors import InputError

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Pair:
    """What two branches got right of the same images.

    Attributes:
        n: Number of images.
        only_first: On how many the first alone is right.
        only_second: On how many the second alone is.
    """

    n: int
    only_first: int
    only_second: int

    @classmethod
    def of(cls, first: Flags, second: Flags) -> Self:
        """From (n,) whether each is right of each image."""
        return cls(len(first), int((first & ~second).sum()), int((second & ~first).sum()))

    @property
    def p(self) -> float:
        """How often so large a difference, or a larger one, comes of chance alone.

        The exact test of McNemar: where both are equally good, each image on which one alone is
        right is a throw of a coin.
        """
        from scipy.special import bdtr  # here: it takes a while to load

        fewer, more = sorted((self.only_first, self.only_second))
        return min(1.0, 2 * float(bdtr(fewer, fewer + more, 0.5)))


def pair(first: Mapping[str, Any], second: Mapping[str, Any]) -> Pair | None:
    """Two rows of ``results.json``; None where it is not known that their images are the same."""
    if not first.get("images") or first["images"] != second.get("images"):
        return None
    return Pair.of(*(unpack(row["right"], row["n"]) for row in (first, second)))


def pack(right: Flags) -> str:
    """(N,) whether each image was answered rightly, as text: eight images a byte, base 64."""
    return base64.b64encode(np.packbits(right).tobytes()).decode()


def unpack(text: str, n: int) -> Flags:
    """What :func:`pack` wrote of n images.

    Raises:
        InputError: If it is no such text, or of another number of images.
    """
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        raise InputError("right must be bits in base 64") from None
    if len(data) != -(-n // 8):
        raise InputError(f"right must hold a bit for each of {n} images, got {len(data)} bytes")
    return np.unpackbits(np.frombuffer(data, np.uint8), count=n).astype(np.bool_)


def images_digest(data: str, classes: Sequence[str], labels: NDArray[Any], left_out: str) -> str:
    """Equal where networks were asked about the same images of one evaluation, in one order.

    Args:
        data: What the images are called.
        classes: Id of each class; which images a network is shown depends on them.
        labels: (N,) true classes.
        left_out: Name of the network where it could not be shown all of them, else empty: then its
            branches are compared with one another alone.
    """
    # The labels too: a folder of the same name may hold other images.
    digest = hashlib.sha256(repr((data, *classes, left_out)).encode())
    digest.update(np.asarray(labels, np.int64).tobytes())
    return digest.hexdigest()[:16]
