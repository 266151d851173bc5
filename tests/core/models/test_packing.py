"""Prepared convolutions compute what ordinary ones do."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from timm.layers.conv2d_same import Conv2dSame
from torch import nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from advprop_core.models import packing
from advprop_core.models.packing import PackedConv2d, WideConv2d, packed

pytestmark = pytest.mark.skipif(
    not torch.backends.mkldnn.is_available(), reason="torch comes without oneDNN here"
)


@pytest.fixture(autouse=True)
def _none_is_too_small(monkeypatch) -> None:
    monkeypatch.setattr(packing, "_FEW", 0)


@pytest.fixture
def ordinary() -> nn.Sequential:
    torch.manual_seed(0)
    layers = nn.Conv2d(3, 8, 1), nn.ReLU6(), nn.Conv2d(8, 5, 1, bias=False)
    return nn.Sequential(*layers, nn.Conv2d(5, 4, 1, stride=2)).eval().requires_grad_(False)


def _gradient(module: nn.Module, pixels: torch.Tensor) -> torch.Tensor:
    leaf = pixels.clone().requires_grad_()
    return torch.autograd.grad(module(leaf).square().sum(), leaf)[0]


@pytest.mark.parametrize("images", [1, 20])
def test_outputs_and_gradients_are_those_of_the_ordinary_layers(ordinary, images: int) -> None:
    pixels = torch.rand(images, 3, 6, 7)
    fast = packed(copy.deepcopy(ordinary))
    kinds = [type(layer) for layer in fast]
    assert kinds == [PackedConv2d, nn.ReLU6, PackedConv2d, nn.Conv2d]  # not where it has strides
    torch.testing.assert_close(fast(pixels), ordinary(pixels))
    torch.testing.assert_close(_gradient(fast, pixels), _gradient(ordinary, pixels))


def test_a_convolution_of_few_products_is_left_to_torch(ordinary, monkeypatch) -> None:
    fast = packed(copy.deepcopy(ordinary))
    pixels = torch.rand(1, 3, 6, 7)
    monkeypatch.setattr(packing, "_FEW", 3 * 6 * 7 * 8)
    monkeypatch.setattr(packing, "_convolve", lambda *_: pytest.fail("its own way costs more"))
    with pytest.raises(pytest.fail.Exception):
        fast[0](pixels)
    monkeypatch.setattr(packing, "_FEW", 3 * 6 * 7 * 8 + 1)
    assert torch.equal(fast[0](pixels), ordinary[0](pixels))


def test_packing_draws_no_random_number(ordinary) -> None:
    before = torch.get_rng_state()
    packed(ordinary)
    assert torch.equal(torch.get_rng_state(), before)


def test_the_weights_of_a_deep_copy_may_change(ordinary) -> None:
    fast = packed(ordinary)
    changed = copy.deepcopy(fast)
    with torch.no_grad():
        changed[0].weight.zero_()
        changed[0].bias.zero_()
    pixels = torch.rand(1, 3, 4, 4)
    assert changed[0](pixels).abs().max() == 0
    assert fast[0](pixels).abs().max() > 0


def test_other_precisions_and_rules_of_torch_functions_meet_an_ordinary_layer(ordinary) -> None:
    fast, names = packed(ordinary)[0], []

    class Remember(TorchFunctionMode):
        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None):
            names.append(getattr(func, "__name__", ""))
            return func(*args, **(kwargs or {}))

    with Remember():
        fast(torch.rand(1, 3, 4, 4))
    assert "conv2d" in names
    assert fast.double()(torch.rand(1, 3, 4, 4).double()).dtype == torch.float64


def test_weights_that_learn_stay_as_they_are() -> None:
    learning = nn.Sequential(nn.Conv2d(3, 4, 1))
    assert type(packed(learning)[0]) is nn.Conv2d


@pytest.fixture
def padded() -> nn.Sequential:
    torch.manual_seed(0)
    layers = Conv2dSame(3, 6, 3, 2, groups=3), Conv2dSame(6, 6, 5, 2, groups=6, bias=False)
    ordinary = nn.Conv2d(6, 4, 3, stride=2), Conv2dSame(4, 4, 3, 2)
    return nn.Sequential(*layers, *ordinary).eval().requires_grad_(False)


@pytest.mark.parametrize("size", [(32, 32), (33, 31), (32, 33), (45, 45), (46, 34)])
def test_a_wider_kernel_stands_for_a_padded_copy(padded, monkeypatch, size) -> None:
    pixels = torch.rand(2, 3, *size)
    fast = packed(copy.deepcopy(padded))
    kinds = [type(layer) for layer in fast]
    assert kinds == [WideConv2d, WideConv2d, nn.Conv2d, Conv2dSame]
    torch.testing.assert_close(_gradient(fast, pixels), _gradient(padded, pixels))
    expected = padded[:2](pixels)
    if size[0] % 4 == size[1] % 4 == 0:
        monkeypatch.setattr(F, "pad", None)  # nothing is copied
    torch.testing.assert_close(fast[:2](pixels), expected)


def test_a_deep_copy_pads_as_before_and_its_weights_may_change(padded) -> None:
    fast = packed(padded)
    changed = copy.deepcopy(fast)
    assert [type(layer) for layer in changed[:2]] == [Conv2dSame, Conv2dSame]
    with torch.no_grad():
        changed[1].weight.zero_()
    pixels = torch.rand(1, 3, 32, 32)
    assert changed[:2](pixels).abs().max() == 0
    assert fast[:2](pixels).abs().max() > 0
