"""What a figure depends on, in 64 letters; and seeds that follow from an image."""

from __future__ import annotations

import hashlib
import json

from torch import Tensor

from advprop_core.dual_bn import DualBNModel
from advprop_core.types import ModelInfo


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


def data_digest(images: Tensor, labels: Tensor) -> str:
    """SHA-256 of images and their labels, in their order."""
    digest = hashlib.sha256(f"{tuple(images.shape)}".encode())
    digest.update(_bytes(labels))
    for part in images.split(256):
        digest.update(_bytes(part))
    return digest.hexdigest()


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
