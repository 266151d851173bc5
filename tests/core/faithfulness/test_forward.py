import pytest
import torch
from torch import nn

from advprop_core.faithfulness import forward


def test_logits_that_are_not_finite_are_refused():
    with pytest.raises(ValueError, match="logits must be finite"):
        forward.logits(nn.Identity(), torch.tensor([[1.0, float("nan")]]))


def test_images_with_the_same_class_are_found_alike():
    one, other = torch.zeros(3, 2, 2), torch.ones(3, 2, 2)
    images = torch.stack([one, other, one, one, other])
    assert forward.first_alike(images, [0, 0, 0, 1, 0]) == [0, 1, 0, 3, 1]
