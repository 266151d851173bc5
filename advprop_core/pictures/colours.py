"""Images of any mode as 8-bit RGB."""

import numpy as np
from PIL import Image


def to_rgb(image: Image.Image) -> Image.Image:
    """Any mode as 8-bit RGB, what is transparent over white; RGB as it is."""
    return image if image.mode == "RGB" else over_white(to_colours(image))


def to_colours(image: Image.Image) -> Image.Image:
    """Any mode as 8-bit RGB, or RGBA where something is transparent; always a new image.

    An image that is transparent everywhere is taken as opaque: a writer that does not know of
    alpha leaves it at 0, and over white nothing of the picture would be left.
    """
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        image = _eight_bit(image)
    if image.mode == "La":  # premultiplied grey, which PIL converts to LA only
        image = image.convert("LA")
    if not image.has_transparency_data:
        return image.convert("RGB")
    colours = image.convert("RGBA")
    _, most_opaque = colours.getchannel("A").getextrema()
    return colours if most_opaque else colours.convert("RGB")


def over_white(colours: Image.Image) -> Image.Image:
    """RGBA over white; RGB as it is."""
    if colours.mode == "RGB":
        return colours
    white = Image.new("RGBA", colours.size, "white")
    return Image.alpha_composite(white, colours).convert("RGB")


def _eight_bit(image: Image.Image) -> Image.Image:
    """Deep grey as 8-bit grey: PIL would clip everything above 255 to white.

    The result has alpha where a level of the image is declared transparent.
    """
    values = np.asarray(image)
    grey = np.empty(values.shape, np.uint8)
    customary = {"F": (1, 255, 65535), "I": (255, 65535)}.get(image.mode, (65535,))
    highest = max(float(_finite(values[rows]).max()) for rows in _bands(values.shape))
    white = next((level for level in customary if highest <= level), highest)
    for rows in _bands(values.shape):  # floats of the whole image would take four times as much
        grey[rows] = (_finite(values[rows]) * (255 / white) + 0.5).clip(0, 255)
    result = Image.fromarray(grey)
    if "transparency" in image.info:
        opaque = values != image.info["transparency"]
        result.putalpha(Image.fromarray(np.where(opaque, 255, 0).astype(np.uint8)))
    return result


def _finite(values: np.ndarray) -> np.ndarray:
    floats: np.ndarray = np.nan_to_num(values.astype(np.float32), posinf=0.0, neginf=0.0)
    return floats


def _bands(shape: tuple[int, ...]) -> list[slice]:
    """Rows of about a million values at a time."""
    height = max(1, 2**20 // shape[1])
    return [slice(top, top + height) for top in range(0, shape[0], height)]
