"""Which norm layers go into a convolution, and what stays as it was."""

import copy

import pytest
import torch
from torch import nn

from advprop_core.models.dual_bn import norm_layers
from advprop_core.models.folding import fold, folded_attack_view, moved_by_folding
from advprop_core.predict import logits_of


class Shared(nn.Module):
    """Tiny networks, each with a pair that may not be folded."""

    def __init__(self, how):
        super().__init__()
        self.how = how
        self.conv = nn.Conv2d(3, 3, 3, padding=1)
        self.bn = nn.BatchNorm2d(3)
        self.tail = nn.Conv2d(3, 2, 1)

    def forward(self, x):
        if self.how == "two consumers":
            y = self.conv(x)
            y = self.bn(y) + y
        elif self.how == "two consumers, the other one later":
            y = self.conv(x)
            y = self.tail(self.bn(y)) + y[:, :2]
            return y.mean((2, 3))
        elif self.how == "reused convolution":
            y = self.bn(self.conv(self.conv(x)))
        elif self.how == "reused norm":
            y = self.bn(self.conv(self.bn(x)))
        elif self.how == "activation between":
            y = self.bn(self.conv(x).relu())
        else:
            y = self.bn(self.conv(x))
        return self.tail(y).mean((2, 3))


@pytest.mark.parametrize(
    ("how", "left"),
    [
        ("plain", 0),
        ("two consumers", 1),
        ("two consumers, the other one later", 1),
        ("reused convolution", 1),
        ("reused norm", 1),
        ("activation between", 1),
    ],
)
def test_only_a_convolution_that_feeds_the_norm_alone_is_folded(how, left, randomise, pixels):
    torch.manual_seed(0)
    module = Shared(how).eval().requires_grad_(False)
    randomise(module)
    folded = fold(module, pixels(1, 8))
    assert len(norm_layers(folded)) == left
    torch.testing.assert_close(folded(pixels(2, 8)), module(pixels(2, 8)), rtol=1e-5, atol=1e-5)


def test_fold_literal():
    conv, norm = nn.Conv2d(1, 1, 1, bias=False), nn.BatchNorm2d(1, eps=0.0)
    with torch.no_grad():
        conv.weight.fill_(3)
        norm.weight.fill_(2)
        norm.bias.fill_(5)
        norm.running_mean.fill_(1)
        norm.running_var.fill_(4)
    folded = fold(nn.Sequential(conv, norm).eval(), torch.ones(1, 1, 1, 1))
    assert folded[0].weight.item() == 3  # 3 · 2 / sqrt(4)
    assert folded[0].bias.item() == 4  # 5 − 1 · 2 / sqrt(4)


def test_fold_does_not_rely_on_definition_order(randomise, pixels):
    class Backwards(nn.Module):
        def __init__(self):
            super().__init__()
            self.bn_b, self.conv_b = nn.BatchNorm2d(4), nn.Conv2d(3, 4, 1)
            self.bn_a, self.conv_a = nn.BatchNorm2d(3), nn.Conv2d(3, 3, 1)

        def forward(self, x):
            return self.bn_b(self.conv_b(self.bn_a(self.conv_a(x)))).mean((2, 3))

    module = Backwards().eval()
    randomise(module)
    folded = fold(module, pixels(1, 8))
    assert not norm_layers(folded)
    torch.testing.assert_close(folded(pixels()), module(pixels()))


def test_fold_is_independent_of_its_source(make_tiny, randomise, pixels):
    module = nn.Sequential(nn.BatchNorm2d(3), make_tiny()).eval()  # the first norm stays
    randomise(module)
    folded = fold(module, pixels(1))
    before = folded(pixels())
    with torch.no_grad():
        for tensor in module.state_dict().values():
            tensor.zero_()
    assert torch.equal(folded(pixels()), before)


def test_fold_refuses_training_mode_in_any_part(make_tiny, pixels):
    module = make_tiny().eval()
    module[1].train()
    with pytest.raises(ValueError, match="eval mode"):
        fold(module, pixels())


def test_fold_passes_over_norms_without_statistics(pixels):
    module = nn.Sequential(
        nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4, track_running_stats=False), nn.Flatten()
    ).eval()
    torch.testing.assert_close(fold(module, pixels())(pixels()), module(pixels()))
    plain = nn.Flatten().eval()  # nothing to fold, and no gradient to follow
    assert torch.equal(fold(plain, pixels())(pixels()), plain(pixels()))


@pytest.mark.parametrize("how", ["plain", "two consumers"])
def test_a_folded_attack_view_follows_training_and_moves_nothing(how, randomise, pixels):
    torch.manual_seed(0)
    module = Shared(how).train()
    randomise(module)
    current = folded_attack_view(module, pixels(1, 8))
    view = current()
    assert len(norm_layers(view)) == (how != "plain")
    assert not any(part.training for part in view.modules())
    for _ in range(2):
        with torch.no_grad():
            for tensor in module.state_dict().values():
                if tensor.is_floating_point():
                    tensor.mul_(1.1).add_(0.01)
        state = copy.deepcopy(module.state_dict())
        assert current() is view
        point = pixels(2, 8).requires_grad_()
        view(point).sum().backward()
        expected = logits_of(copy.deepcopy(module).eval(), pixels(2, 8))
        torch.testing.assert_close(logits_of(view, pixels(2, 8)), expected, rtol=1e-4, atol=1e-5)
        assert point.grad is not None
        assert all(p.grad is None for p in [*module.parameters(), *view.parameters()])
        assert all(torch.equal(state[key], value) for key, value in module.state_dict().items())
    assert module.training
    assert all(parameter.requires_grad for parameter in module.parameters())


class Keeping(nn.Module):
    """Keeps in eval mode what it computed from a weight, as timm's attention biases do."""

    def __init__(self):
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(2))
        self.kept = {}

    def train(self, mode=True):
        if mode:
            self.kept = {}
        return super().train(mode)

    def forward(self, x):
        bias = self.bias if self.training else self.kept.setdefault("bias", self.bias * 1)
        return x.mean((2, 3))[:, :2] + bias


def test_a_folded_attack_view_forgets_what_layers_kept_of_older_weights(pixels):
    module = Keeping()
    seen = folded_attack_view(module, pixels(1, 8))
    before = seen()(pixels(1, 8))
    with torch.no_grad():
        module.bias.add_(1.0)
    assert torch.equal(seen()(pixels(1, 8)), before + 1)


def test_layers_that_folding_moves_are_known(make_dual, pixels):
    """ResNet-D's stem ends in a convolution, and its norm lies outside."""
    branch, images = make_dual("resnet10t").branch("main"), pixels(1, 64)
    names = ["network.conv1", "network.conv1.0", "network.layer1", "network.layer1.0"]
    moved = moved_by_folding(branch, images, names)
    outputs = {}
    for module in (branch, fold(branch, images)):
        for name in names:
            layer = module.get_submodule(name)
            hook = layer.register_forward_hook(
                lambda _, __, output, name=name: outputs.setdefault(name, []).append(output)
            )
            module(images)
            hook.remove()
    assert moved == {
        name for name, both in outputs.items() if not torch.allclose(*both, atol=1e-4)
    } == {"network.conv1", "network.conv1.0"}  # fmt: skip
