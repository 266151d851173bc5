"""Every format, depth, palette and orientation is read as the picture it shows."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from advprop_core.pictures import decoding
from advprop_core.pictures.decoding import decode
from advprop_core.pictures.formats import EXTENSIONS, ImageError
from tests.core.pictures.decoding.photos import (
    BLUE,
    GREEN,
    GREY,
    LOSSY,
    QUADRANTS,
    RED,
    chunk,
    corners,
    distance,
    encode,
    exif,
    photo,
    png16,
)


@pytest.mark.parametrize(
    ("form", "options"),
    [
        ("JPEG", {"quality": 95}),
        ("JPEG", {"quality": 95, "progressive": True}),
        ("PNG", {}),
        ("WEBP", {"quality": 95}),
        ("WEBP", {"lossless": True}),
        ("GIF", {}),
        ("BMP", {}),
        ("TIFF", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("TIFF", {"compression": "tiff_adobe_deflate"}),
    ],
)
def test_decode_reads_every_format(form: str, options: dict[str, object]) -> None:
    image = decode(encode(photo(), form, **options))
    assert image.mode == "RGB"
    assert image.size == (48, 32)
    assert np.abs(corners(image) - [[RED, GREEN], [BLUE, GREY]]).max() <= LOSSY


@pytest.mark.parametrize(
    ("form", "ending"),
    [
        ("AVIF", ".avif"),
        ("DDS", ".dds"),
        ("ICNS", ".icns"),
        ("JPEG", ".jfif"),
        ("JPEG2000", ".jp2"),
        ("MPO", ".mpo"),
        ("PCX", ".pcx"),
        ("PPM", ".ppm"),
        ("QOI", ".qoi"),
        ("SGI", ".sgi"),
        ("TGA", ".tga"),
    ],
)
def test_decode_reads_whatever_pillow_reads(form: str, ending: str) -> None:
    assert ending in EXTENSIONS
    image = decode(encode(photo(), form))
    assert np.abs(corners(image) - [[RED, GREEN], [BLUE, GREY]]).max() <= LOSSY


def test_formats_that_run_programs_or_hold_no_photo_are_not_read() -> None:
    assert EXTENSIONS.isdisjoint({".eps", ".ps", ".pdf", ".wmf", ".emf", ".mpg", ".h5", ".txt"})
    with pytest.raises(ImageError, match="not an image"):
        decode(encode(photo(), "EPS"))


def test_decode_reads_cmyk_jpeg_with_and_without_adobe_marker() -> None:
    data = encode(photo().convert("CMYK"), "JPEG", quality=95)
    marker = data.index(b"\xff\xee\x00\x0eAdobe")
    for file in (data, data[:marker] + data[marker + 16 :]):  # PIL takes both for inverted inks
        assert np.abs(corners(decode(file)) - [[RED, GREEN], [BLUE, GREY]]).max() <= LOSSY


@pytest.mark.parametrize("mode", ["L", "1", "LA"])
def test_decode_reads_grey(mode: str) -> None:
    grey = photo().convert(mode)
    expected = np.asarray(grey.convert("L"))
    assert distance(decode(encode(grey, "PNG")), expected[..., None]) == 0


def test_decode_reads_palettes_with_and_without_transparency() -> None:
    palette = photo().quantize(4)
    assert distance(decode(encode(palette, "PNG")), QUADRANTS) <= 1
    transparent = palette.getpixel((0, 0))
    for form in ("PNG", "GIF"):
        got = corners(decode(encode(palette, form, transparency=transparent)))
        assert np.abs(got - [[(255,) * 3, GREEN], [BLUE, GREY]]).max() <= 1


@pytest.mark.parametrize("form", ["PNG", "WEBP", "TIFF"])
def test_decode_composites_alpha_over_white(form: str) -> None:
    image = photo().convert("RGBA")
    image.putalpha(Image.fromarray(np.repeat(np.uint8([[0] * 24 + [102] * 24]), 32, axis=0)))
    options = {"lossless": True} if form == "WEBP" else {}
    got = corners(decode(encode(image, form, **options)))
    half = np.array([GREEN, GREY]) * 0.4 + 255 * 0.6
    assert np.abs(got[:, 0] - 255).max() == 0
    assert np.abs(got[:, 1] - half).max() <= 1


@pytest.mark.parametrize(("colour_type", "channels"), [(0, 1), (2, 3), (4, 2), (6, 4)])
def test_decode_scales_16_bit_png(colour_type: int, channels: int) -> None:
    levels = np.random.default_rng(0).integers(0, 65536, (16, 20, channels))
    if channels in (2, 4):
        levels[..., -1] = 65535
    colour = levels[..., : 3 if channels > 2 else 1]
    assert distance(decode(png16(levels, colour_type)), np.rint(colour / 257)) <= 1


def test_decode_scales_a_large_16_bit_png_by_the_whole_of_it() -> None:
    """It is converted band by band, and its brightest value lies in the last."""
    levels = np.full((1600, 1500, 1), 300)
    levels[-1] = 65535
    image = decode(png16(levels, 0))
    assert image.size == (1500, 1600)
    pixels = np.asarray(image)
    assert (pixels[:-1] == 1).all()
    assert (pixels[-1] == 255).all()


def test_decode_keeps_16_bit_png_with_a_transparent_colour() -> None:
    levels = np.full((8, 8, 3), 20000)
    image = decode(png16(levels, 2, chunk(b"tRNS", struct.pack(">HHH", 1, 2, 3))))
    assert distance(image, np.full((8, 8, 3), 78)) <= 1


def test_decode_treats_a_transparent_level_of_16_bit_grey_as_that_of_8_bits() -> None:
    grey = np.arange(256).reshape(16, 16)
    deep = png16(grey[..., None] * 257, 0, chunk(b"tRNS", struct.pack(">H", 100 * 257)))
    shallow = encode(Image.fromarray(grey.astype(np.uint8)), "PNG", transparency=100)
    assert decode(deep).tobytes() == decode(shallow).tobytes()
    assert np.asarray(decode(deep))[6, 4].tolist() == [255, 255, 255]


def test_decode_treats_a_transparent_colour_of_16_bits_as_that_of_8_bits() -> None:
    levels = QUADRANTS.astype(int) * 257
    key = struct.pack(">HHH", *(257 * level for level in RED))
    got = corners(decode(png16(levels, 2, chunk(b"tRNS", key))))
    assert got.tolist() == [[[255, 255, 255], list(GREEN)], [list(BLUE), list(GREY)]]


@pytest.mark.parametrize("form", ["BMP", "PNG", "TIFF"])
def test_decode_takes_an_image_without_any_opaque_pixel_as_opaque(form: str) -> None:
    image = photo()
    image.putalpha(0)
    assert distance(decode(encode(image, form)), QUADRANTS) == 0


@pytest.mark.parametrize("after_pixels", [False, True])
def test_decode_reads_a_png_with_more_text_than_pillow_takes(after_pixels: bool) -> None:
    data = encode(photo(), "PNG")
    text = chunk(b"zTXt", b"notes\0\0" + zlib.compress(bytes(5_000_000)))
    place = len(data) - 12 if after_pixels else 33  # before the end, or after the header
    with pytest.raises(ValueError, match="too large"):
        Image.open(io.BytesIO(data[:place] + text + data[place:])).load()
    assert distance(decode(data[:place] + text + data[place:]), QUADRANTS) == 0


@pytest.mark.parametrize(
    ("dtype", "scale"), [("uint16", 257), ("int32", 1), ("int32", 257), ("float32", 1 / 255)]
)
def test_decode_scales_deep_tiff(dtype: str, scale: float) -> None:
    grey = np.arange(256).reshape(16, 16)
    data = encode(Image.fromarray((grey * scale).astype(dtype)), "TIFF")
    assert distance(decode(data), grey[..., None]) <= 1


def test_decode_takes_a_float_tiff_without_values_as_black() -> None:
    holes = np.array([[np.nan, np.inf], [-np.inf, 0.5]], dtype=np.float32).repeat(8, 0).repeat(8, 1)
    got = corners(decode(encode(Image.fromarray(holes), "TIFF")))[..., 0]
    assert got.tolist() == [[0, 0], [0, 128]]


def test_decode_refuses_16_bit_tiff_with_white_as_zero() -> None:
    data = bytearray(encode(Image.fromarray(np.zeros((16, 16), dtype=np.uint16)), "TIFF"))
    entry = data.index(struct.pack("<HHI", 262, 3, 1))
    data[entry + 8] = 0
    with pytest.raises(ImageError, match="16-bit TIFF"):
        decode(bytes(data))


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_decode_turns_photos_upright(form: str, orientation: int) -> None:
    stored = {  # how a camera stores an upright scene, by EXIF orientation
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    scene = photo() if stored is None else photo().transpose(stored)
    options: dict[str, object] = {"JPEG": {"quality": 95}, "WEBP": {"lossless": True}}.get(form, {})
    image = decode(encode(scene, form, exif=exif(orientation), **options))
    assert image.size == (48, 32)
    assert np.abs(corners(image) - [[RED, GREEN], [BLUE, GREY]]).max() <= LOSSY


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
@pytest.mark.parametrize("form", ["JPEG", "WEBP"])
@pytest.mark.parametrize("header", [b"XX\0*\0\0\0\x08", b"MM\0*\xff\xff\xff\xff"])
def test_decode_keeps_a_photo_with_broken_exif(form: str, header: bytes) -> None:
    data = encode(photo(), form, exif=exif(6))
    broken = data.replace(b"MM\0*\0\0\0\x08", header, 1)
    assert broken != data
    assert decode(broken).size == (48, 32)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_decode_drops_metadata(form: str) -> None:
    data = encode(photo(), form, exif=exif(1))
    again = decoding.encode_png(decode(data))
    assert decode(data).info == {}
    assert b"taken at home" in data
    assert b"taken at home" not in again
    assert b"eXIf" not in again


@pytest.mark.parametrize("form", ["GIF", "PNG", "WEBP", "TIFF"])
def test_decode_takes_the_first_frame(form: str) -> None:
    blue = Image.new("RGB", (48, 32), BLUE)
    data = encode(photo(), form, save_all=True, append_images=[blue, blue])
    assert np.abs(corners(decode(data)) - [[RED, GREEN], [BLUE, GREY]]).max() <= 2 * LOSSY
