"""Where a picture comes from: drawn scenes, sample photos, a folder, an upload.

A picture travels as a short text: ``scene:3`` (TextureShapes), ``conflict:3`` (its texture of
another class), ``photo:coffee`` (scikit-image's), ``folder:church/a.jpg`` (the person's own) or
``upload:KEY`` (kept by the server for a while).
"""

from __future__ import annotations

import io
import os
import threading
from collections import OrderedDict
from dataclasses import dataclass
from heapq import nsmallest
from itertools import chain, islice, zip_longest
from pathlib import Path
from typing import TYPE_CHECKING

from advprop_core.datasets.splits import class_folder
from advprop_core.pictures.decoding import EXTENSIONS, content_key
from app.shell.messages import quote, tame

if TYPE_CHECKING:
    import numpy as np

PHOTOS = {
    "coffee": "Coffee",
    "chelsea": "Cat",
    "astronaut": "Astronaut",
    "rocket": "Rocket",
    "motorcycle_left": "Motorcycle",
    "camera": "Cameraman (grey)",
}
SCENES = 12
DRAWN = {"scene": "shapes", "conflict": "shapes-conflict"}
_SCENE_SEED = 1  # the set the bundled networks were not trained on
_KEPT_UPLOADS = 48


class PictureGone(LookupError):
    """A picture that a link names and that is not here; the message is fit to read."""


@dataclass(frozen=True)
class Picture:
    """Bytes of a picture and what is known of it.

    Attributes:
        data: An encoded image file.
        label: Id or name of its true class, or None.
        title: What a person reads.
    """

    data: bytes
    label: str | None
    title: str


class UploadStore:
    """Uploads by content, the oldest dropped first; shared by all sessions of the server."""

    def __init__(self, capacity: int = _KEPT_UPLOADS) -> None:
        self._capacity = capacity
        self._items: OrderedDict[str, bytes] = OrderedDict()
        self._lock = threading.Lock()

    def put(self, data: bytes) -> str:
        """Keep the bytes; returns the key that a link may name.

        The key is a hash of the whole content: only who has the picture can guess it.
        """
        name = content_key(data)
        with self._lock:
            self._items[name] = data
            self._items.move_to_end(name)
            while len(self._items) > self._capacity:
                self._items.popitem(last=False)
        return name

    def get(self, name: str) -> bytes | None:
        """The bytes, or None when they were dropped."""
        with self._lock:
            return self._items.get(name)


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
    """

    names: tuple[str, ...]
    total: int


def folder_photos(limit: int = 500) -> OwnPhotos:
    """Photos of the person's own folder: all, or as many of each folder in it as there is room."""
    folder = own_folder()
    if folder is None:
        return OwnPhotos((), 0)
    by_place, total = [], 0
    for place, inner, files in os.walk(folder):
        inner[:] = sorted(name for name in inner if name[0] != ".")
        own = [name for name in files if os.path.splitext(name)[1].lower() in EXTENSIONS]
        total += len(own)
        inside = Path(place).relative_to(folder)
        by_place.append([(inside, name) for name in nsmallest(limit, own)])
    turns = chain.from_iterable(zip_longest(*by_place))
    offered = islice((one for one in turns if one), limit)
    return OwnPhotos(tuple(sorted((place / name).as_posix() for place, name in offered)), total)


def open_picture(source: str, size: int, uploads: UploadStore) -> Picture:
    """The picture a short text names.

    Args:
        source: ``scene:3``, ``photo:coffee``, …
        size: Side in pixels that a scene is drawn at: what the network takes.
        uploads: Where uploads are kept.

    Raises:
        PictureGone: If there is no such picture, or no more.
    """
    kind, _, name = source.partition(":")
    if kind in DRAWN and name.isascii() and name.isdigit() and int(name) < 1_000_000:
        return _scene(kind, int(name), size)
    if kind == "photo" and name in PHOTOS:
        return _sample_photo(name)
    if kind == "folder":
        return _own_photo(name)
    if kind == "upload":
        data = uploads.get(name)
        if data is None:
            raise PictureGone(
                "This link's photo was uploaded earlier and the server no longer keeps it: "
                "upload it again."
            )
        return Picture(data, None, "Your photo")
    raise PictureGone(f"There is no picture {quote(source)} here.")


def _scene(kind: str, index: int, size: int) -> Picture:
    from advprop_core.datasets.texture_shapes.scenes import AGREEMENT, SHAPES, TEXTURES, draw_scene

    scene = draw_scene(_SCENE_SEED, index, texture_agreement=AGREEMENT[DRAWN[kind]], size=size)
    title = f"{SHAPES[scene.shape]}, covered in {TEXTURES[scene.texture]}"
    if scene.shape != scene.texture:
        title += f" (which usually goes with {SHAPES[scene.texture]})"
    return Picture(_png(scene.image), SHAPES[scene.shape], title)


def object_mask(source: str, size: int) -> np.ndarray | None:
    """(size, size) bool, true on the object of a drawn scene; None for other pictures."""
    kind, _, name = source.partition(":")
    if kind not in DRAWN:
        return None
    from advprop_core.datasets.texture_shapes.scenes import AGREEMENT, draw_scene

    agreement = AGREEMENT[DRAWN[kind]]
    return draw_scene(_SCENE_SEED, int(name), texture_agreement=agreement, size=size).mask


def _sample_photo(name: str) -> Picture:
    import skimage

    folder = Path(skimage.__file__).parent / "data"
    path = next(folder.glob(f"{name}.*"))
    return Picture(path.read_bytes(), None, PHOTOS[name])


def _own_photo(name: str) -> Picture:
    folder = own_folder()
    gone = PictureGone(f"There is no photo {quote(name)} in the folder of this app.")
    if folder is None:
        raise gone
    try:
        path = (folder / name).resolve()
        if not path.is_relative_to(folder.resolve()):
            raise gone
        return Picture(path.read_bytes(), class_folder(folder, name), tame(path.name))
    except (OSError, ValueError, RuntimeError):  # also a zero byte, and a loop of links
        raise gone from None


def _png(array: object) -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, "PNG")  # type: ignore[arg-type]
    return buffer.getvalue()
