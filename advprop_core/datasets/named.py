"""Data sets by the name a person gives on the command line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from advprop_core.datasets.folders import ImageFolder, Unreadable
from advprop_core.datasets.scenes import AGREEMENT, SHAPES, Scene
from advprop_core.datasets.shapes import TextureShapes
from advprop_core.models import imagenet_classes

_SEEDS = {"train": 0, "val": 1}
_LENGTHS = {"train": 12_000, "val": 2_000}

BUILTIN = tuple(AGREEMENT)


@dataclass(frozen=True)
class Images:
    """A data set, whole in memory.

    Attributes:
        pixels: (N, 3, S, S) uint8.
        labels: (N,) int64 class indices.
        classes: (id, name) of each class.
        unreadable: Files that were left out, each with the reason.
        ignored_classes: Folders that match no class of the model.
    """

    pixels: Tensor
    labels: Tensor
    classes: tuple[tuple[str, str], ...]
    unreadable: tuple[Unreadable, ...] = ()
    ignored_classes: tuple[str, ...] = ()


def load_images(
    name: str,
    size: int,
    *,
    split: str = "val",
    classes: Sequence[tuple[str, str]] | None = None,
    limit: int | None = None,
    strict: bool = False,
) -> Images:
    """Read a built-in data set or a folder of class folders.

    Args:
        name: ``shapes``, ``shapes-conflict`` or a folder.
        size: Side of the square images in pixels.
        split: ``train`` or ``val`` of a built-in set; a folder is read as it is.
        classes: The model's (id, name) pairs, which a folder's class folders must match.
        limit: At most this many images, spread evenly over the classes.
        strict: Refuse unreadable images and unknown classes instead of leaving them out.

    Raises:
        ValueError: If the name is neither, the folder holds no image, or the classes do not
            match; the message lists both sides.
    """
    if name in AGREEMENT:
        return _draw_shapes(name, size, split, classes, limit)
    if not Path(name).is_dir():
        raise ValueError(
            f"data must be a folder or one of {', '.join(BUILTIN)}: there is no folder {name!r}"
        )
    folder = ImageFolder(name, size=size, classes=classes, strict=strict, limit=limit)
    pixels, labels = folder.load_all()
    found = tuple(classes) if classes else readable_classes(folder.classes)
    return Images(pixels, labels, found, folder.unreadable, folder.ignored_classes)


def conflict_scenes(count: int, size: int) -> tuple[Tensor, Tensor, Tensor]:
    """The first scenes of ``shapes-conflict`` with what is in them.

    Returns:
        (N, 3, S, S) uint8 images, (N,) shapes and (N,) textures, both as class indices.
    """
    drawn = load_scenes("shapes-conflict", count, size)
    return (
        torch.stack([torch.from_numpy(scene.image.copy()).permute(2, 0, 1) for scene in drawn]),
        torch.tensor([scene.shape for scene in drawn]),
        torch.tensor([scene.texture for scene in drawn]),
    )


def load_scenes(
    name: str, count: int, size: int, *, classes: Sequence[tuple[str, str]] | None = None
) -> list[Scene]:
    """The first scenes of a built-in set that no training uses, with the masks of their objects.

    Args:
        name: ``shapes`` or ``shapes-conflict``.
        count: Number of scenes, at most 2000; classes take turns.
        size: Side of the square images in pixels.
        classes: The model's (id, name) pairs, which must be those of the set.

    Raises:
        ValueError: For another name or other classes, or a count out of its range.
    """
    if name not in AGREEMENT:
        raise ValueError(f"data must be one of {', '.join(BUILTIN)}, got {name!r}")
    if not 1 <= count <= _LENGTHS["val"]:
        raise ValueError(f"count must lie in [1, {_LENGTHS['val']}], got {count}")
    _require_shapes(name, classes)
    agreement = AGREEMENT[name]
    scenes = TextureShapes(count, seed=_SEEDS["val"], texture_agreement=agreement, size=size)
    return [scenes.scene(index) for index in range(count)]


def readable_classes(ids: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """(id, name) of each class folder; an ImageNet wnid gets its English name."""
    names = dict(imagenet_classes())
    return tuple((identity, names.get(identity, identity)) for identity in ids)


def _draw_shapes(
    name: str,
    size: int,
    split: str,
    classes: Sequence[tuple[str, str]] | None,
    limit: int | None,
) -> Images:
    _require_shapes(name, classes)
    own = tuple((shape, shape) for shape in SHAPES)
    length = min(limit or _LENGTHS[split], _LENGTHS[split])
    scenes = TextureShapes(length, seed=_SEEDS[split], texture_agreement=AGREEMENT[name], size=size)
    drawn = [scenes[index] for index in range(length)]
    return Images(
        torch.stack([image for image, _ in drawn]),
        torch.tensor([label for _, label in drawn]),
        own,
    )


def _require_shapes(name: str, classes: Sequence[tuple[str, str]] | None) -> None:
    if classes is not None and [c for c, _ in classes] != list(SHAPES):
        raise ValueError(
            f"the model's classes ({', '.join(n for _, n in classes)}) are not those of {name} "
            f"({', '.join(SHAPES)})"
        )
