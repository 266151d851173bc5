"""Digests of images, and seeds that follow from them."""

import hashlib

from torch import Tensor

DIGEST_LENGTH = 16
"""Bytes that stand for an image."""


def image_digests(images: Tensor, labels: Tensor) -> list[bytes]:
    """The first half of the SHA-256 of each image with its label."""
    return [
        image_digest(f"{tuple(image.shape)} {label} ".encode() + raw_bytes(image))
        for image, label in zip(images, labels.tolist(), strict=True)
    ]


def image_digest(content: bytes) -> bytes:
    """What an image is known by: the first half of the SHA-256 of all that decides it."""
    return hashlib.sha256(content).digest()[:DIGEST_LENGTH]


def image_seeds(photos: Tensor, seed: int) -> list[int]:
    """A seed for each image, which follows from its own bytes and from ``seed``.

    An image so gets the same draws in every batch, subset and order of its data set.
    """
    start = hashlib.sha256(str(seed).encode()).digest()
    return [
        int.from_bytes(hashlib.sha256(start + raw_bytes(photo)).digest()[:8], "big")
        for photo in photos
    ]


def raw_bytes(tensor: Tensor) -> bytes:
    """The values of a tensor as they lie in memory, row after row."""
    return bytes(tensor.detach().cpu().contiguous().view(-1).numpy().tobytes())
