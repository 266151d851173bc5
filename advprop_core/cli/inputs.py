"""A photo and a model, opened and checked against each other."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from advprop_core.cli.model_options import open_one
from advprop_core.cli.output import class_json
from advprop_core.cli.values import find_true_class, read_branches
from advprop_core.models.bundle import bundled_models
from advprop_core.models.checkpoints import Checkpoint
from advprop_core.models.dual_bn import MAIN
from advprop_core.models.folding import fold
from advprop_core.models.settings import ModelSettings
from advprop_core.pictures import decoding
from advprop_core.pictures.files import read_file
from advprop_core.pictures.formats import ImageError
from advprop_core.types import ModelInfo


@dataclass(frozen=True)
class Subject:
    """What a single-photo command works on.

    Attributes:
        model_name: As it was given.
        checkpoint: The opened model.
        branches: The branches that predict, main first.
        image: The photo's file.
        digest: sha256 of the photo's bytes.
        pixels: (1, 3, S, S) in [0, 1], at the model's own size.
        true_class: Where known.
        true_class_source: In words, how it is known.
    """

    model_name: str
    checkpoint: Checkpoint
    branches: tuple[str, ...]
    image: Path
    digest: str
    pixels: Tensor
    true_class: int | None
    true_class_source: str

    @property
    def info(self) -> ModelInfo:
        """What the checkpoint says of itself."""
        return self.checkpoint.info

    def modules(self, *others: str, folded: bool = False) -> dict[str, nn.Module]:
        """The branches that predict, and others too, main first; folded for speed if asked."""
        model = self.checkpoint.model
        names = [name for name in model.branch_names if name in (*self.branches, *others)]
        plain = {name: model.branch(name) for name in names}
        return {n: fold(m, self.pixels) for n, m in plain.items()} if folded else {**plain}

    def attack_branch(self, given: str | None) -> str:
        """Whose gradient an attack follows.

        Raises:
            ValueError: If the model does not have the branch that was given.
        """
        if given is not None:
            self.checkpoint.model.branch(given)
            return given
        return self.branches[0] if len(self.branches) == 1 else MAIN

    def to_json(self) -> dict[str, Any]:
        """Enough to find the same photo and the same model again."""
        return {
            "image": {
                "path": str(self.image),
                "sha256": self.digest,
                "size": list(self.pixels.shape[2:]),
            },
            "model": {
                "given": self.model_name,
                "sha256": _model_digest(self.model_name),
                "name": self.info.name,
                "architecture": self.info.architecture,
                "branches": {b: self.info.branches[b] for b in self.checkpoint.model.branch_names},
                "notes": list(self.checkpoint.notes),
            },
            "true_class": class_json(self.info, self.true_class),
            "true_class_source": self.true_class_source,
        }


def open_subject(
    image: Path,
    model: str,
    *,
    settings: ModelSettings,
    branch: Sequence[str] | None,
    true_class: str | None = None,
) -> Subject:
    """Read the photo, then the model.

    Raises:
        ImageError: For a photo that cannot be read; the message names the file.
        CheckpointError: For a model that cannot be opened.
        ValueError: For a branch or a class that the model does not have.
    """
    if not image.exists():
        raise ImageError(f"{image} does not exist: give the file of a photo.")
    try:
        data = read_file(image)
        photo = decoding.decode(data)
    except ImageError as error:
        raise ImageError(f"{image}: {error}") from None
    checkpoint = open_one(model, settings)
    branches = read_branches(checkpoint.model, branch)
    known, source = find_true_class(checkpoint.info, image, true_class)
    return Subject(
        model,
        checkpoint,
        branches,
        image,
        hashlib.sha256(data).hexdigest(),
        decoding.to_pixels(photo, checkpoint.info.input_size),
        known,
        source,
    )


def _model_digest(name: str) -> str | None:
    """sha256 of the model's file; None for timm's weights."""
    file = bundled_models().get(name, Path(name))
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else None
