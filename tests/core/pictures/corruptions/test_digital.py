from collections.abc import Callable
from io import BytesIO

import numpy as np
import pytest
import torch
from PIL import Image
from skimage import color
from torch import Tensor

from advprop_core.pictures.corruptions import CorruptionConfig
from advprop_core.pictures.corruptions.apply import corrupt


def as_picture(sample: Tensor) -> Image.Image:
    return Image.fromarray((sample * 255).round().byte().permute(1, 2, 0).numpy())


@pytest.mark.parametrize(("severity", "kept"), list(enumerate((0.4, 0.3, 0.2, 0.1, 0.05), start=1)))
def test_contrast_keeps_a_share_of_the_distance_to_the_mean(severity: int, kept: float) -> None:
    pixels = torch.zeros(1, 3, 32, 32)
    pixels[:, 0, :16] = 1  # red: mean 0.5
    pixels[:, 1] = 0.2
    result = corrupt(pixels, CorruptionConfig("contrast", severity))[0]
    assert result[0, 0].tolist() == pytest.approx([0.5 + kept / 2] * 32)
    assert result[0, 31].tolist() == pytest.approx([0.5 - kept / 2] * 32)
    torch.testing.assert_close(result[1:], pixels[0, 1:])


@pytest.mark.parametrize(
    ("severity", "share"), list(enumerate((0.6, 0.5, 0.4, 0.3, 0.25), start=1))
)
def test_pixelate_is_pillows(severity: int, share: float, photo: Tensor, patches: Tensor) -> None:
    for pixels in (photo, patches):
        height, width = pixels.shape[2:]
        size = (int(width * share), int(height * share))
        small = as_picture(pixels[0]).resize(size, Image.Resampling.BOX)
        expected = np.asarray(small.resize((width, height), Image.Resampling.BOX)) / 255
        result = corrupt(pixels, CorruptionConfig("pixelate", severity))[0].permute(1, 2, 0)
        # Pillow rounds after each of its two passes
        np.testing.assert_allclose(result, expected, atol=1.01 / 255)


@pytest.mark.parametrize(("severity", "quality"), list(enumerate((25, 18, 15, 10, 7), start=1)))
def test_jpeg_compression_is_pillows(severity: int, quality: int, patches: Tensor) -> None:
    result = corrupt(patches, CorruptionConfig("jpeg_compression", severity))
    for sample, clean in zip(result, patches, strict=True):
        file = BytesIO()
        as_picture(clean).save(file, "JPEG", quality=quality)
        assert np.array_equal(np.asarray(as_picture(sample)), np.asarray(Image.open(file)))


@pytest.mark.parametrize(
    ("severity", "settings"),
    list(enumerate(((0.3, 0), (0.1, 0), (2, 0), (5, 0.1), (20, 0.2)), start=1)),
)
def test_saturate_changes_the_saturation_of_hsv(
    severity: int,
    settings: tuple[float, float],
    photo: Tensor,
    rows_last: Callable[[Tensor], np.ndarray],
) -> None:
    pixels = photo.clone()
    pixels[..., :9] = 0
    pixels[..., 9:20] = 0.5  # grey, which has no hue
    hsv = color.rgb2hsv(rows_last(pixels)[0])
    hsv[..., 1] = np.clip(hsv[..., 1] * settings[0] + settings[1], 0, 1)
    result = rows_last(corrupt(pixels, CorruptionConfig("saturate", severity)))[0]
    np.testing.assert_allclose(result, color.hsv2rgb(hsv), atol=5e-6)
