"""Running statistics, estimated again."""

import pytest
import torch
from torch import nn

from advprop_core.models.dual_bn import norm_layers, private_view
from advprop_core.models.statistics import estimate_statistics, spread


def test_batches_are_averaged_with_equal_weight():
    layer = nn.BatchNorm2d(1, momentum=0.3).eval()
    batches = [torch.zeros(3, 1, 1, 2), torch.full((1, 1, 1, 2), 6.0)]
    batches[1][..., 0] = 2.0
    estimate_statistics(layer, batches)
    assert layer.running_mean.tolist() == [2.0]  # of 0 and 4
    assert layer.running_var.tolist() == [4.0]  # of 0 and 8
    assert (layer.momentum, layer.training) == (0.3, False)


def test_a_view_gets_tensors_of_its_own(make_tiny):
    network = make_tiny().eval()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    view = private_view(network)
    estimate_statistics(view, [torch.rand(4, 3, 8, 8)])
    assert all(torch.equal(before[key], value) for key, value in network.state_dict().items())
    for name, layer in norm_layers(view).items():
        shared = norm_layers(network)[name]
        assert layer.weight is shared.weight
        assert not torch.equal(layer.running_mean, shared.running_mean)


def test_dropout_stays_off():
    network = nn.Sequential(nn.Dropout(0.9), nn.BatchNorm2d(1)).eval()
    estimate_statistics(network, [torch.ones(8, 1, 4, 4)])
    assert network[1].running_mean.tolist() == [1.0]
    assert network[1].running_var.tolist() == [0.0]


def test_batches_reach_through_the_whole_order():
    batches = spread(torch.arange(150.0).view(150, 1, 1, 1))
    assert [batch.flatten()[:2].tolist() for batch in batches] == [[0, 2], [1, 3]]
    assert [len(batch) for batch in batches] == [75, 75]
    assert [len(batch) for batch in spread(torch.zeros(3, 1, 1, 1))] == [3]
    with pytest.raises(ValueError, match="at least 2 images, got 1"):
        spread(torch.zeros(1, 1, 1, 1))
