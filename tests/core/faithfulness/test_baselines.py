import math

import pytest
import torch

from advprop_core.faithfulness.baselines import blur, fill


def test_two_pixels_blurred_by_hand():
    row = torch.tensor([1.0, 0.0]).view(1, 1, 1, 2)
    near, far = 1.0, math.exp(-0.5)  # a Gaussian of sigma 1 at distances 0 and 1
    expected = torch.tensor([near, far]) / (near + far)
    torch.testing.assert_close(blur(row, 1.0).flatten(), expected)


def test_rows_and_columns_are_blurred_alike(pixels):
    image = pixels(1, 8)
    torch.testing.assert_close(blur(image).mT, blur(image.mT))


def test_a_constant_picture_stays_what_it_is_to_the_border():
    image = torch.full((1, 3, 8, 12), 0.3)
    torch.testing.assert_close(blur(image), image)


def test_the_default_is_a_sixteenth_of_the_shorter_side(pixels):
    image = pixels(1, 32)[:, :, :16]
    assert torch.equal(blur(image), blur(image, 1.0))


def test_grey_is_a_half_and_black_is_zero(pixels):
    assert fill(pixels(1, 4), "grey").unique().tolist() == [0.5]
    assert fill(pixels(1, 4), "black").unique().tolist() == [0.0]
    assert torch.equal(fill(pixels(1, 8), "blurred"), blur(pixels(1, 8)))


def test_an_unknown_filling_is_refused(pixels):
    with pytest.raises(ValueError, match="one of grey, black, blurred, got 'pink'"):
        fill(pixels(1, 4), "pink")
