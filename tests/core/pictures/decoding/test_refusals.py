"""Files that are refused, and why; nothing but an ImageError comes out of them."""

import random
import struct

import numpy as np
import pytest
from PIL import Image

from advprop_core.pictures.decoding import decode
from advprop_core.pictures.formats import ImageError
from tests.core.pictures.decoding.photos import chunk, encode, exif, photo


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"just some notes\n" * 40, "not an image"),
        (bytes(500), "not an image"),
        (b"BMW is a car maker, and this a long text", "not an image"),
        (b"<!DOCTYPE html><html><body>404</body></html>", "web page"),
        (b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>', "SVG"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(200), "convert the photo to JPEG"),
        (b"%PDF-1.7\n", "PDF"),
    ],
)
def test_decode_says_why_it_is_no_image(data: bytes, words: str) -> None:
    with pytest.raises(ImageError, match=words):
        decode(data)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"])
def test_decode_refuses_truncated_images(form: str) -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8))
    data = encode(noise, form)
    for part in (0.3, 0.6, 0.9):
        with pytest.raises(ImageError, match=f"{form} image is cut off"):
            decode(data[: int(len(data) * part)])


def bomb(form: str) -> bytes:
    """A small file that declares far more pixels than it has."""
    options = {"save_all": True, "append_images": [photo().rotate(90)]} if form == "WEBP" else {}
    data = bytearray(encode(photo(), form, **options))
    if form == "PNG":
        header = struct.pack(">II", 60000, 60000) + bytes(data[24:29])
        return bytes(data[:8]) + chunk(b"IHDR", header) + bytes(data[33:])
    if form == "JPEG":
        size = data.index(b"\xff\xc0") + 5
        data[size : size + 4] = struct.pack(">HH", 60000, 60000)
    elif form == "GIF":
        data[6:10] = struct.pack("<HH", 60000, 60000)
    elif form == "BMP":
        data[18:26] = struct.pack("<ii", 60000, 60000)
    elif form == "WEBP":
        data[24:30] = (16000 - 1).to_bytes(3, "little") * 2
    elif form == "TIFF":
        for tag in (256, 257):
            entry = next(
                data.index(head)
                for kind in (3, 4)
                if (head := struct.pack("<HHI", tag, kind, 1)) in data
            )
            data[entry : entry + 12] = struct.pack("<HHII", tag, 4, 1, 60000)
    return bytes(data)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF"])
def test_decode_refuses_bombs_by_their_header(form: str) -> None:
    with pytest.raises(ImageError, match=r"more than \d+ megapixels"):
        decode(bomb(form))


@pytest.mark.parametrize(
    ("size", "words"),
    [
        ((1, 1), "1×1 pixels.*at least 8"),
        ((10000, 3), "10000×3 pixels.*at least 8"),
        ((7, 500), "7×500 pixels.*at least 8"),
        ((4000, 10), "4000×10 pixels.*at most 200 times"),
    ],
)
def test_decode_refuses_slivers(size: tuple[int, int], words: str) -> None:
    with pytest.raises(ImageError, match=words):
        decode(encode(Image.new("RGB", size), "PNG"))


def test_decode_accepts_the_smallest_and_the_longest() -> None:
    assert decode(encode(Image.new("RGB", (8, 8)), "PNG")).size == (8, 8)
    assert decode(encode(Image.new("RGB", (8000, 40)), "PNG")).size == (1600, 8)


def test_decode_takes_only_bytes() -> None:
    with pytest.raises(TypeError, match="bytes of a file, got str"):
        decode("photo.jpg")  # type: ignore[arg-type]


def damaged(data: bytes, draw: random.Random) -> bytes:
    """The file cut short, with flipped bytes, or with a sound start and nonsense after it."""
    kind = draw.randrange(4)
    if kind == 0:
        return data[: draw.randrange(len(data))]
    if kind == 1:
        return data[:16] + draw.randbytes(120)
    changed = bytearray(data)
    reach = draw.choice([64, len(data)])
    for _ in range(draw.choice([1, 3, 12])):
        changed[draw.randrange(min(reach, len(data)))] = draw.choice([0, 255, draw.randrange(256)])
    return bytes(changed)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("form", "options"),
    [
        ("JPEG", {"exif": exif(6)}),
        ("JPEG", {"progressive": True}),
        ("PNG", {"exif": exif(6)}),
        ("WEBP", {"exif": exif(6)}),
        ("WEBP", {"lossless": True}),
        ("GIF", {}),
        ("BMP", {}),
        ("TIFF", {"exif": exif(6)}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("TIFF", {"compression": "jpeg"}),
    ],
)
def test_only_image_errors_come_out_of_damaged_files(form: str, options: dict) -> None:
    data = encode(photo(), form, **options)
    draw = random.Random(0)
    outcomes = set()
    for _ in range(400):
        try:
            outcomes.add(decode(damaged(data, draw)).mode)
        except ImageError:
            outcomes.add("refused")
    assert outcomes == {"RGB", "refused"}


def test_random_bytes_are_refused() -> None:
    draw = random.Random(1)
    for _ in range(300):
        with pytest.raises(ImageError):
            decode(draw.randbytes(draw.randrange(300)))
