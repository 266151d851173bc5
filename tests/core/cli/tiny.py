"""The classes and the photos that the commands are given."""

from pathlib import Path

import numpy as np
from PIL import Image

NAMES = ("church", "tench", "gas pump", "crane", "crane", "golf ball")
IDS = tuple(f"n{index}" for index in range(6))


def draw_photo(path: Path, seed: int = 0) -> None:
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    Image.fromarray(coarse).resize((96, 80), Image.Resampling.BICUBIC).save(path)
