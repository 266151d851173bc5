"""Finished cells on disk, so that an interrupted evaluation goes on where it was."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from advprop_core.corruptions import CorruptionConfig
from advprop_core.evaluation.cells import Cell, Subject
from advprop_core.evaluation.conditions import Condition
from advprop_core.evaluation.digests import data_digest
from advprop_core.evaluation.results import Answers
from advprop_core.types import AttackConfig

FORMAT = 1
"""Raised when a cell's form, or what its figures mean, changes."""

_ANSWERS = [field.name for field in fields(Answers)]
_FORMAT_KEY, _CELL_KEY = "advprop_cell_format", "cell"


class CellStore:
    """A folder with a file for each finished cell, or for some of its images.

    A cell is found again by all that decides its figures: the model's and the data's digests,
    the condition with its seed, the branch, the number of images and the batch size. Files
    appear whole or not at all, so the process may be ended at any moment.

    Attributes:
        reused: How many cells were found.
        written: How many were kept.
    """

    def __init__(self, folder: Path, models: dict[str, str], *, device: str = "cpu") -> None:
        """Open the folder; it is made when the first cell is kept.

        Args:
            folder: May exist.
            models: Subject's name to its model's digest.
            device: The kind that networks run on. Draws of another kind are other ones.
        """
        self.folder = folder
        self.reused = 0
        self.written = 0
        self._models = models
        self._device = {} if device == "cpu" else {"device": device}
        self._digests: dict[int, str] = {}
        self._files: dict[tuple[int, CorruptionConfig], str] = {}

    def read(
        self, subject: Subject, cell: Cell, batch_size: int, rows: slice | None = None
    ) -> Answers | None:
        """What was kept of a cell, or of these of its images, or None.

        Raises:
            ValueError: If the file was written in another format.
        """
        columns = self._read(self._identity(subject, cell, batch_size, rows), _ANSWERS)
        return None if columns is None else Answers(**columns)

    def write(
        self, subject: Subject, cell: Cell, batch_size: int, rows: slice | None, answers: Answers
    ) -> None:
        """Keep it, whole or not at all."""
        columns = {name: getattr(answers, name) for name in _ANSWERS}
        self._write(self._identity(subject, cell, batch_size, rows), columns)

    def read_radii(self, subject: Subject, branch: str, attack: AttackConfig) -> Tensor | None:
        """The smallest radii that were kept of a branch, or None.

        Raises:
            ValueError: If the file was written in another format.
        """
        columns = self._read(self._radii_identity(subject, branch, attack), ["radii"])
        return None if columns is None else columns["radii"]

    def write_radii(
        self, subject: Subject, branch: str, attack: AttackConfig, radii: Tensor
    ) -> None:
        """Keep the smallest radii of a branch, whole or not at all."""
        self._write(self._radii_identity(subject, branch, attack), {"radii": radii})

    def _read(self, identity: str, names: Sequence[str]) -> dict[str, Tensor] | None:
        path = self._path(identity)
        if not path.is_file():
            return None
        try:
            with safe_open(path, "pt") as file:
                header = file.metadata() or {}
                if header.get(_FORMAT_KEY) == str(FORMAT):
                    columns = {name: file.get_tensor(name) for name in names}
        except SafetensorError:  # damaged on disk: measured again, and replaced
            return None
        require_format(path, header.get(_FORMAT_KEY), FORMAT)
        if header.get(_CELL_KEY) != identity:
            return None
        self.reused += 1
        return columns

    def _write(self, identity: str, columns: dict[str, Tensor]) -> None:
        path = self._path(identity)
        path.parent.mkdir(parents=True, exist_ok=True)
        # A name of its own for each thread too: the app's workers may finish one cell at once.
        unfinished = path.with_suffix(f".{os.getpid()}.{threading.get_ident()}.tmp")
        try:
            save_file(columns, unfinished, {_FORMAT_KEY: str(FORMAT), _CELL_KEY: identity})
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
        self.written += 1

    def _path(self, identity: str) -> Path:
        return self.folder / f"{hashlib.sha256(identity.encode()).hexdigest()[:32]}.safetensors"

    def _identity(self, subject: Subject, cell: Cell, batch_size: int, rows: slice | None) -> str:
        condition = asdict(cell.condition)
        if cell.condition.probe is None:
            del condition["probe"]  # as it was before there were probes: older cells stay known
        del condition["stored"]  # the digest of the data tells
        known: dict[str, Any] = {
            "model": self._models[subject.name],
            "size": subject.size,
            "branch": cell.branch,
            "condition": condition,
            "n": len(subject.labels),
            "data": self._data(subject, cell.condition),
            "batch_size": batch_size,
            **self._device,
        }
        if subject.among is not None:
            known["among"] = subject.among
        if rows is not None:
            known["rows"] = rows.start, rows.stop
        return json.dumps(known, sort_keys=True)

    def _radii_identity(self, subject: Subject, branch: str, attack: AttackConfig) -> str:
        known: dict[str, Any] = {
            "model": self._models[subject.name],
            "size": subject.size,
            "branch": branch,
            "smallest": asdict(attack),
            "n": len(subject.labels),
            "data": self._data(subject, Condition()),
            **self._device,
        }
        if subject.among is not None:
            known["among"] = subject.among
        return json.dumps(known, sort_keys=True)

    def _data(self, subject: Subject, condition: Condition) -> str:
        if condition.stored:
            return self._stored(subject, condition.corruption)
        images = subject.images if condition.corruption is None else subject.photos
        assert images is not None
        if id(images) not in self._digests:  # subjects keep their tensors as long as this lives
            self._digests[id(images)] = data_digest(images, subject.labels)
        return self._digests[id(images)]

    def _stored(self, subject: Subject, corruption: CorruptionConfig | None) -> str:
        stored = subject.stored
        assert stored is not None
        assert corruption is not None
        key = (id(stored), corruption)  # subjects keep theirs as long as this lives
        if key not in self._files:
            self._files[key] = stored.digest(corruption)
        return self._files[key]


def require_format(path: Path, found: object, known: int) -> None:
    """Refuse a file of another format.

    Raises:
        ValueError: The message names the file, both formats and what to do.
    """
    if str(found) != str(known):
        raise ValueError(
            f"{path} has results in format {found}, this version reads format {known}: "
            "give --report another folder, or delete this one"
        )
