"""The pictures that a page begins with: photos of scikit-image, or drawn scenes."""

import base64
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import skimage
from PIL import Image

from advprop_core.datasets.texture_shapes.scenes import SHAPES, TEXTURES, draw_scene
from advprop_core.pictures.decoding import decode, encode_png, fit
from advprop_core.pictures.files import read_file
from advprop_core.types import ModelInfo

# Title, and the WordNet id of ImageNet's class for it; it has none for the astronaut.
_PHOTOS = {
    "coffee": ("Coffee", "n07920052"),  # espresso
    "chelsea": ("Cat", "n02123045"),  # tabby
    "rocket": ("Rocket", "n03773504"),  # missile
    "motorcycle_left": ("Motorcycle", "n03785016"),  # moped
    "astronaut": ("Astronaut", None),
}
_WORDNET_ID = re.compile(r"n\d{8}")
_SCENES = (2, 0, 1, 3, 4, 5)
_SCENE_SEED = 1  # networks are trained on another


@dataclass(frozen=True)
class PagePicture:
    """A picture as one network sees it.

    Attributes:
        name: Short and unique in its page, for the link.
        title: What a person reads.
        image: 8-bit RGB, square, of the network's size.
        true_class: Class index; "none" where no class of the network is right, None where it is
            not known what is.
    """

    name: str
    title: str
    image: Image.Image
    true_class: int | Literal["none"] | None

    def entry(self) -> dict[str, Any]:
        """As the page's manifest lists it."""
        png = data_url(self.image)
        return {"name": self.name, "title": self.title, "png": png, "true_class": self.true_class}


def data_url(image: Image.Image) -> str:
    """An address that holds the picture itself, as PNG."""
    return f"data:image/png;base64,{base64.b64encode(encode_png(image)).decode()}"


def pictures_for(info: ModelInfo, size: int, files: tuple[Path, ...] = ()) -> list[PagePicture]:
    """The given files first; then scenes for a network that knows them, else photos.

    Raises:
        InputError: For a file that is no picture.
    """
    pictures = [
        PagePicture(f"own-{number}", file.stem, fit(decode(read_file(file)), size), None)
        for number, file in enumerate(files, 1)
    ]
    if set(SHAPES) <= set(info.class_ids):
        for number in _SCENES:
            scene = draw_scene(_SCENE_SEED, number, size=size)
            shape = SHAPES[scene.shape]
            title, image = f"{shape}, covered in {TEXTURES[scene.texture]}", scene.image
            true_class = info.class_ids.index(shape)
            pictures.append(
                PagePicture(f"scene-{number}", title, Image.fromarray(image), true_class)
            )
        return pictures
    # Classes that are named otherwise than in ImageNet may mean the same: nothing is known.
    are_imagenets = all(map(_WORDNET_ID.fullmatch, info.class_ids))
    folder = Path(skimage.__file__).parent / "data"
    for name, (title, right) in _PHOTOS.items():
        (file,) = folder.glob(f"{name}.*")
        photo_class: int | Literal["none"] | None = "none" if are_imagenets else None
        if right in info.class_ids:
            photo_class = info.class_ids.index(right)
        pictures.append(PagePicture(name, title, fit(decode(file.read_bytes()), size), photo_class))
    return pictures
