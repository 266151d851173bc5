"""Which image formats are read, and how the bytes of a file show its format."""

import io
import re
import struct
from typing import Final

from PIL import Image, ImageFile, JpegImagePlugin

from advprop_core.errors import InputError

# Formats that Pillow knows and that are refused: EPS and WMF run another program, BUFR, GRIB, HDF5
# and MPEG have no decoder, FITS unpacks without a limit, IPTC is a wrapper around other formats,
# the textures of games (BLP, FTEX) are decoded so slowly that one file blocks a server, and IM,
# which has no signature, will leave Pillow.
_REFUSED: Final = frozenset(
    {"EPS", "WMF", "BUFR", "GRIB", "HDF5", "MPEG", "FITS", "IPTC", "BLP", "FTEX", "IM"}
)

_FORMATS: Final = {
    ending: name
    for ending, name in Image.registered_extensions().items()  # loads all of Pillow's readers
    if name in Image.OPEN.keys() | {"MPO"} and name not in _REFUSED
}
EXTENSIONS: Final = frozenset(_FORMATS)
"""File name endings, in lower case, of the formats that can be read."""

_CERTAIN: Final = ("JPEG", "PNG", "WEBP", "GIF", "TIFF")
"""Formats whose first bytes are those of no other file: one that cannot be read is damaged."""
_READERS: Final = {
    name: Image.OPEN[name] for name in (*_CERTAIN, *Image.ID) if name in _FORMATS.values()
}
# Not Pillow's own way, which would make an MPO of the stereo photos of some cameras: they begin
# with a JPEG.
_READERS["JPEG"] = JpegImagePlugin.JpegImageFile, Image.OPEN["JPEG"][1]
_PREFIX: Final = 16  # bytes that Pillow's readers look at to accept a file

_NOT_PHOTOS: Final = (
    (re.compile(rb"<!doctype html|<html", re.IGNORECASE),
     "This is a web page, not an image: save the picture itself as JPEG or PNG."),
    (re.compile(rb"<svg[\s>]", re.IGNORECASE),
     "This is an SVG drawing, not a photo: export it as PNG."),
    (re.compile(rb"\A.{4}ftyp(?:hei|hev|mif1|msf1)", re.DOTALL),
     "HEIC photos cannot be read: convert the photo to JPEG."),
    (re.compile(rb"\A%PDF-"),
     "This is a PDF document, not an image: export the picture as JPEG or PNG."),
)  # fmt: skip

_PNG_START: Final = b"\x89PNG\r\n\x1a\n"
_PNG_TEXT: Final = (b"tEXt", b"zTXt", b"iTXt", b"iCCP")


class ImageError(InputError):
    """Bytes that cannot become a photo."""


class DamagedImage(ImageError):
    """An image of a known format whose content cannot be read."""

    def __init__(self, name: str | None) -> None:
        super().__init__(
            f"This {name} image is cut off, damaged or of a rare kind: "
            "download it again, or save it as JPEG or PNG."
        )


def open_image(data: bytes) -> ImageFile.ImageFile:
    """Reads the header of an image file.

    Raises:
        DamagedImage: The format is known, but not the content.
        ImageError: The bytes are no image.
        PIL.Image.DecompressionBombError: A reader found the image too large.
    """
    # Not Image.open, which would warn or raise by the process-wide Image.MAX_IMAGE_PIXELS before
    # our own limits are checked.
    for name, (reader, accept) in _READERS.items():
        try:
            # Pillow answers with a sentence where the library for a format is not installed.
            if accept is not None and accept(data[:_PREFIX]) is not True:
                continue
            image = reader(io.BytesIO(data), "")
        except Image.DecompressionBombError:
            raise
        # On damaged files Pillow's readers let through whatever their parsers trip over
        # (SyntaxError, struct.error, KeyError, zlib.error, MemoryError, a Warning …).
        except Exception as error:
            if name in _CERTAIN:
                raise DamagedImage(name) from error
            continue
        assert isinstance(image, ImageFile.ImageFile)
        return image
    raise ImageError(_why_no_image(data))


def without_text(data: bytes) -> bytes:
    """A PNG without text and colour profile, whose length Pillow limits; other files as they are.

    Text can say which way is up, so this is for files that cannot be read otherwise.
    """
    if not data.startswith(_PNG_START):
        return data
    chunks, start = [_PNG_START], len(_PNG_START)
    while start + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, start)
        end = start + 12 + length  # length, kind, content and checksum
        if kind not in _PNG_TEXT:
            chunks.append(data[start:end])
        start = end
    return b"".join(chunks)


def _why_no_image(data: bytes) -> str:
    if not data:
        return "The file is empty (0 bytes): choose another one."
    for sign, message in _NOT_PHOTOS:
        if sign.search(data[:1024]):
            return message
    return "This file is not an image that can be read: use JPEG, PNG, WebP, AVIF, GIF or TIFF."
