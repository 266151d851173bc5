"""Arrays to PNGs: pictures, perturbations, what lies under a map."""

from __future__ import annotations

import base64
import io

import numpy as np
from PIL import Image

from advprop_core.types import Comparison

_LUMA = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601


def grey(values: np.ndarray) -> np.ndarray:
    """(3, H, W) without its colours, so that every colour in a picture is the map's."""
    luma = np.tensordot(_LUMA, values.astype(np.float64), 1)
    return np.repeat(luma[None], 3, axis=0)


def amplification(linf: float) -> int:
    """A round factor that makes a perturbation of this size visible around mid-grey."""
    if linf <= 0:
        return 1
    return int(2 ** max(0, np.floor(np.log2(0.5 / linf))))


def perturbation_picture(result: Comparison, factor: int) -> np.ndarray:
    """The perturbation times a factor around mid-grey, (3, H, W) in [0, 1]."""
    change = (result.adversarial - result.clean).numpy()
    return np.clip(0.5 + factor * change, 0, 1)


def to_png(values: np.ndarray, side: int = 448, *, smooth: bool = True) -> bytes:
    """(3, H, W) in [0, 1] as a PNG, enlarged by a whole factor, smoothly or pixel by pixel."""
    # Halves go up, as in `advprop_core.pictures.decoding.quantize`, which is what is measured.
    levels = np.floor(values.transpose(1, 2, 0) * 255 + 0.5).clip(0, 255)
    image = Image.fromarray(levels.astype(np.uint8))
    factor = max(1, side // image.width)
    if factor > 1:
        size = (image.width * factor, image.height * factor)
        image = image.resize(size, Image.Resampling.BICUBIC if smooth else Image.Resampling.NEAREST)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def data_uri(values: np.ndarray) -> str:
    """(3, H, W) in [0, 1] as a PNG address a figure can hold, in its own size."""
    return "data:image/png;base64," + base64.b64encode(to_png(values, 0)).decode()
