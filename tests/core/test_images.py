import io
import random
import struct
import threading
import warnings
import zlib

import numpy as np
import pytest
import torch
from PIL import Image, ImageFile

from advprop_core import images
from advprop_core.images import ImageError, decode

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


def test_decode_keeps_16_bit_png_with_a_transparent_colour() -> None:
    levels = np.full((8, 8, 3), 20000)
    image = decode(png16(levels, 2, chunk(b"tRNS", struct.pack(">HHH", 1, 2, 3))))
    assert distance(image, np.full((8, 8, 3), 78)) <= 1


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
    again = images.encode_png(decode(data))
    assert decode(data).info == {}
    assert b"taken at home" in data
    assert b"taken at home" not in again
    assert b"eXIf" not in again


@pytest.mark.parametrize("form", ["GIF", "PNG", "WEBP", "TIFF"])
def test_decode_takes_the_first_frame(form: str) -> None:
    blue = Image.new("RGB", (48, 32), BLUE)
    data = encode(photo(), form, save_all=True, append_images=[blue, blue])
    assert np.abs(corners(decode(data)) - [[RED, GREEN], [BLUE, GREY]]).max() <= 2 * LOSSY


def test_decode_downsizes_large_photos_without_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fifty = decode(encode(Image.new("RGB", (8160, 6120), GREEN), "JPEG"))
        hundred = decode(encode(Image.new("L", (9000, 12000), 90), "JPEG"))
    assert fifty.size == (1600, 1200)
    assert hundred.size == (1200, 1600)
    assert np.abs(corners(fifty) - GREEN).max() <= LOSSY


def test_decode_shrinks_to_the_shorter_side_but_not_below() -> None:
    data = encode(photo().resize((960, 640)), "JPEG")
    assert decode(data).size == (960, 640)
    small = decode(data, shorter_side=150)
    assert small.size == (480, 320)  # the least that is twice what is needed
    assert decode(encode(photo(), "JPEG"), shorter_side=150).size == (48, 32)
    near = np.asarray(images.fit(small, 150)).astype(int)
    assert np.abs(near - np.asarray(images.fit(decode(data), 150))).mean() < 1


def test_decode_leaves_pil_as_it_was() -> None:
    before = (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES)
    decode(encode(photo(), "PNG"))
    with pytest.raises(ImageError):
        decode(encode(photo(), "PNG")[:90])
    assert before == (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES)


def test_decode_gives_eight_threads_what_it_gives_one() -> None:
    files = [encode(photo().rotate(10 * turn), "JPEG") for turn in range(8)]
    expected = [decode(data).tobytes() for data in files]
    results: dict[int, list[bytes]] = {}

    def work(place: int) -> None:
        results[place] = [decode(files[place]).tobytes() for _ in range(20)]

    threads = [threading.Thread(target=work, args=(place,)) for place in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(set(results[place]) == {expected[place]} for place in range(8))


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


def test_fit_covers_the_target_and_crops_the_centre() -> None:
    stripes = np.zeros((20, 60, 3), dtype=np.uint8)
    stripes[:, 20:40] = 200
    wide = Image.fromarray(stripes)
    assert np.asarray(images.fit(wide, 20)).min() == 200
    assert distance(images.fit(wide, (20, 60)), stripes) == 0
    tall = images.fit(wide.transpose(Image.Transpose.ROTATE_90), (10, 10))
    assert distance(tall, np.full((10, 10, 3), 200)) <= 30  # bicubic looks past the crop's edge
    assert images.fit(wide, (33, 7)).size == (7, 33)


def test_fit_antialiases() -> None:
    checks = Image.fromarray((np.indices((96, 96)).sum(0) % 2 * 255).astype(np.uint8))
    assert np.abs(np.asarray(images.fit(checks, 24)).astype(int) - 127.5).max() < 8


def test_fit_refuses_no_size() -> None:
    with pytest.raises(ValueError, match="size must be at least 1"):
        images.fit(photo(), (0, 5))


@pytest.mark.parametrize("mode", ["L", "1", "LA", "P", "RGBA", "CMYK", "YCbCr", "I", "F"])
def test_to_pixels_takes_any_image(mode: str) -> None:
    pixels = images.to_pixels(photo().convert(mode), (16, 24))
    assert pixels.shape == (1, 3, 16, 24)
    assert pixels.dtype == torch.float32
    assert 0 <= pixels.min() < pixels.max() <= 1


def test_to_pixels_keeps_channels_and_values() -> None:
    pixels = images.to_pixels(photo(), (32, 48))
    assert torch.equal(pixels[0], torch.from_numpy(QUADRANTS.copy()).permute(2, 0, 1) / 255)
    assert torch.equal(pixels, images.quantize(pixels))


def test_to_image_undoes_to_pixels_and_rounds_to_nearest() -> None:
    pixels = images.to_pixels(photo(), (32, 48))
    assert distance(images.to_image(pixels), QUADRANTS) == 0
    assert distance(images.to_image(pixels[0]), QUADRANTS) == 0
    values = torch.tensor([-0.1, 0.49 / 255, 0.5 / 255, 1.5 / 255, 254.49 / 255, 1.2])
    row = np.asarray(images.to_image(values.expand(3, 1, 6)))[0, :, 0]
    assert row.tolist() == [0, 0, 1, 2, 254, 255]


def test_quantize_is_the_png_round_trip() -> None:
    pixels = torch.rand(1, 3, 20, 30, generator=torch.Generator().manual_seed(0))
    decoded = decode(images.encode_png(images.to_image(pixels)))
    assert torch.equal(images.quantize(pixels), images.to_pixels(decoded, (20, 30)))
    assert (images.quantize(pixels) - pixels).abs().max() <= 0.5 / 255 + 1e-6
    every = torch.arange(256) / 255
    assert torch.equal(images.quantize(every), every)


def test_pixels_are_validated() -> None:
    with pytest.raises(ValueError, match=r"\(1,3,H,W\), got \(2, 3, 4, 4\)"):
        images.to_image(torch.zeros(2, 3, 4, 4))
    with pytest.raises(TypeError, match="divide by 255"):
        images.to_image(torch.zeros(3, 4, 4, dtype=torch.uint8))
    with pytest.raises(ValueError, match="finite"):
        images.quantize(torch.tensor([0.5, float("nan")]))


def test_content_key_tells_bytes_apart() -> None:
    assert images.content_key(b"a") == "ca978112ca1bbdcafac231b39a23dc4d"
    assert images.content_key(b"a") != images.content_key(b"b")
