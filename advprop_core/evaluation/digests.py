"""What answers depend on, by its digest; and seeds that follow from an image."""

from __future__ import annotations

import hashlib
import json

from torch import Tensor

from advprop_core.dual_bn import DualBNModel
from advprop_core.types import ModelInfo

DIGEST_LENGTH = 16
"""Bytes that stand for an image."""


def model_digest(model: DualBNModel, info: ModelInfo) -> str:
    """SHA-256 of all that decides a model's answers: its network, its numbers, its mean and std.

    Not of its file: the same weights in another file, or from timm, are the same model.
    """
    known = [info.architecture, dict(info.arguments), info.mean, info.std, list(info.branches)]
    digest = hashlib.sha256(json.dumps(known, sort_keys=True, default=str).encode())
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(_bytes(tensor))
    return digest.hexdigest()


def image_digests(images: Tensor, labels: Tensor) -> list[bytes]:
    """The first half of the SHA-256 of each image with its label."""
    return [
        image_digest(f"{tuple(image.shape)} {label} ".encode() + _bytes(image))
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
        int.from_bytes(hashlib.sha256(start + _bytes(photo)).digest()[:8], "big")
        for photo in photos
    ]


def _bytes(tensor: Tensor) -> bytes:
    return bytes(tensor.detach().cpu().contiguous().view(-1).numpy().tobytes())
