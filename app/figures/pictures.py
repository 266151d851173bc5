"""Arrays to PNGs."""

from __future__ import annotations

import base64

from PIL import Image

from advprop_core.pictures.decoding import encode_png
from advprop_core.report.colours import Array
from advprop_core.report.drawing import to_image


def to_png(values: Array, side: int = 448, *, smooth: bool = True) -> bytes:
    """(3, H, W) in [0, 1] as a PNG, enlarged by a whole factor, smoothly or pixel by pixel."""
    image = to_image(values)
    if (factor := side // image.width) > 1:
        size = (image.width * factor, image.height * factor)
        image = image.resize(size, Image.Resampling.BICUBIC if smooth else Image.Resampling.NEAREST)
    return encode_png(image)


def data_uri(values: Array) -> str:
    """(3, H, W) in [0, 1] as a PNG address a figure can hold, in its own size."""
    return "data:image/png;base64," + base64.b64encode(to_png(values, 0)).decode()
