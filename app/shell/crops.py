"""The square of a photo that the network sees, where a person chose another than the middle.

It travels with the picture: ``upload:KEY@LEFT.TOP.SIDE``, in thousandths of the shorter side.
"""

import re
from typing import NamedTuple

from PIL import Image

WHOLE = 1000
SMALLEST = 50
_CROP = re.compile(r"@(\d{1,6})\.(\d{1,6})\.(\d{1,4})$")


class Crop(NamedTuple):
    """A square, in thousandths of the photo's shorter side."""

    left: int
    top: int
    side: int

    def __str__(self) -> str:
        return ".".join(map(str, self))

    def cut(self, photo: Image.Image) -> Image.Image:
        """The part of a photo in it; where it leaves the photo, it is moved inside."""
        unit = min(photo.size) / WHOLE
        side = max(1, round(self.side * unit))
        left = min(round(self.left * unit), photo.width - side)
        top = min(round(self.top * unit), photo.height - side)
        return photo.crop((left, top, left + side, top + side))


def split(source: str) -> tuple[str, Crop | None]:
    """The picture without its crop, and the crop; None where there is none that can be used."""
    match = _CROP.search(source)
    if match is None:
        return source, None
    crop = Crop(*map(int, match.groups()))
    return source[: match.start()], crop if SMALLEST <= crop.side <= WHOLE else None


def parse(text: str) -> Crop | None:
    """A crop as ``str`` writes it, or None for any other text."""
    return split(f"@{text}")[1]
