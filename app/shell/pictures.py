"""Where a picture comes from: drawn scenes, sample photos, a folder, an upload.

A picture travels as a short text: ``scene:3`` (TextureShapes), ``training:3`` (one that networks
were trained on), ``conflict:3`` (its texture of another class), ``photo:coffee`` (scikit-image's),
``folder:church/a.jpg`` (the person's own), ``set:KEY/church/a.jpg`` (of a zip) or ``upload:KEY``,
both kept by the server for a while. A photo may have a crop: see :mod:`app.shell.crops`.

Others may look at the app, so it shows no file outside the person's folder, not even by a link.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import skimage
from PIL import Image

from advprop_core.datasets.class_folders import class_folder, draw_evenly
from advprop_core.datasets.texture_shapes.scenes import (
    AGREEMENT,
    SEEDS,
    SHAPES,
    TEXTURES,
    Scene,
    draw_scene,
)
from advprop_core.errors import AdvPropError
from advprop_core.pictures.decoding import decode, encode_png
from advprop_core.pictures.files import (
    describe_left_out,
    is_hidden,
    is_picture,
    list_pictures,
    read_file,
)
from advprop_core.text import legible
from advprop_core.types import ModelInfo
from app.language.text import N_, Sentence, _
from app.shell import crops
from app.shell.crops import Crop
from app.shell.messages import quote, tame
from app.shell.store import BoundedStore

PHOTOS = {
    "coffee": N_("Coffee"),
    "chelsea": N_("Cat"),
    "astronaut": N_("Astronaut"),
    "rocket": N_("Rocket"),
    "motorcycle_left": N_("Motorcycle"),
    "camera": N_("Cameraman (grey)"),
}
SCENES = 12
DRAWN = {"scene": "shapes", "conflict": "shapes-conflict", "training": "shapes"}
_SPLITS = {"training": "train"}  # the others are of the set that no network was trained on
_PHOTO_CLASSES = {
    "coffee": ("n07920052", "n07930864"),  # espresso, cup
    "chelsea": ("n02123045", "n02123159", "n02124075"),  # tabby, tiger cat, Egyptian cat
    "astronaut": (),
    "rocket": ("n03773504", "n04008634", "n04266014"),  # missile, projectile, space shuttle
    "motorcycle_left": ("n03785016", "n03791053"),  # moped, motor scooter
    "camera": ("n04485082",),  # tripod
}
"""What ImageNet calls what is in a sample photo: none where it has no class for it."""
_WORDNET_ID = re.compile(r"n\d{8}")
_INDEX = re.compile("[0-9]{1,6}")  # of a scene; Python refuses to read numbers of many digits

# How `legible` writes a byte of a name that is no UTF-8.
_HALF_CHARACTER = re.compile(r"\\u(dc[89a-f][0-9a-f])")


class PictureGone(AdvPropError, LookupError):
    """A picture that a link names and that is not here."""


class Stamp(NamedTuple):
    """A file that is written anew has another one."""

    changed: int
    size: int


@dataclass(frozen=True)
class Picture:
    """Bytes of a picture and what is known of it.

    Attributes:
        data: An encoded image file.
        label: Id or name of its true class, or None.
        title: What a person reads: a file's name, or in English what can be translated.
    """

    data: bytes
    label: str | None
    title: str


def stamp(path: Path) -> Stamp:
    """The stamp of a file; an OSError where there is none."""
    facts = path.stat()
    return Stamp(facts.st_mtime_ns, facts.st_size)


def own_folder() -> Path | None:
    """The folder of the person's own photos, if the command line named one."""
    named = os.environ.get("ADVPROP_IMAGES")
    return Path(named) if named else None


@dataclass(frozen=True)
class OwnPhotos:
    """What the person's own folder offers.

    Attributes:
        names: Paths relative to it, sorted.
        total: How many photos it holds; more than are offered, where it is large.
        left_out: What else lies there, in a sentence, or None.
    """

    names: tuple[str, ...]
    total: int
    left_out: str | None = None


def folder_photos(limit: int = 500) -> OwnPhotos:
    """Photos of the person's own folder: all, or as many of each folder in it as there is room."""
    folder = own_folder()
    if folder is None:
        return OwnPhotos((), 0)
    photos, left_out = list_pictures(folder, within=folder)
    by_folder: dict[Path, list[Path]] = {}
    for path in photos:
        by_folder.setdefault(path.parent, []).append(path)
    offered = draw_evenly(list(by_folder.values()), limit)
    return OwnPhotos(
        tuple(sorted(_written(path, folder) for path in offered)),
        len(photos),
        describe_left_out(left_out, folder),
    )


def folder_source(path: Path, folder: Path) -> str:
    """The short text that names a photo of the person's folder."""
    return f"folder:{_written(path, folder)}"


def set_source(path: Path, folder: Path, key: str) -> str:
    """The short text that names a photo of a zip that was given, which is kept in this folder."""
    return f"set:{key}/{_written(path, folder)}"


def _written(path: Path, folder: Path) -> str:
    return legible(path.relative_to(folder).as_posix())


def key_of(source: str) -> tuple[str, Stamp | None]:
    """What a picture is known by: the one spelling of its source, and the stamp of a photo.

    A photo of the person's folder that is replaced is another picture. It must be there, or
    PictureGone is raised.
    """
    whole, crop = crops.split(source)
    kind, __, name = whole.partition(":")
    if kind != "folder":
        return source, None
    root, path = _find_photo(own_folder(), name)
    return with_crop(folder_source(path, root), crop), stamp(path)


def with_crop(source: str, crop: Crop | None) -> str:
    """A whole photo with a crop, or with none."""
    return source if crop is None else f"{source}@{crop}"


def can_be_cropped(source: str) -> bool:
    """Whether it is a photo: scenes are drawn as the network takes them."""
    return source.partition(":")[0] not in DRAWN


def open_picture(
    source: str,
    size: int,
    uploads: BoundedStore[str, bytes],
    set_folder: Callable[[str], Path | None] = lambda key: None,
) -> Picture:
    """The picture a short text names; a scene is drawn at ``size``, the side that a network takes.

    Photos that the server keeps are in ``uploads``, or in the folder of a zip's key.

    Raises:
        PictureGone: If there is no such picture, or no more.
        ImageError: If a photo that is to be cropped cannot be read.
    """
    whole, crop = crops.split(source)
    if crop is not None and can_be_cropped(whole):
        picture = open_picture(whole, size, uploads, set_folder)
        return replace(picture, data=encode_png(crop.cut(decode(picture.data))))
    # A scene with a crop stays whole here, and is then no picture that there is.
    kind, __, name = source.partition(":")
    if (scene := drawn_scene(source, size)) is not None:
        return _of_scene(scene)
    if kind == "photo" and name in PHOTOS:
        path = next((Path(skimage.__file__).parent / "data").glob(f"{name}.*"))
        return Picture(path.read_bytes(), None, PHOTOS[name])
    if kind == "folder":
        root, path = _find_photo(own_folder(), name)
        label = class_folder(root, str(path.relative_to(root)))
        return Picture(read_file(path), label, tame(path.name))
    if kind == "set":
        key, __, photo = name.partition("/")
        if (folder := set_folder(key)) is None:
            raise PictureGone(_("The server no longer keeps the zip of this photo: give it again."))
        path = _find_photo(folder, photo)[1]
        return Picture(read_file(path), path.parent.name, tame(path.name))
    if kind == "upload":
        data = uploads.get(name)
        if data is None:
            raise PictureGone(
                _(
                    "This link's photo was uploaded earlier and the server no longer keeps it: "
                    "upload it again."
                )
            )
        return Picture(data, None, N_("Your photo"))
    raise PictureGone(_("There is no picture {source} here.", source=quote(source)))


def drawn_scene(source: str, size: int) -> Scene | None:
    """The scene that a short text names, drawn at a size; None for other pictures."""
    kind, __, index = source.partition(":")
    if kind not in DRAWN or not _INDEX.fullmatch(index):
        return None
    seed = SEEDS[_SPLITS.get(kind, "val")]
    return draw_scene(seed, int(index), texture_agreement=AGREEMENT[DRAWN[kind]], size=size)


def _of_scene(scene: Scene) -> Picture:
    shape, texture = SHAPES[scene.shape], Sentence(TEXTURES[scene.texture])
    title = Sentence("{shape}, covered in {texture}", shape=shape, texture=texture)
    if scene.shape != scene.texture:
        title = Sentence(
            "{shape}, covered in {texture} (which usually goes with {other})",
            shape=shape,
            texture=texture,
            other=SHAPES[scene.texture],
        )
    return Picture(encode_png(Image.fromarray(scene.image)), shape, title)


def suggested(info: ModelInfo) -> str | None:
    """A picture that shows what the network learnt, or None where none of ours does."""
    if not {*SHAPES}.isdisjoint(info.class_ids):
        return "scene:2"
    return None if {*_PHOTO_CLASSES["chelsea"]}.isdisjoint(info.class_ids) else "photo:chelsea"


def is_foreign(source: str, info: ModelInfo) -> bool:
    """Whether the network has no class for a picture of ours, as far as that can be told."""
    kind, __, name = crops.split(source)[0].partition(":")
    # Classes under other names may well mean what a photo shows.
    is_told = {*info.class_ids} <= {*SHAPES} or all(map(_WORDNET_ID.fullmatch, info.class_ids))
    if kind in DRAWN:
        classes = SHAPES
    elif kind == "photo" and name in PHOTOS and is_told:
        classes = _PHOTO_CLASSES[name]
    else:
        return False
    return {*classes}.isdisjoint(info.class_ids)


def _find_photo(folder: Path | None, name: str) -> tuple[Path, Path]:
    """The real paths of a folder and of a photo in it that is no hidden one."""
    if folder is not None:
        root = folder.resolve()
        as_on_disk = _HALF_CHARACTER.sub(lambda match: chr(int(match[1], 16)), name)
        for spelling in (name, as_on_disk):
            try:
                path = (root / spelling).resolve(strict=True)
                hidden = any(map(is_hidden, path.relative_to(root).parts))
                if path.is_file() and is_picture(path.name) and not hidden:
                    return root, path
            except (OSError, ValueError, RuntimeError):  # also a zero byte, or a loop of links
                continue
    raise PictureGone(_("There is no photo {name} in the folder of this app.", name=quote(name)))
