"""Adapters: the norm layers of auxiliary branches alone, for a network that somebody else trained.

An adapter is a checkpoint file that holds no more than its auxiliary branches' own tensors. Its
header describes the whole network, and names the **base** whose other tensors it needs: a
published network, a bundled one, one of timm's, or a file. The digest of the base's tensors is
compared when the adapter is opened, because on other weights its branches would mean nothing.
"""

import hashlib
from collections.abc import Mapping

from torch import Tensor

from advprop_core.models.header import CheckpointError
from advprop_core.pictures.digests import raw_bytes
from advprop_core.types import Base


def require_same(base: Base, tensors: Mapping[str, Tensor], adapter: str) -> None:
    """Refuse tensors that are not those of the base that an adapter names.

    Raises:
        CheckpointError: With the adapter's name.
    """
    if tensors_sha256(tensors) != base.sha256:
        raise CheckpointError(
            f"{adapter} is an adapter for other weights of {base.name}: its branches fit only the "
            "network that they were trained on"
        )


def tensors_sha256(tensors: Mapping[str, Tensor]) -> str:
    """Over names, shapes and float32 values: the same in whichever file they are."""
    digest = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        if name.endswith("num_batches_tracked"):  # nothing reads it in eval mode
            continue
        digest.update(f"{name} {tuple(tensor.shape)}".encode())
        digest.update(raw_bytes(tensor.float()))
    return digest.hexdigest()
