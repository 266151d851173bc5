"""Digests of networks: what decides their answers, and which base an adapter belongs to."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from advprop_core.pictures.digests import raw_bytes

if TYPE_CHECKING:
    from torch import Tensor

    from advprop_core.models.dual_bn import DualBNModel, PixelNetwork
    from advprop_core.types import ModelInfo


def model_digest(model: DualBNModel, info: ModelInfo) -> str:
    """SHA-256 of all that decides a model's answers: its network, its numbers, its mean and std.

    Not of its file: the same weights in another file, or from timm, are the same model.
    """
    return _digest(info, [list(info.branches)], model.state_dict())


def branch_digest(branch: PixelNetwork, info: ModelInfo) -> str:
    """SHA-256 of all that decides one branch's answers, whatever other branches there are."""
    return _digest(info, [], branch.network.state_dict())


def tensors_sha256(tensors: Mapping[str, Tensor]) -> str:
    """Over names, shapes and float32 values: the same in whichever file they are.

    An adapter names that of its base, for on other weights its branches mean nothing.
    """
    digest = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        if name.endswith("num_batches_tracked"):  # nothing reads it in eval mode
            continue
        digest.update(f"{name} {tuple(tensor.shape)}".encode())
        digest.update(raw_bytes(tensor.float()))
    return digest.hexdigest()


def _digest(info: ModelInfo, more: list[Any], tensors: Mapping[str, Tensor]) -> str:
    decisive = [info.architecture, dict(info.arguments), info.mean, info.std, *more]
    digest = hashlib.sha256(json.dumps(decisive, sort_keys=True, default=str).encode())
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(raw_bytes(tensor))
    return digest.hexdigest()
