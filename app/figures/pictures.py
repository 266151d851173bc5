"""Pictures as PNGs."""

from PIL import Image

from advprop_core.pictures.decoding import encode_png
from advprop_core.report.colours import Array
from advprop_core.report.drawing import to_image


def to_png(values: Array, side: int = 448) -> bytes:
    """(3, H, W) in [0, 1] as a PNG, enlarged by a whole factor, so that its pixels can be seen."""
    image = to_image(values)
    if (factor := side // image.width) > 1:
        size = (image.width * factor, image.height * factor)
        image = image.resize(size, Image.Resampling.NEAREST)
    return encode_png(image)
