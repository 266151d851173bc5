"""One digest for all that decides a model's answers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from advprop_core.models.dual_bn import DualBNModel, PixelNetwork
from advprop_core.pictures.digests import raw_bytes
from advprop_core.types import ModelInfo

if TYPE_CHECKING:
    from torch import Tensor


def model_digest(model: DualBNModel, info: ModelInfo) -> str:
    """SHA-256 of all that decides a model's answers: its network, its numbers, its mean and std.

    Not of its file: the same weights in another file, or from timm, are the same model.
    """
    decisive = [info.architecture, dict(info.arguments), info.mean, info.std, list(info.branches)]
    return _digest(decisive, model.state_dict())


def branch_digest(branch: PixelNetwork, info: ModelInfo) -> str:
    """SHA-256 of all that decides one branch's answers, whatever other branches there are."""
    decisive = [info.architecture, dict(info.arguments), info.mean, info.std]
    return _digest(decisive, branch.network.state_dict())


def _digest(decisive: list[Any], tensors: Mapping[str, Tensor]) -> str:
    digest = hashlib.sha256(json.dumps(decisive, sort_keys=True, default=str).encode())
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(raw_bytes(tensor))
    return digest.hexdigest()
