import copy

import captum.attr
import pytest
import torch
from captum.attr._utils.lrp_rules import Alpha1_Beta0_Rule, EpsilonRule
from torch import nn

from advprop_core.attribution.errors import Unfit
from advprop_core.attribution.maps import explain


def scores_less_bias(branch, image, classes):
    """What the pixels must add up to: the last layer keeps what its bias contributed."""
    head = branch.network.get_classifier()
    with torch.no_grad():
        logits = branch(image) - head.bias
    return logits[torch.arange(len(image)), torch.tensor(classes)]


def test_of_a_linear_net_it_is_each_pixels_part(linear_net, weights):
    image = torch.rand(1, 3, 4, 4)
    found = explain(linear_net(weights), image, 1, "lrp")
    torch.testing.assert_close(found[0], (weights[1] * image[0]).sum(0), rtol=1e-4, atol=1e-5)


def test_a_convolution_hands_back_to_what_spoke_in_its_favour(pooled_net):
    """2a + b − 4c of two pixels: the negative part of c gets nothing."""
    net = pooled_net(torch.tensor([[2.0, 1, -4]]), torch.tensor([[3.0]]), rectify=True)
    a, b, c = torch.tensor([[[0.5, 1.0]], [[1.0, 0.5]], [[0.25, 0.0]]])
    found = explain(net, torch.stack([a, b, c])[None], 0, "lrp")
    expected = 3 * (2 * a + b - 4 * c) / 2  # all of it, cell by cell
    torch.testing.assert_close(found[0], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("architecture", ["test_resnet", "resnet10t", "regnetx_002"])
def test_relevance_is_conserved(make_dual, pixels, architecture):
    branch = make_dual(architecture).branch("aux")
    found = explain(branch, pixels(2, 64), [1, 2], "lrp")
    expected = scores_less_bias(branch, pixels(2, 64), [1, 2])
    torch.testing.assert_close(found.sum((1, 2)), expected, rtol=0.05, atol=0.02)


def test_gates_are_not_what_is_weighed(make_dual, pixels):
    branch = make_dual("regnety_002").branch("aux")  # squeeze and excitation
    found = explain(branch, pixels(1, 64), [1], "lrp")
    expected = scores_less_bias(branch, pixels(1, 64), [1])
    torch.testing.assert_close(found.sum((1, 2)), expected, rtol=0.05, atol=0.02)


class Chain(nn.Module):
    """Nothing but layers that captum has a rule for."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.conv1, self.act1 = nn.Conv2d(3, 6, 3, padding=1, bias=False), nn.ReLU()
        self.pool = nn.MaxPool2d(2)
        self.conv2, self.act2 = nn.Conv2d(6, 8, 3, padding=1, bias=False), nn.ReLU()
        self.mean, self.head = nn.AdaptiveAvgPool2d(1), nn.Linear(8, 4)

    def forward(self, x):
        x = self.pool(self.act1(self.conv1(x)))
        return self.head(self.mean(self.act2(self.conv2(x))).flatten(1))


def test_like_captum_with_the_same_rules(pixels):
    net = Chain().eval()
    view = copy.deepcopy(net)
    for part in (view.conv1, view.conv2):
        part.rule = Alpha1_Beta0_Rule(set_bias_to_zero=True)
    view.head.rule = EpsilonRule(1e-9)
    expected = captum.attr.LRP(view).attribute(pixels(2).requires_grad_(), target=[1, 2])
    found = explain(net, pixels(2), [1, 2], "lrp")
    torch.testing.assert_close(found, expected.detach().sum(1), rtol=1e-3, atol=1e-5)


def test_a_network_without_rules_is_refused(pixels):
    class Product(nn.Module):
        def forward(self, x):
            return x.square().softmax(2).flatten(1).sum(1, keepdim=True)

    with pytest.raises(Unfit, match="must add up to the score, .*Integrated gradients"):
        explain(Product().eval(), pixels(1), 0, "lrp")


def test_a_score_that_comes_from_a_bias_alone_is_refused(pixels):
    torch.manual_seed(0)
    parts = (nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2))
    net = nn.Sequential(nn.Conv2d(3, 4, 1), *parts).eval()
    net[0].weight.data = -net[0].weight.data.abs()  # no pixel speaks for any of the units
    net[0].bias.data.fill_(5)
    with pytest.raises(Unfit, match="through its bias alone"):
        explain(net, pixels(1), 0, "lrp")
