"""Finished cells on disk, so that an interrupted evaluation goes on where it was."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from advprop_core.evaluation.cells import Cell, Subject
from advprop_core.evaluation.digests import data_digest
from advprop_core.evaluation.results import Answers

FORMAT = 1
"""Raised when a cell's form, or what its figures mean, changes."""

_FORMAT_KEY, _CELL_KEY = "advprop_cell_format", "cell"


class CellStore:
    """A folder with a file for each finished cell.

    A cell is found again by all that decides its figures: the model's and the data's digests,
    the condition with its seed, the branch, the number of images and the batch size. Files
    appear whole or not at all, so the process may be ended at any moment.

    Attributes:
        reused: How many cells were found.
        written: How many were kept.
    """

    def __init__(self, folder: Path, models: dict[str, str]) -> None:
        """Open the folder; it is made when the first cell is kept.

        Args:
            folder: May exist.
            models: Subject's name to its model's digest.
        """
        self.folder = folder
        self.reused = 0
        self.written = 0
        self._models = models
        self._digests: dict[int, str] = {}

    def read(self, subject: Subject, cell: Cell, batch_size: int) -> Answers | None:
        """What was kept of a cell, or None.

        Raises:
            ValueError: If the file was written in another format.
        """
        identity = self._identity(subject, cell, batch_size)
        path = self._path(identity)
        if not path.is_file():
            return None
        try:
            with safe_open(path, "pt") as file:
                header = file.metadata() or {}
                names = [field.name for field in fields(Answers)]
                if header.get(_FORMAT_KEY) == str(FORMAT):
                    answers = Answers(*(file.get_tensor(name) for name in names))
        except SafetensorError:  # damaged on disk: measured again, and replaced
            return None
        require_format(path, header.get(_FORMAT_KEY), FORMAT)
        if header.get(_CELL_KEY) != identity:
            return None
        self.reused += 1
        return answers

    def write(self, subject: Subject, cell: Cell, batch_size: int, answers: Answers) -> None:
        """Keep a finished cell, whole or not at all."""
        identity = self._identity(subject, cell, batch_size)
        path = self._path(identity)
        path.parent.mkdir(parents=True, exist_ok=True)
        columns = {field.name: getattr(answers, field.name) for field in fields(Answers)}
        unfinished = path.with_suffix(f".{os.getpid()}.tmp")
        try:
            save_file(columns, unfinished, {_FORMAT_KEY: str(FORMAT), _CELL_KEY: identity})
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
        self.written += 1

    def _path(self, identity: str) -> Path:
        return self.folder / f"{hashlib.sha256(identity.encode()).hexdigest()[:32]}.safetensors"

    def _identity(self, subject: Subject, cell: Cell, batch_size: int) -> str:
        known: dict[str, Any] = {
            "model": self._models[subject.name],
            "size": subject.size,
            "branch": cell.branch,
            "condition": asdict(cell.condition),
            "n": len(subject.labels),
            "data": self._data(subject, corrupted=cell.condition.corruption is not None),
            "batch_size": batch_size,
        }
        return json.dumps(known, sort_keys=True)

    def _data(self, subject: Subject, *, corrupted: bool) -> str:
        images = subject.photos if corrupted else subject.images
        assert images is not None
        if id(images) not in self._digests:  # subjects keep their tensors as long as this lives
            self._digests[id(images)] = data_digest(images, subject.labels)
        return self._digests[id(images)]


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
