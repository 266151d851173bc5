import pytest
import torch

from advprop_core.attacks.autoattack.search import Adversarials, likely_wrong, margin, targeted_dlr

LOGITS = torch.tensor([[4.0, 1.0, 3.0, 0.0], [0.0, 5.0, 1.0, 2.0]])
LABELS = torch.tensor([0, 2])


def test_margin_literal():
    assert margin(LOGITS, LABELS).tolist() == [1.0, -4.0]


def test_targeted_dlr_literal():
    """(z_t − z_y) / (z_1 − (z_3 + z_4) / 2), with z_1 the largest logit."""
    found = targeted_dlr(LOGITS, LABELS, torch.tensor([2, 1]))
    assert found.tolist() == pytest.approx([(3 - 4) / (4 - 0.5), (5 - 1) / (5 - 0.5)])


def test_dlr_does_not_change_with_the_scale_of_logits():
    targets = torch.tensor([2, 1])
    one, other = (targeted_dlr(LOGITS * k + 7, LABELS, targets) for k in (1, 1000))
    torch.testing.assert_close(one, other)


def test_targets_are_the_most_probable_wrong_classes():
    assert likely_wrong(LOGITS, LABELS, 2).tolist() == [[2, 1], [1, 3]]
    assert likely_wrong(LOGITS, LABELS, 9).shape == (2, 3)


def test_what_is_found_is_kept_by_row():
    pixels = torch.zeros(3, 3, 1, 1)
    found = Adversarials.none_yet(pixels)
    found.add(torch.tensor([1]), torch.ones(1, 3, 1, 1))
    assert found.turned.tolist() == [False, True, False]
    assert found.points.sum((1, 2, 3)).tolist() == [0, 3, 0]
    assert pixels.sum() == 0
