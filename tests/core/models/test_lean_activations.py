"""A ReLU6 that keeps one tensor gives what torch's gives, and so does its gradient."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks

from advprop_core.models.packing import LeanReLU6, with_lean_activations


def _network() -> nn.Sequential:
    torch.manual_seed(0)
    layers = nn.Conv2d(3, 8, 3), nn.ReLU6(inplace=True), nn.Conv2d(8, 2, 3), nn.Flatten()
    return nn.Sequential(*layers)


def _gradient(network: nn.Module, pixels: Tensor) -> Tensor:
    leaf = pixels.clone().requires_grad_()
    return torch.autograd.grad(network(leaf).square().sum(), leaf)[0]


def _bytes_kept(network: nn.Module, pixels: Tensor) -> int:
    storages: dict[int, int] = {}

    def remember(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        storages[storage.data_ptr()] = storage.nbytes()
        return tensor

    with saved_tensors_hooks(remember, lambda tensor: tensor):
        kept_graph = network(pixels)
    assert kept_graph.requires_grad
    return sum(storages.values())


def test_the_same_output_and_gradient_from_less_memory() -> None:
    ordinary = _network()
    lean = with_lean_activations(copy.deepcopy(ordinary))
    assert isinstance(lean[1], LeanReLU6)
    pixels = torch.randn(4, 3, 20, 20) * 12  # some of what it is given is above 6
    assert (ordinary[0](pixels) > 6).any()
    assert torch.equal(lean(pixels), ordinary(pixels))
    assert torch.equal(_gradient(lean, pixels), _gradient(ordinary, pixels))
    activation = 4 * 8 * 18 * 18 * 4
    assert _bytes_kept(ordinary, pixels) - _bytes_kept(lean, pixels) == activation


def test_what_does_not_write_into_its_input_stays() -> None:
    plain = with_lean_activations(nn.Sequential(nn.ReLU6(), nn.ReLU(inplace=True)))
    assert [type(layer) for layer in plain] == [nn.ReLU6, nn.ReLU]
    lean = with_lean_activations(_network())
    lean[1].inplace = False
    leaf = torch.randn(1, 3, 20, 20)
    before = lean[0](leaf).detach().requires_grad_()
    lean[1](before)
    assert (before < 0).any()  # is not overwritten
