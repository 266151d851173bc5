"""What a network makes of images before its head, kept on disk: computed once for each image."""

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from advprop_core.files import write_whole
from advprop_core.influence.features import Extractor, features_file, read_features
from advprop_core.pictures.digests import DIGEST_LENGTH
from advprop_core.transfer.sources import Source
from advprop_core.types import Progress

FEATURES = "features"
"""The tensor in a file of features."""
_IMAGES = "images"
_BATCH, _KEPT = 32, 512  # images of a pass; after how many the file is written


class FeatureCache:
    """A file of a source's features, found by the digest of each image.

    Args:
        folder: Where such files lie; need not exist.
        source: Whose features.
        size: Side that the source sees, in pixels.

    Raises:
        InputError: If the file of that name is damaged, or holds features of another network or at
            another size.
    """

    def __init__(self, folder: Path, source: Source, size: int) -> None:
        self._source = source
        self._facts = {"network": source.digest, "size": size}
        readable = re.sub(r"[^\w.-]+", "-", source.name)[-60:]
        name_digest = hashlib.sha256(source.name.encode()).hexdigest()[:8]
        self.path = folder / f"{readable}-{size}-{name_digest}.safetensors"
        self._rows: dict[bytes, int] = {}
        self._features = torch.empty(0, 0)
        if self.path.exists():
            stored = read_features(self.path, self._facts)
            self._features = stored[FEATURES]
            self._rows = {bytes(row): index for index, row in enumerate(stored[_IMAGES].numpy())}

    def rows(
        self,
        images: Tensor,
        digests: Sequence[bytes],
        device: torch.device,
        progress: Progress = lambda done, total: None,
    ) -> tuple[int, ...]:
        """Rows of the file's features that images have; what is missing is computed and kept.

        Args:
            images: (N, 3, S, S) uint8.
            digests: Of each image.
            device: Where the network runs.
            progress: Called with how many of the missing ones are done, and how many there are.

        Raises:
            CannotWrite: If the disk is full or forbids it; what was kept before is still there.
        """
        missing = [index for index, digest in enumerate(digests) if digest not in self._rows]
        if missing:
            extractor = Extractor(self._source.network, images.shape[-1], device)
            for start in range(0, len(missing), _KEPT):
                indices, parts = missing[start : start + _KEPT], []
                for first in range(0, len(indices), _BATCH):
                    parts.append(extractor(images[indices[first : first + _BATCH]].float() / 255))
                    progress(min(start + first + _BATCH, len(missing)), len(missing))
                self._add([digests[index] for index in indices], torch.cat(parts))
        return tuple(self._rows[digest] for digest in digests)

    def _add(self, digests: Sequence[bytes], features: Tensor) -> None:
        before = len(self._rows)
        self._features = torch.cat([self._features, features]) if before else features
        self._rows |= {digest: before + index for index, digest in enumerate(digests)}
        joined = torch.frombuffer(bytearray(b"".join(self._rows)), dtype=torch.uint8)
        tensors = {FEATURES: self._features, _IMAGES: joined.view(-1, DIGEST_LENGTH)}
        write_whole(self.path, features_file(tensors, self._facts))
