"""From images to pixels and back without loss, and the key of a file's bytes."""

import numpy as np
import pytest
import torch

from advprop_core.pictures import decoding
from advprop_core.pictures.decoding import decode
from tests.core.pictures.decoding.photos import QUADRANTS, distance, photo

CENTRE = QUADRANTS[:, 8:40]  # the largest square


@pytest.mark.parametrize("mode", ["L", "1", "LA", "P", "RGBA", "CMYK", "YCbCr", "I", "F"])
def test_to_pixels_takes_any_image(mode: str) -> None:
    pixels = decoding.to_pixels(photo().convert(mode), 16)
    assert pixels.shape == (1, 3, 16, 16)
    assert pixels.dtype == torch.float32
    assert 0 <= pixels.min() < pixels.max() <= 1


def test_to_pixels_keeps_channels_and_values() -> None:
    pixels = decoding.to_pixels(photo(), 32)
    assert torch.equal(pixels[0], torch.from_numpy(CENTRE.copy()).permute(2, 0, 1) / 255)
    assert torch.equal(pixels, decoding.quantize(pixels))


def test_to_image_undoes_to_pixels_and_rounds_to_nearest() -> None:
    pixels = decoding.to_pixels(photo(), 32)
    assert distance(decoding.to_image(pixels), CENTRE) == 0
    assert distance(decoding.to_image(pixels[0]), CENTRE) == 0
    values = torch.tensor([-0.1, 0.49 / 255, 0.5 / 255, 1.5 / 255, 254.49 / 255, 1.2])
    row = np.asarray(decoding.to_image(values.expand(3, 1, 6)))[0, :, 0]
    assert row.tolist() == [0, 0, 1, 2, 254, 255]


def test_quantize_is_the_png_round_trip() -> None:
    pixels = torch.rand(1, 3, 20, 20, generator=torch.Generator().manual_seed(0))
    decoded = decode(decoding.encode_png(decoding.to_image(pixels)))
    assert torch.equal(decoding.quantize(pixels), decoding.to_pixels(decoded, 20))
    assert (decoding.quantize(pixels) - pixels).abs().max() <= 0.5 / 255 + 1e-6
    every = torch.arange(256) / 255
    assert torch.equal(decoding.quantize(every), every)


def test_pixels_are_validated() -> None:
    with pytest.raises(ValueError, match=r"\(1,3,H,W\), got \(2, 3, 4, 4\)"):
        decoding.to_image(torch.zeros(2, 3, 4, 4))
    with pytest.raises(TypeError, match="divide by 255"):
        decoding.to_image(torch.zeros(3, 4, 4, dtype=torch.uint8))
    with pytest.raises(ValueError, match="finite"):
        decoding.quantize(torch.tensor([0.5, float("nan")]))


def test_content_key_tells_bytes_apart() -> None:
    assert decoding.content_key(b"a") == "ca978112ca1bbdcafac231b39a23dc4d"
    assert decoding.content_key(b"a") != decoding.content_key(b"b")
