"""From images to pixels and back without loss, and the key of a file's bytes."""

import numpy as np
import pytest
import torch

from advprop_core import images
from advprop_core.images import decode
from tests.core.images.photos import QUADRANTS, distance, photo


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
