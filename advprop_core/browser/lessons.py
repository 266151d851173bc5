"""What lessons on the page need beside networks: digits with two models of them, drawn scenes."""

import base64
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from advprop_core.attacks import digits
from advprop_core.browser.gallery import data_url
from advprop_core.datasets.texture_shapes.scenes import SEEDS, SHAPES, TEXTURES, draw_scene

NETWORKS = {"imagenet-lite0": 128, "shapes-vanilla": 96, "shapes-advprop": 96}
"""Names of the bundled networks that lessons show, each with the side of its pictures in pixels."""

_SCENE_SIZE = 96
_CONFLICTS = range(100, 120)  # two of each outline
_AGREEING = range(200, 212)
_LEVELS = 16  # of a digit's pixel


def lesson_material() -> dict[str, Any]:
    """The manifest's ``lessons``: values as JSON has them, bytes in base64."""
    return {
        "digits": _digits(),
        "textures": list(TEXTURES),
        "conflicts": [_scene(index, agreement=0.0) for index in _CONFLICTS],
        "scenes": [_scene(index, agreement=1.0) for index in _AGREEING],
    }


def _digits() -> dict[str, Any]:
    """The article's two models, trained here, with the images that they were trained on and not."""
    train, test = digits.load_digits()
    models = {"natural": digits.fit(train), "robust": digits.fit(train, digits.EPSILON)}
    return {
        "side": digits.SIDE,
        "levels": _LEVELS,
        "epsilon": digits.EPSILON,
        "train": _images(train),
        "test": _images(test),
        **{
            name: {"weight": model.weight.ravel().round(5).tolist(), "bias": round(model.bias, 5)}
            for name, model in models.items()
        },
    }


def _images(images: digits.Digits) -> dict[str, str]:
    levels = (images.images * _LEVELS).round().astype(np.uint8)
    return {"pixels": _in_base64(levels), "signs": _in_base64(images.signs.astype(np.int8))}


def _in_base64(values: NDArray[np.generic]) -> str:
    return base64.b64encode(values.tobytes()).decode()


def _scene(index: int, agreement: float) -> dict[str, Any]:
    scene = draw_scene(SEEDS["val"], index, texture_agreement=agreement, size=_SCENE_SIZE)
    return {
        "name": f"{'scene' if agreement else 'conflict'}-{index}",
        "png": data_url(Image.fromarray(scene.image)),
        "shape": SHAPES[scene.shape],
        "texture": TEXTURES[scene.texture],
    }
