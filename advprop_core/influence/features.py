"""Penultimate features of a data set, computed once for each network and kept on disk."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from platformdirs import user_cache_path
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as as_safetensors
from torch import Tensor

from advprop_core.datasets.listed import ImageList, read_squares
from advprop_core.errors import InputError
from advprop_core.files import Keeper
from advprop_core.models.checkpoints import Checkpoint
from advprop_core.models.digest import branch_digest
from advprop_core.models.dual_bn import PixelNetwork
from advprop_core.models.folding import fold
from advprop_core.text import listing
from advprop_core.types import Progress

FORMAT = 2
"""Raised when the features of an image change; files of another format are not found."""
MOST_BYTES = 2_000_000_000
"""Of all files in the cache; the oldest go first."""
_BATCH = 64
_FACTS = "advprop_features"
_WORDS = {"network": "network", "images": "set of images", "size": "input size"}


@dataclass(frozen=True, eq=False)
class Features:
    """What the last layer of a branch is given of each readable image.

    Attributes:
        values: (N, D) float32.
        places: (N,) int64, where each image stands in its list.
        labels: (N,) int64 class indices.
    """

    values: Tensor
    places: Tensor
    labels: Tensor


class Extractor:
    """A frozen branch of a timm network up to its last layer, folded for speed.

    ``size`` is the side of its input in pixels.
    """

    def __init__(self, branch: PixelNetwork, size: int, device: torch.device | str = "cpu") -> None:
        folded = fold(branch, torch.zeros(1, 3, size, size)).to(device)
        assert isinstance(folded, PixelNetwork)
        self._branch, self._device = folded, device

    def __call__(self, pixels: Tensor) -> Tensor:
        """(N, 3, S, S) pixels in [0, 1] to (N, D) float32 on the CPU."""
        batch = pixels.to(self._device).contiguous(memory_format=torch.channels_last)
        with torch.no_grad():
            return self._branch.head_features(batch).cpu()


def extract(
    extractor: Extractor, images: ImageList, size: int, progress: Progress | None = None
) -> Features:
    """Features of every readable image of a list, a batch at a time.

    Raises:
        InputError: If no image of a class can be read.
    """
    values, places = list[Tensor](), list[int]()
    for start in range(0, len(images), _BATCH):
        batch = range(start, min(start + _BATCH, len(images)))
        batch_places = images.places[batch.start : batch.stop]
        pixels, _, problems = read_squares(batch_places, images.open, size)
        readable = [row for row, problem in enumerate(problems) if problem is None]
        if readable:
            values.append(extractor(pixels[readable].float() / 255))
            places += [batch[row] for row in readable]
        if progress:
            progress(batch.stop, len(images))
    readable_places = torch.tensor(places, dtype=torch.int64)
    labels = images.labels[readable_places]
    if lost := sorted({*images.labels.tolist()} - {*labels.tolist()}):
        names = listing([images.classes[label][1] for label in lost])
        raise InputError(f"{images.name} has no image of {names} that can be read: replace them")
    return Features(torch.cat(values), readable_places, labels)


class FeatureCache(Keeper):
    """A folder with features of branches and data sets, each under the digests of both.

    It need not exist yet; by default it is one of the person's own cache.
    """

    def __init__(self, folder: Path | None = None) -> None:
        in_cache = user_cache_path("advprop-lens", appauthor=False) / f"features-{FORMAT}"
        self.folder = folder or in_cache

    def features(
        self,
        checkpoint: Checkpoint,
        branch: str,
        images: ImageList,
        progress: Progress | None = None,
    ) -> Features:
        """Read what was kept, or run the network once over all images and keep that.

        Raises:
            InputError: If the file holds features of another network, set or size, or no image of
                a class can be read.
        """
        module, size = checkpoint.model.branch(branch), checkpoint.info.input_size
        network = branch_digest(module, checkpoint.info)
        facts = {"network": network, "images": images.digest, "size": size}
        path = self.folder / f"{network[:16]}-{images.digest[:16]}-{size}.safetensors"
        if path.is_file():
            stored = read_features(path, facts)
            return Features(stored["values"], stored["places"], images.labels[stored["places"]])
        features = extract(Extractor(module, size), images, size, progress)
        content = features_file({"values": features.values, "places": features.places}, facts)
        if self.failure is None:
            self._make_room(len(content))
        self.keep(path, content)
        return features

    def _make_room(self, size: int) -> None:
        files = sorted(self.folder.glob("*.safetensors"), key=lambda path: path.stat().st_mtime)
        total = sum(path.stat().st_size for path in files) + size
        for path in files:
            if total <= MOST_BYTES:
                return
            total -= path.stat().st_size
            path.unlink(missing_ok=True)


def features_file(tensors: dict[str, Tensor], facts: Mapping[str, Any]) -> bytes:
    """The content of a file with features, which says what they are of."""
    return as_safetensors(tensors, {_FACTS: json.dumps(facts)})


def read_features(path: Path, facts: Mapping[str, Any]) -> dict[str, Tensor]:
    """The tensors of such a file.

    Raises:
        InputError: If it is damaged, or its features are of something else.
    """
    try:
        with safe_open(path, "pt") as file:
            written = json.loads((file.metadata() or {}).get(_FACTS, "{}"))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  no dict
    except (SafetensorError, ValueError) as error:
        raise InputError(
            f"{path} is damaged ({error}): remove it, and its features are computed again"
        ) from error
    for key, wanted in facts.items():
        if written.get(key) != wanted:
            raise InputError(
                f"{path} holds features of another {_WORDS[key]} ({written.get(key)}, not "
                f"{wanted}): remove it"
            )
    return tensors
