"""Finished answers on disk, so that an interrupted evaluation goes on where it was."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as as_safetensors
from torch import Tensor

from advprop_core.evaluation.cells import Cell, Stored, TestedModel
from advprop_core.evaluation.conditions import Condition
from advprop_core.evaluation.results import Answers
from advprop_core.files import Keeper
from advprop_core.pictures.corruptions import CorruptionConfig
from advprop_core.pictures.digests import DIGEST_LENGTH, image_digests

FORMAT = 2
"""Raised when a file's form, or what its figures mean, changes; older files are not found."""

_ANSWERS = [field.name for field in fields(Answers)]
_IMAGES, _IDENTITY = "images", "identity"
RADII = "radii"
"""Name of the column of smallest radii; the columns of answers are the fields of ``Answers``."""


class CellStore(Keeper):
    """A folder of files, each with a cell's answers to some images.

    A cell is found again by all that decides its answers: the model's digest and size, the
    condition with its seed, and the branch; an answer by its image and label. So an evaluation of
    more images takes over what one of fewer has measured. Files appear whole or not at all, and
    the process may be ended at any moment.

    Attributes:
        reused: Of how many cells, and of how many branches' smallest radii, all was found.
        extended: Of how many a part was found.
        written: How many files were kept.
    """

    def __init__(self, folder: Path, models: dict[str, str], *, device: str = "cpu") -> None:
        """Open the folder, which need not exist, for models of these digests.

        The device is the kind that networks run on: another kind rounds in another way.
        """
        self.folder = folder
        self.reused = 0
        self.extended = 0
        self.written = 0
        self._models = models
        self._device = device
        self._image_digests = lru_cache(maxsize=None)(image_digests)
        # Of the last corruption alone: a set may have millions of files.
        self._file_digests = lru_cache(maxsize=1)(_file_digests)

    def read(self, subject: TestedModel, cell: Cell) -> tuple[Tensor, dict[str, Tensor]]:
        """What was kept of a cell.

        Returns:
            (n,) places of images, ascending; and the columns of their answers, or one of radii,
            but none where nothing was kept.
        """
        identity, images = self._key(subject, cell)
        names = [RADII] if cell.smallest else _ANSWERS
        files = [
            columns
            for path in sorted(self.folder.glob(f"{_name(identity.encode())}-*.safetensors"))
            if (columns := _read_file(path, identity, [_IMAGES, *names]))
        ]
        digests = [bytes(row) for columns in files for row in columns[_IMAGES].numpy()]
        # Where two files have the same image, either answer is good: the later one is taken.
        row_of = {digest: row for row, digest in enumerate(digests)}
        pairs = [(index, row_of[image]) for index, image in enumerate(images) if image in row_of]
        if not pairs:
            return torch.empty(0, dtype=torch.int64), {}
        self.reused += len(pairs) == len(images)
        self.extended += len(pairs) < len(images)
        places, rows = torch.tensor(pairs).unbind(1)
        return places, {
            name: torch.cat([columns[name] for columns in files])[rows] for name in names
        }

    def write(
        self, subject: TestedModel, cell: Cell, places: Tensor, columns: Mapping[str, Tensor]
    ) -> None:
        """Keep such columns of the images at (n,) places, whole or not at all."""
        identity, images = self._key(subject, cell)
        joined = b"".join(images[index] for index in places.tolist())
        path = self.folder / f"{_name(identity.encode())}-{_name(joined)}.safetensors"
        digests = torch.frombuffer(bytearray(joined), dtype=torch.uint8).view(-1, DIGEST_LENGTH)
        content = as_safetensors({**columns, _IMAGES: digests}, {_IDENTITY: identity})
        self.written += self.keep(path, content)

    def _key(self, subject: TestedModel, cell: Cell) -> tuple[str, list[bytes]]:
        """What decides the figures of a cell, and the digests of their images."""
        kind, measured = "condition", asdict(cell.condition)
        if cell.smallest:
            kind, measured = "smallest", asdict(cell.smallest)
        deciding: dict[str, Any] = {
            "format": FORMAT,
            "model": self._models[subject.name],
            "size": subject.size,
            "among": subject.among,
            "branch": cell.branch,
            "device": self._device,
            kind: measured,
        }
        return json.dumps(deciding, sort_keys=True), self._images(subject, cell.condition)

    def _images(self, subject: TestedModel, condition: Condition) -> list[bytes]:
        source = subject.source(condition)
        if isinstance(source, Tensor):
            return self._image_digests(source, subject.labels)
        assert condition.corruption is not None
        return self._file_digests(source, condition.corruption)


def _file_digests(stored: Stored, corruption: CorruptionConfig) -> list[bytes]:
    return stored.digests(corruption)


def _read_file(path: Path, identity: str, names: Sequence[str]) -> dict[str, Tensor]:
    """Its columns; none where it cannot be read, or another worker has just removed it."""
    try:
        with safe_open(path, "pt") as file:
            if (file.metadata() or {}).get(_IDENTITY) != identity:
                return {}
            return {name: file.get_tensor(name) for name in names}
    except (SafetensorError, OSError):  # what it held is measured again
        return {}


def _name(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:32]
