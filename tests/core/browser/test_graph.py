"""The graph gives what PyTorch gives, for every branch, and refuses what it cannot hold."""

import os
import subprocess
import sys

import onnxruntime
import pytest
import timm
import torch
from torch import nn
from torch.fx.experimental.proxy_tensor import make_fx

from advprop_core.attacks.gradient import loss_gradient
from advprop_core.attribution.cams import spread
from advprop_core.attribution.maps import explain
from advprop_core.browser.backward import BACKWARD
from advprop_core.browser.errors import NotExportable
from advprop_core.browser.graph import (
    INPUTS,
    OUTPUTS,
    Step,
    StepInputs,
    check_graph,
    example_inputs,
    write_graph,
)
from advprop_core.browser.norms import norm_vector
from advprop_core.models.dual_bn import DualBNModel

HALVES = (0.5, 0.5, 0.5)
CLASSES, SIDE = 6, 64
# RegNetX and its kin are exported where a page is opened in Chromium.
ARCHITECTURES = {
    "test_resnet": {},
    "mobilenetv2_035": {},
    "tf_efficientnet_lite0": {},
    "densenet121": {"block_config": (2, 2, 2, 2), "growth_rate": 8},
}


@pytest.fixture(scope="module")
def dual_of(randomise):
    def make(architecture, **arguments):
        torch.manual_seed(0)
        network = timm.create_model(architecture, num_classes=CLASSES, **arguments)
        model = DualBNModel(network, HALVES, HALVES, 1)
        with torch.no_grad():
            network.get_classifier().weight.normal_(0, 0.3)
            for name, weight in network.named_parameters():
                if weight.ndim == 4 or "fc" in name:  # as the graph holds them
                    weight.copy_(weight.half().float())
        randomise(model)
        return model.freeze()

    return make


def given(model, branch, attacks, class_index=2):
    example = example_inputs(model, SIDE, CLASSES)
    one_hot = torch.zeros(1, CLASSES)
    one_hot[0, class_index] = 1
    return StepInputs(
        example.pixels, one_hot, torch.full((1,), attacks), norm_vector(model.branch(branch))
    )


LAYERS = {
    "strided": nn.Conv2d(4, 8, 3, stride=2, padding=1, bias=False),
    "strided, odd": nn.Conv2d(4, 8, 2, stride=2, bias=False),
    "dilated": nn.Conv2d(4, 8, 3, padding=2, dilation=2, bias=False),
    "grouped": nn.Conv2d(4, 8, 3, groups=2, bias=False),
    "wide": nn.Conv2d(4, 4, (1, 5), padding=(0, 2), bias=False),
    "relu": nn.ReLU(),
    "relu6": nn.Hardtanh(0, 6),
    "sigmoid": nn.Sigmoid(),
    "silu": nn.SiLU(),
    "hardsigmoid": nn.Hardsigmoid(),
    "hardswish": nn.Hardswish(),
    "max pool, overlapping": nn.MaxPool2d(3, 2, 1),
    "average pool": nn.AvgPool2d(2, 2),
    "average pool, overlapping": nn.AvgPool2d(3, 2, 1),
    "average pool, padding left out": nn.AvgPool2d(3, 2, 1, count_include_pad=False),
    "average pool, last window cut": nn.AvgPool2d(2, 2, ceil_mode=True, count_include_pad=False),
    "average pool, last window cut in its padding": nn.AvgPool2d(3, 2, 1, ceil_mode=True),
}


@pytest.mark.parametrize("layer", LAYERS.values(), ids=LAYERS)
def test_a_backward_pass_is_pytorchs_own(layer):
    layer.requires_grad_(False)
    draw = torch.Generator().manual_seed(0)
    x = 4 * torch.randn(1, 4, 13, 13, generator=draw)
    output = torch.randn(layer(x).shape, generator=draw)

    def gradient(x, output):
        with torch.enable_grad():
            leaf = x.detach().requires_grad_()
            return torch.autograd.grad(layer(leaf), leaf, output)[0]

    traced = make_fx(gradient, decomposition_table=dict(BACKWARD))(x, output)
    named = {str(node.target) for node in traced.graph.nodes}
    assert not {name for name in named if "backward" in name}
    torch.testing.assert_close(traced(x, output), gradient(x, output))


def test_a_transposed_convolution_is_refused():
    layer = nn.ConvTranspose2d(3, 3, 2).requires_grad_(False)
    with pytest.raises(NotExportable, match="cannot run in a browser: it has a transposed"):
        make_fx(
            lambda x: torch.autograd.grad(layer(x.requires_grad_()).sum(), x)[0],
            decomposition_table=dict(BACKWARD),
        )(torch.rand(1, 3, 8, 8))


@pytest.mark.parametrize("branch", ["main", "aux"])
def test_a_step_is_what_attacks_and_maps_are_made_of(dual_of, branch):
    model = dual_of("test_resnet")
    step, inputs = Step(model, SIDE), given(model, branch, 1.0)
    module, pixels = model.branch(branch), inputs.pixels
    close = {"rtol": 1e-3, "atol": 1e-4}
    logits, gradient, _ = step(*inputs)
    torch.testing.assert_close(logits, module(pixels), **close)
    torch.testing.assert_close(gradient, loss_gradient(module, pixels, torch.tensor([2])), **close)
    _, _, cam = step(*given(model, branch, 0.0))
    torch.testing.assert_close(
        spread(cam, pixels), explain(module, pixels, [2], "grad-cam"), **close
    )


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_graphs_of_common_families_pass_their_check(dual_of, architecture):
    model = dual_of(architecture, **ARCHITECTURES[architecture])
    step = Step(model, SIDE)
    cases = [given(model, branch, attacks) for branch in ("main", "aux") for attacks in (0.0, 1.0)]
    graph = write_graph(step, cases[0]._asdict(), OUTPUTS)
    check_graph(graph, step, cases)
    weights = sum(p.numel() for p in model.branch("main").parameters())
    assert len(graph) < 2.2 * weights + 300_000


def test_a_blend_of_branches_is_a_blend_of_vectors(dual_of):
    model = dual_of("test_resnet")
    step, main, aux = Step(model, SIDE), given(model, "main", 0.0), given(model, "aux", 0.0)
    graph = write_graph(step, main._asdict(), OUTPUTS)
    middle = StepInputs(main.pixels, main.class_one_hot, main.attacks, (main.norm + aux.norm) / 2)
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    answers = [
        torch.from_numpy(
            session.run(["logits"], {n: v.numpy() for n, v in zip(INPUTS, case, strict=True)})[0]
        )
        for case in (main, middle, aux)
    ]
    assert not torch.allclose(answers[0], answers[1], atol=1e-3)
    torch.testing.assert_close(answers[1], step(*middle)[0], rtol=1e-4, atol=1e-4)


def test_a_graph_of_another_network_fails_the_check(dual_of):
    first, second = dual_of("test_resnet"), dual_of("test_efficientnet")
    graph = write_graph(Step(first, SIDE), given(first, "main", 0.0)._asdict(), OUTPUTS)
    other = Step(first, SIDE)
    with torch.no_grad():
        next(other.network.parameters()).mul_(1.5)
    with pytest.raises(NotExportable, match="logits differs from PyTorch's"):
        check_graph(graph, other, [given(first, "main", 0.0)])
    with pytest.raises(NotExportable, match="cannot run in a browser"):
        check_graph(b"no graph", Step(second, SIDE), [given(second, "main", 0.0)])


def test_an_operator_that_does_not_export_is_named(dual_of):
    class Odd(nn.Module):
        def forward(self, x):
            return torch.special.bessel_j0(x)

    model = dual_of("test_resnet")
    for branch in model.branches.values():
        branch.network.conv1.add_module("odd", Odd().eval())
    with pytest.raises(NotExportable, match="bessel"):
        write_graph(Step(model, SIDE), given(model, "main", 0.0)._asdict(), OUTPUTS)


def test_the_runtime_notes_nothing_to_send(tmp_path):
    """Onnxruntime keeps a device's number and its uses in the home folder, unless told not to."""
    code = "import advprop_core.browser.graph, onnxruntime; onnxruntime.get_available_providers()"
    places = {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    environment = {k: v for k, v in os.environ.items() if k != "ORT_DISABLE_TELEMETRY"} | places
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)
    assert not [*tmp_path.rglob("*onnxruntime*")]
