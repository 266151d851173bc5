import numpy as np
import pytest
import torch

from advprop_core.pictures.pixels import checked_pixels


@pytest.mark.parametrize(
    ("pixels", "error", "sentence"),
    [
        (np.zeros((1, 3, 2, 2)), TypeError, "pixels must be a torch tensor, got ndarray"),
        (
            torch.zeros(1, 3, 2, 2, dtype=torch.uint8),
            TypeError,
            "pixels must be floating point in [0, 1], got torch.uint8: divide by 255",
        ),
        (
            torch.zeros(3, 2, 2),
            ValueError,
            "pixels must have shape (N, 3, H, W), got (3, 2, 2)",
        ),
        (
            torch.zeros(1, 1, 2, 2),
            ValueError,
            "pixels must have shape (N, 3, H, W), got (1, 1, 2, 2)",
        ),
        (
            torch.full((1, 3, 2, 2), 1.00001),
            ValueError,
            "pixels must lie in [0, 1], got [1.00001, 1.00001]: "
            "pass them before mean/std normalisation",
        ),
        (
            torch.full((1, 3, 2, 2), torch.nan),
            ValueError,
            "pixels must lie in [0, 1], got [nan, nan]: pass them before mean/std normalisation",
        ),
    ],
)
def test_what_is_no_batch_of_pixels_is_refused(pixels, error, sentence):
    with pytest.raises(error) as refusal:
        checked_pixels(pixels)
    assert str(refusal.value) == sentence


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16])
def test_a_rounding_step_outside_is_set_on_the_edge(dtype):
    step = torch.finfo(dtype).eps
    pixels = torch.tensor([-step, 0.5, 1 + step], dtype=dtype).view(1, 3, 1, 1)
    assert checked_pixels(pixels).flatten().tolist() == [0, 0.5, 1]
    assert pixels.max() > 1, "the caller's pixels are changed"
    with pytest.raises(ValueError, match=r"must lie in \[0, 1\]"):
        checked_pixels(pixels + 2 * step)
