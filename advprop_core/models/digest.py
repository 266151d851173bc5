"""One digest for all that decides a model's answers."""

from __future__ import annotations

import hashlib
import json

from advprop_core.models.dual_bn import DualBNModel
from advprop_core.pictures.digests import raw_bytes
from advprop_core.types import ModelInfo


def model_digest(model: DualBNModel, info: ModelInfo) -> str:
    """SHA-256 of all that decides a model's answers: its network, its numbers, its mean and std.

    Not of its file: the same weights in another file, or from timm, are the same model.
    """
    decisive = [info.architecture, dict(info.arguments), info.mean, info.std, list(info.branches)]
    digest = hashlib.sha256(json.dumps(decisive, sort_keys=True, default=str).encode())
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(raw_bytes(tensor))
    return digest.hexdigest()
