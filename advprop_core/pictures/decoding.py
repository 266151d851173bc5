"""Bytes and PIL images to pixels and back, with the guards that foreign bytes need.

Torch is loaded where pixels are made, not before: a page decodes a photo while it loads.
"""

from __future__ import annotations

import hashlib
import io
import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image, ImageFile, ImageOps, TiffImagePlugin

from advprop_core.errors import InputError
from advprop_core.pictures.colours import over_white, to_colours, to_rgb
from advprop_core.pictures.formats import DamagedImage, ImageError, open_image, without_text

if TYPE_CHECKING:
    from torch import Tensor

MAX_SIDE: Final = 1600
"""Longest side, in pixels, that `decode` returns; larger photos are downsized."""
MIN_SIDE: Final = 8
"""Shortest side, in pixels, that `decode` accepts."""
MAX_ASPECT: Final = MAX_SIDE // MIN_SIDE
"""Longest side over shorter side that `decode` accepts: beyond it, downsizing leaves a line."""
MAX_PIXELS: Final = 80_000_000
"""Declared width times height of an image that is held in full while it is read (up to 1 GB)."""
MAX_JPEG_PIXELS: Final = 200_000_000
"""The same for a baseline JPEG, which libjpeg shrinks while it reads."""
_TOO_LARGE: Final = "{} more than {} megapixels: make it smaller first."


class PixelBudget:
    """A small file may hold a large picture: what is being decoded has a common limit.

    Args:
        pixels: Of all pictures together. One alone may be larger.
    """

    def __init__(self, pixels: int) -> None:
        self._most = pixels
        self._held = 0
        self._changed = threading.Condition()

    @contextmanager
    def hold(self, pixels: int) -> Iterator[None]:
        """Wait until there is room for so many, and keep it for the block."""
        with self._changed:
            self._changed.wait_for(lambda: not self._held or self._held + pixels <= self._most)
            self._held += pixels
        try:
            yield
        finally:
            with self._changed:
                self._held -= pixels
                self._changed.notify_all()


_BUDGET: Final = PixelBudget(MAX_PIXELS)


def decode(
    data: bytes, *, shorter_side: int | None = None, max_pixels: int = MAX_PIXELS
) -> Image.Image:
    """Reads an image file of any format in :mod:`~advprop_core.pictures.formats` as a photo.

    The first frame, upright (EXIF orientation applied), alpha composited over white, and without
    metadata: no GPS position or colour profile survives. Pixels are taken as sRGB. 16-bit grey is
    scaled by 1/257; a 32-bit TIFF by the lowest customary white level that holds its maximum
    (1 for floats, 255, 65535).

    Args:
        data: The file's bytes.
        shorter_side: What the caller needs, in pixels. A JPEG may then come back smaller, and
            sooner, but never with a shorter side below this where the file has as much.
        max_pixels: Width times height of the largest image that is read. A baseline JPEG may have
            2.5 times as many. All threads together decode at most `MAX_PIXELS` at once.

    Returns:
        An 8-bit RGB image whose longest side is at most `MAX_SIDE`, or as long as the shorter side
        that the caller needs makes it.

    Raises:
        TypeError: `data` is not bytes.
        ImageError: The bytes are no image that can be read, or one of a forbidden size.
    """
    if not isinstance(data, bytes):
        raise TypeError(f"data must be the bytes of a file, got {type(data).__name__}.")
    try:
        return _decode(data, shorter_side, max_pixels)
    except DamagedImage:
        bare = without_text(data)
        if len(bare) == len(data):
            raise
        return _decode(bare, shorter_side, max_pixels)


def fit(image: Image.Image, size: int) -> Image.Image:
    """8-bit RGB of a square with this side, in pixels.

    The shorter side is resized, antialiased and bicubic, and the centre is cut out.
    """
    short = min(image.size)
    left, top = (image.width - short) / 2, (image.height - short) / 2
    box = (left, top, image.width - left, image.height - top)
    return to_rgb(image).resize((size, size), Image.Resampling.BICUBIC, box=box)


def to_bytes(image: Image.Image) -> Tensor:
    """The image as a uint8 tensor (3,H,W), RGB, 0..255."""
    import torch

    return torch.from_numpy(np.array(to_rgb(image))).permute(2, 0, 1).contiguous()


def to_pixels(image: Image.Image, size: int) -> Tensor:
    """An image of any mode, resized and centre-cropped by `fit`, as float32 (1,3,H,W) in [0,1].

    Every value is a multiple of 1/255, so the picture survives an 8-bit PNG.
    """
    return to_bytes(fit(image, size))[None].float() / 255


def to_image(pixels: Tensor) -> Image.Image:
    """(3,H,W) or (1,3,H,W) pixels as an 8-bit RGB image, rounded to the nearest level (halves up).

    Raises:
        TypeError: `pixels` are not floats.
        ValueError: `pixels` have another shape or hold NaN or infinity.
    """
    if pixels.ndim == 4 and pixels.shape[0] == 1:
        pixels = pixels[0]
    if pixels.ndim != 3 or pixels.shape[0] != 3:
        raise InputError(
            f"pixels must be (3,H,W) or (1,3,H,W), got {tuple(pixels.shape)}: pass one RGB image."
        )
    levels = _levels(pixels).cpu().byte()
    return Image.fromarray(levels.permute(1, 2, 0).contiguous().numpy())


def encode_png(image: Image.Image) -> bytes:
    """The image as the bytes of a PNG file."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def quantize(pixels: Tensor) -> Tensor:
    """What is left of pixels after an 8-bit PNG: same shape and type, multiples of 1/255."""
    return _levels(pixels) / 255


def content_key(data: bytes) -> str:
    """A name for these bytes that cannot be guessed without them: 128 bits of SHA-256, in hex."""
    return hashlib.sha256(data).hexdigest()[:32]


def _decode(data: bytes, shorter_side: int | None, max_pixels: int) -> Image.Image:
    name = None
    try:
        image = open_image(data)
        name = image.format
        photo = _read(image, shorter_side, max_pixels)
    except ImageError:
        raise
    except Image.DecompressionBombError as error:  # WebP and icons ask before we can
        raise ImageError(_TOO_LARGE.format("This image is", MAX_PIXELS // 10**6)) from error
    # Pillow's readers let through whatever their parsers trip over, and no code but theirs and
    # `_read` has run: these bytes cannot be read.
    except Exception as error:
        raise DamagedImage(name) from error
    photo.info = {}
    return photo


def _read(image: ImageFile.ImageFile, shorter_side: int | None, max_pixels: int) -> Image.Image:
    _check_size(image, max_pixels)
    if isinstance(image, TiffImagePlugin.TiffImageFile) and _is_misread(image):
        raise ImageError("This kind of 16-bit TIFF cannot be read: save it as PNG or JPEG.")
    _shorten_transparent_colour(image)
    long, short = max(image.size), min(image.size)
    # A panorama keeps a longer side, where its shorter one is needed.
    longest = max(MAX_SIDE, math.ceil((shorter_side or 0) * long / short))
    scale = min(1.0, longest / long)
    if shorter_side is not None:
        # Twice what is needed: the resizing that follows then differs by 0.4/255 from that of
        # the full image (1.7/255 at once), for a third more time.
        scale = min(scale, 2 * shorter_side / short)
    # What a JPEG is shrunk to while it is read; other formats ignore it.
    image.draft(None, (max(1, round(image.width * scale)), max(1, round(image.height * scale))))
    with _BUDGET.hold(image.width * image.height):
        image.load()
        # An icon's header may state another size than the picture inside it.
        _check_size(image, max_pixels)
        with suppress(Exception):  # a broken EXIF block raises anything, the photo is still good
            ImageOps.exif_transpose(image, in_place=True)
        colours = to_colours(image)
        colours.thumbnail((longest, longest), Image.Resampling.BICUBIC)
        return over_white(colours)


def _check_size(image: ImageFile.ImageFile, max_pixels: int) -> None:
    """Refuses, by the size in the header alone, what would be too much or too little to decode."""
    short, long = sorted(image.size)
    shape = f"This image is {image.width}×{image.height} pixels"
    baseline = image.format == "JPEG" and "progressive" not in image.info
    limit = max_pixels * MAX_JPEG_PIXELS // MAX_PIXELS if baseline else max_pixels
    if short * long > limit:
        raise ImageError(_TOO_LARGE.format(f"{shape},", limit // 10**6))
    if short < MIN_SIDE:
        raise ImageError(
            f"{shape}, but its shorter side must be at least {MIN_SIDE}: choose a larger one."
        )
    if long > MAX_ASPECT * short:
        raise ImageError(
            f"{shape}, but its longer side may be at most {MAX_ASPECT} times the shorter: crop it."
        )


def _is_misread(image: TiffImagePlugin.TiffImageFile) -> bool:
    """Whether PIL 13 reads it wrongly, and in silence: deep samples in planes, or white as zero."""
    tags = image.tag_v2
    deep = max(tags.get(TiffImagePlugin.BITSPERSAMPLE, (1,))) > 8
    planes = tags.get(TiffImagePlugin.PLANAR_CONFIGURATION) == 2
    raw_planes = planes and image.info["compression"] == "raw"
    return deep and (raw_planes or tags.get(TiffImagePlugin.PHOTOMETRIC_INTERPRETATION) == 0)


def _shorten_transparent_colour(image: ImageFile.ImageFile) -> None:
    """Makes the transparent colour of a 16-bit RGB PNG comparable with its pixels.

    Pillow keeps the upper byte of each sample but all of the colour's bits, and then compares
    the lower byte. Colours that share all upper bytes become transparent together.
    """
    colour = image.info.get("transparency")
    if isinstance(colour, tuple) and image.tile and image.tile[0].args == "RGB;16B":
        image.info["transparency"] = tuple(sample >> 8 for sample in colour)


def _levels(pixels: Tensor) -> Tensor:
    """Pixels as whole numbers 0..255 of their own float type, halves rounded up."""
    if not pixels.is_floating_point():
        raise TypeError(f"pixels must be floats in [0,1], got {pixels.dtype}: divide by 255.")
    if not pixels.isfinite().all():
        raise InputError("pixels must be finite, got NaN or infinity: check what made them.")
    return (pixels * 255 + 0.5).floor().clamp(0, 255)
