import pytest
import torch
from torch import nn

from advprop_core.faithfulness import forward


def test_a_class_for_each_image(dual, pixels):
    network, images, classes = forward.prepare(dual.branch("main"), pixels(2).double(), 3)
    assert images.dtype == torch.float32
    assert classes == (3, 3)
    assert forward.prepare(dual.branch("main"), pixels(2), (0, 5))[2] == (0, 5)
    torch.testing.assert_close(network(pixels(2)), dual.branch("main")(pixels(2)))


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        (6, r"class_index must lie in \[0, 5\], got \[6\]"),
        (-1, r"class_index must lie in \[0, 5\]"),
        ((0,), "must be one class or 2"),
    ],
)
def test_a_class_the_model_has_not_is_refused(dual, pixels, classes, message):
    with pytest.raises(ValueError, match=message):
        forward.prepare(dual.branch("main"), pixels(2), classes)


def test_a_module_in_training_mode_is_refused(make_tiny, pixels):
    with pytest.raises(ValueError, match="eval mode"):
        forward.prepare(make_tiny(), pixels(), 0)


def test_logits_that_are_not_finite_are_refused():
    with pytest.raises(ValueError, match="logits must be finite"):
        forward.logits(nn.Identity(), torch.tensor([[1.0, float("nan")]]))


def test_images_with_the_same_class_are_found_alike():
    one, other = torch.zeros(3, 2, 2), torch.ones(3, 2, 2)
    images = torch.stack([one, other, one, one, other])
    assert forward.first_alike(images, [0, 0, 0, 1, 0]) == [0, 1, 0, 3, 1]
