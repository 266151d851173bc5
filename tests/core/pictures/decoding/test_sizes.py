"""Large photos are shrunk while they are read, and `fit` scales and crops."""

import warnings

import numpy as np
from PIL import Image

from advprop_core.pictures import decoding
from advprop_core.pictures.decoding import decode
from tests.core.pictures.decoding.photos import GREEN, LOSSY, corners, distance, encode, photo


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
    near = np.asarray(decoding.fit(small, 150)).astype(int)
    assert np.abs(near - np.asarray(decoding.fit(decode(data), 150))).mean() < 1


def test_fit_covers_the_target_and_crops_the_centre() -> None:
    stripes = np.zeros((20, 60, 3), dtype=np.uint8)
    stripes[:, 20:40] = 200
    wide = Image.fromarray(stripes)
    assert np.asarray(decoding.fit(wide, 20)).min() == 200
    tall = decoding.fit(wide.transpose(Image.Transpose.ROTATE_90), 10)
    assert distance(tall, np.full((10, 10, 3), 200)) <= 30  # bicubic looks past the crop's edge
    assert decoding.fit(wide, 33).size == (33, 33)


def test_fit_antialiases() -> None:
    checks = Image.fromarray((np.indices((96, 96)).sum(0) % 2 * 255).astype(np.uint8))
    assert np.abs(np.asarray(decoding.fit(checks, 24)).astype(int) - 127.5).max() < 8


def test_a_panorama_keeps_the_shorter_side_that_is_needed() -> None:
    data = encode(Image.new("RGB", (8000, 400), "teal"), "PNG")
    assert decode(data).size == (1600, 80)
    assert min(decode(data, shorter_side=224).size) == 224
    assert min(decode(encode(Image.new("RGB", (8000, 400)), "JPEG"), shorter_side=224).size) >= 224
    assert decode(data, shorter_side=600).size == (8000, 400)
