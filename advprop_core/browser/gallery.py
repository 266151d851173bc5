"""The pictures that a page begins with: photos of scikit-image, or drawn scenes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import skimage
from PIL import Image

from advprop_core.datasets.texture_shapes.scenes import SHAPES, TEXTURES, draw_scene
from advprop_core.pictures.decoding import decode, fit
from advprop_core.pictures.files import read_file
from advprop_core.types import ModelInfo

_PHOTOS = {
    "chelsea": "Cat",
    "coffee": "Coffee",
    "rocket": "Rocket",
    "motorcycle_left": "Motorcycle",
    "astronaut": "Astronaut",
}
_SCENES = (2, 0, 1, 3, 4, 5)
_SCENE_SEED = 1  # networks are trained on another


@dataclass(frozen=True)
class PagePicture:
    """A picture as one network sees it.

    Attributes:
        name: Short and unique in its page, for the link.
        title: What a person reads.
        image: 8-bit RGB, square, of the network's size.
        true_class: Class index where known.
    """

    name: str
    title: str
    image: Image.Image
    true_class: int | None


def pictures_for(info: ModelInfo, size: int, files: tuple[Path, ...] = ()) -> list[PagePicture]:
    """The given files first; then scenes for a network that knows them, else photos.

    Raises:
        InputError: For a file that is no picture.
    """
    from_files = [
        PagePicture(f"own-{number}", file.stem, fit(decode(read_file(file)), size), None)
        for number, file in enumerate(files, 1)
    ]
    if set(SHAPES) <= set(info.class_ids):
        return from_files + [_scene(number, size, info.class_ids) for number in _SCENES]
    return from_files + [
        PagePicture(name, title, fit(_photo(name), size), None) for name, title in _PHOTOS.items()
    ]


def _photo(name: str) -> Image.Image:
    (file,) = (Path(skimage.__file__).parent / "data").glob(f"{name}.*")
    return decode(file.read_bytes())


def _scene(number: int, size: int, class_ids: Sequence[str]) -> PagePicture:
    scene = draw_scene(_SCENE_SEED, number, size=size)
    shape = SHAPES[scene.shape]
    title = f"{shape}, covered in {TEXTURES[scene.texture]}"
    return PagePicture(
        f"scene-{number}", title, Image.fromarray(scene.image), class_ids.index(shape)
    )
