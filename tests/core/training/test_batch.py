import math

import pytest
import torch

from advprop_core.training.batch import Batch, score

LOGITS = torch.tensor([[0.0, 0.0], [0.0, math.log(3)]])


def test_the_loss_is_a_mean_and_the_hits_a_share():
    loss, part = score(LOGITS, torch.tensor([1, 0]), 0.0)
    assert loss.item() == pytest.approx((math.log(2) + math.log(4)) / 2)
    assert part.loss.item() == loss.item()
    assert part.hits == 0.0
    _, part = score(LOGITS, torch.tensor([0, 1]), 0.0)
    assert part.hits == 1.0


def test_smoothing_shares_out_a_part_of_the_target():
    loss, _ = score(LOGITS[1:], torch.tensor([1]), 0.5)
    assert loss.item() == pytest.approx(0.75 * math.log(4 / 3) + 0.25 * math.log(4))


def test_probabilities_are_targets_and_the_largest_is_the_label():
    loss, part = score(LOGITS[1:], torch.tensor([[0.75, 0.25]]), 0.0)
    assert loss.item() == pytest.approx(0.75 * math.log(4) + 0.25 * math.log(4 / 3))
    assert part.hits == 0.0


def test_only_the_loss_keeps_a_graph_and_it_is_in_single_precision():
    logits = LOGITS.bfloat16().requires_grad_()
    loss, part = score(logits, torch.tensor([0, 1]), 0.0)
    assert loss.requires_grad
    assert loss.dtype == torch.float32
    assert not part.loss.requires_grad
    assert not part.hits.requires_grad


def test_a_part_keeps_the_rest():
    batch = Batch(torch.rand(3, 3, 2, 2), torch.arange(3), 5, common_seed=6, strength=0.5)
    part = batch.subset(slice(1, None))
    assert torch.equal(part.pixels, batch.pixels[1:])
    assert part.targets.tolist() == [1, 2]
    assert (part.seed, part.common_seed, part.strength) == (5, 6, 0.5)
