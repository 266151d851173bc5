"""Pictures as files, and the colours of maps."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from advprop_core.pictures.decoding import quantize
from advprop_core.report.colours import branch_colour, colour_stops
from app.figures import pictures


def test_more_auxiliaries_than_colours_go_round():
    colours = [branch_colour(name) for name in ("main", "aux", *(f"aux{i}" for i in range(2, 8)))]
    assert colours[:2] == ["#0072B2", "#D55E00"]
    assert len(set(colours)) == 6
    assert colours[6] == colours[0]


@pytest.mark.parametrize("sign", ["magnitude", "signed", "change"])
def test_the_photo_shows_through_where_a_map_is_zero(sign):
    scale = colour_stops(sign)
    opacities = [cover for _, _, cover in scale]
    assert [scale[0][0], scale[-1][0]] == [0, 1]
    zero = 0 if sign == "magnitude" else len(scale) // 2
    assert min(opacities) == opacities[zero] == 0
    assert opacities[-1] == 1
    assert opacities[0] == (opacities[zero] if sign == "magnitude" else 1)


def test_pngs_decode_to_what_was_given():
    values = np.linspace(0, 1, 48, dtype=np.float32).reshape(3, 4, 4)
    image = Image.open(io.BytesIO(pictures.to_png(values, 0)))
    assert np.array_equal(
        np.asarray(image), (values.transpose(1, 2, 0) * 255).round().astype(np.uint8)
    )
    halves = np.full((3, 4, 4), 2.5 / 255, np.float32)  # a picture that was moved by half a level
    image = Image.open(io.BytesIO(pictures.to_png(halves, 0)))
    measured = quantize(torch.from_numpy(halves)).permute(1, 2, 0).numpy() * 255
    assert np.array_equal(np.asarray(image), measured)
    assert Image.open(io.BytesIO(pictures.to_png(values, 10))).size == (8, 8)
    assert Image.open(io.BytesIO(pictures.to_png(values, 3))).size == (4, 4)
