"""A photo of four colours, its files in any format, and how far a decoded one is from it."""

import io
import struct
import zlib

import numpy as np
from PIL import Image

RED, GREEN, BLUE, GREY = (220, 30, 40), (20, 200, 60), (30, 60, 210), (120, 120, 120)
QUADRANTS = np.kron(
    np.array([[RED, GREEN], [BLUE, GREY]], dtype=np.uint8), np.ones((16, 24, 1), dtype=np.uint8)
)
LOSSY = 12  # what JPEG and WebP may move a flat patch, in levels


def photo() -> Image.Image:
    """48 wide, 32 high: red, green over blue, grey."""
    return Image.fromarray(QUADRANTS)


def encode(image: Image.Image, form: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def corners(image: Image.Image) -> np.ndarray:
    """The middles of the four quadrants, row by row."""
    levels = np.asarray(image).astype(int)
    height, width = levels.shape[:2]
    return levels[[height // 4, 3 * height // 4]][:, [width // 4, 3 * width // 4]]


def distance(image: Image.Image, levels: np.ndarray) -> int:
    return int(np.abs(np.asarray(image).astype(int) - levels.astype(int)).max())


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png16(levels: np.ndarray, colour_type: int, *extra: bytes) -> bytes:
    """A 16-bit PNG, which PIL cannot write in colour."""
    height, width = levels.shape[:2]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in levels)
    header = struct.pack(">IIBBBBB", width, height, 16, colour_type, 0, 0, 0)
    chunks = [chunk(b"IHDR", header), *extra, chunk(b"IDAT", zlib.compress(rows))]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks) + chunk(b"IEND", b"")


def exif(orientation: int) -> Image.Exif:
    block = Image.Exif()
    block[0x0112] = orientation
    block[0x010E] = "taken at home"
    return block
