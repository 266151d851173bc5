import captum.attr
import pytest
import torch
from torch import nn

from advprop_core import attribution
from advprop_core.attribution import (
    UnknownLayer,
    default_layer,
    explain,
    find_layer,
    spatial_layers,
    stages,
)
from advprop_core.dual_bn import PixelNetwork, fold
from advprop_core.methods import METHODS

EVERY_METHOD = pytest.mark.parametrize("method", METHODS)


def linear_net(weights):
    """One score per row of weights (C, 3, H, W)."""
    module = nn.Sequential(nn.Flatten(), nn.Linear(weights[0].numel(), len(weights), bias=False))
    with torch.no_grad():
        module[1].weight.copy_(weights.flatten(1))
    return module.eval().requires_grad_(False)


@pytest.fixture
def weights():
    return torch.randn(2, 3, 4, 4, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def branch(dual):
    return dual.branch("aux")


def hooks_of(module):
    return [
        hook
        for part in module.modules()
        for kind in ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks")
        for hook in getattr(part, kind).values()
    ]


# -- literal values -----------------------------------------------------------------------------


def test_saliency_of_a_linear_net_is_its_largest_absolute_weight(weights):
    found = explain(linear_net(weights), torch.rand(2, 3, 4, 4), [0, 1], "saliency")
    torch.testing.assert_close(found, weights.abs().amax(1))


def test_smoothgrad_of_a_linear_net_is_its_saliency(weights):
    found = explain(linear_net(weights), torch.rand(1, 3, 4, 4), 1, "smoothgrad")
    torch.testing.assert_close(found[0], weights[1].abs().amax(0))


def test_smoothgrad_averages_before_it_takes_the_absolute_value():
    class Kink(nn.Module):
        def forward(self, x):
            return (x - 0.5).abs().flatten(1).sum(1, keepdim=True)

    image = torch.full((1, 3, 4, 4), 0.5)  # the slopes of noisy copies are ±1, and cancel
    found = explain(Kink().eval(), image, 0, "smoothgrad")
    assert found.mean() < 0.7
    assert found.max() <= 1


def test_integrated_gradients_of_a_linear_net(weights):
    image = torch.rand(1, 3, 4, 4)
    found = explain(linear_net(weights), image, 0, "integrated-gradients")
    torch.testing.assert_close(found[0], (weights[0] * image[0]).sum(0))
    assert found.min() < 0  # signed


@pytest.mark.parametrize("name", ["main", "aux"])
def test_integrated_gradients_are_complete(dual, pixels, name):
    branch, image = dual.branch(name), pixels(2)
    found = explain(branch, image, 2, "integrated-gradients")
    with torch.no_grad():
        gap = (branch(image) - branch(torch.zeros_like(image)))[:, 2]
    torch.testing.assert_close(found.sum((1, 2)), gap, rtol=0.05, atol=0.05)


def test_grad_cam_by_hand():
    """A 1×1 convolution to two channels, their means, and one score: 3·mean(a) − 2·mean(b)."""
    module = nn.Sequential(
        nn.Conv2d(3, 2, 1, bias=False),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(2, 1, bias=False),
    )
    with torch.no_grad():
        module[0].weight.copy_(torch.tensor([[1.0, 0, 0], [0, 1, 0]]).view(2, 3, 1, 1))
        module[3].weight.copy_(torch.tensor([[3.0, -2.0]]))
    image = torch.zeros(1, 3, 2, 2)
    image[0, 0] = torch.tensor([[1.0, 0.0], [0.5, 0.25]])
    image[0, 1] = torch.tensor([[0.0, 1.0], [0.5, 0.0]])
    found = explain(module.eval(), image, 0, "grad-cam", layer="0")
    # A channel's weight is its mean gradient, 3/4 and −2/4; what is negative is cut off.
    expected = torch.tensor([[0.75, 0.0], [0.375 - 0.25, 0.1875]])
    torch.testing.assert_close(found[0], expected)


def test_grad_cam_is_spread_to_the_input_size(branch, pixels):
    found = explain(branch, pixels(2, 48), 0, "grad-cam", layer="layer2")
    assert found.shape == (2, 48, 48)
    assert (found >= 0).all()
    assert (found > 0).any()


@pytest.mark.parametrize(
    "layer", ["conv1", "bn1", "act1", "maxpool", "layer1.0.bn1", "layer1.0.act1", "layer2"]
)
def test_grad_cam_at_any_layer_of_a_frozen_network(make_dual, pixels, layer):
    """Among them layers whose output an activation then overwrites."""
    branch = make_dual("resnet18").branch("aux")
    found = explain(branch, pixels(1, 64), 1, "grad-cam", layer=layer)
    assert found.shape == (1, 64, 64)
    assert found.max() > 0


@EVERY_METHOD
def test_every_method_on_both_branches_and_a_folded_one(dual, pixels, method):
    image = pixels(2, 64)
    maps = [explain(dual.branch(name), image, [1, 2], method) for name in ("main", "aux")]
    assert all(m.shape == (2, 64, 64) and m.dtype == torch.float32 for m in maps)
    assert not any(m.requires_grad for m in maps)
    assert not torch.allclose(*maps, rtol=1e-2, atol=1e-4)
    if METHODS[method].sign == "magnitude":
        assert all((m >= 0).all() for m in maps)
    folded = explain(fold(dual.branch("aux"), image), image, [1, 2], method)
    torch.testing.assert_close(folded, maps[1], rtol=1e-2, atol=1e-3)


@EVERY_METHOD
def test_classes_may_differ_by_image(branch, pixels, method):
    both = explain(branch, pixels(2), [3, 4], method)
    for index, wanted in enumerate([3, 4]):
        alone = explain(branch, pixels(2)[index : index + 1], wanted, method)
        torch.testing.assert_close(both[index], alone[0], rtol=1e-3, atol=1e-5)


# -- nothing is left behind -----------------------------------------------------------------------


@EVERY_METHOD
def test_no_hook_no_grad_and_no_change(dual, pixels, method):
    dual.requires_grad_(True)
    state = {key: value.clone() for key, value in dual.state_dict().items()}
    image = pixels(1)
    explain(dual.branch("aux"), image, 0, method)
    assert not hooks_of(dual)
    assert not image.requires_grad
    assert image.grad is None
    assert torch.equal(image, pixels(1))
    assert all(p.grad is None and p.requires_grad for p in dual.parameters())
    assert all(torch.equal(state[key], value) for key, value in dual.state_dict().items())


@EVERY_METHOD
def test_no_hook_is_left_after_an_exception(branch, pixels, method, monkeypatch):
    image = pixels(1)

    def fail(*_args, **_kwargs):
        assert not hooks_of(branch)
        assert not image.requires_grad  # captum sets it on the tensor it is given
        raise RuntimeError("out of memory")

    monkeypatch.setattr(torch.autograd, "grad", fail)
    with pytest.raises(RuntimeError, match="out of memory"):
        explain(branch, image, 0, method)
    assert not hooks_of(branch)
    assert not image.requires_grad


@EVERY_METHOD
def test_captum_never_registers_on_the_module_it_is_given(branch, pixels, method, monkeypatch):
    monkeypatch.setattr(
        nn.Module, "register_forward_hook", checked(nn.Module.register_forward_hook, branch)
    )
    explain(branch, pixels(1), 0, method)


def checked(register, shared):
    def wrapped(self, *args, **kwargs):
        assert all(self is not part for part in shared.modules())
        return register(self, *args, **kwargs)

    return wrapped


def test_an_input_that_requires_grad_keeps_doing_so(branch, pixels):
    image = pixels(1).requires_grad_()
    explain(branch, image, 0, "saliency")
    assert image.requires_grad
    assert image.grad is None


def test_smoothgrad_has_its_own_generator(branch, pixels):
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = explain(branch, pixels(1), 0, "smoothgrad", seed=5)
    assert torch.equal(before, torch.get_rng_state())
    torch.manual_seed(2)
    assert torch.equal(first, explain(branch, pixels(1), 0, "smoothgrad", seed=5))
    assert not torch.equal(first, explain(branch, pixels(1), 0, "smoothgrad", seed=6))


# -- layers ---------------------------------------------------------------------------------------


def test_unknown_layer_has_near_matches(branch, pixels):
    for call in (
        lambda name: find_layer(branch, name),
        lambda name: explain(branch, pixels(1), 0, "grad-cam", layer=name),
    ):
        with pytest.raises(UnknownLayer, match=r"no layer 'layer9'.*did you mean .*layer"):
            call("layer9")
    with pytest.raises(UnknownLayer):
        find_layer(branch, "")


def test_a_layer_that_gives_no_map_is_refused(branch, pixels):
    with pytest.raises(UnknownLayer, match="'fc' gives no map.*layer"):
        explain(branch, pixels(1), 0, "grad-cam", layer="fc")


def test_a_layer_that_is_never_run_is_refused(pixels):
    class Unused(nn.Module):
        def __init__(self):
            super().__init__()
            self.used, self.idle = nn.Conv2d(3, 2, 1), nn.Conv2d(3, 2, 1)

        def forward(self, x):
            return self.used(x).mean((2, 3))

    module = PixelNetwork(Unused(), (0.5,) * 3, (0.5,) * 3).eval()
    assert spatial_layers(module, pixels(1)) == ("used",)
    with pytest.raises(UnknownLayer, match="'idle' gives no map"):
        explain(module, pixels(1), 0, "grad-cam", layer="idle")
    assert default_layer(module, pixels(1)) == "used"


def test_spatial_layers_come_in_execution_order(make_tiny, pixels):
    module = make_tiny().eval()
    assert spatial_layers(module, pixels(1)) == ("0", "1", "2", "3", "4", "5")
    assert spatial_layers(module, pixels(1, 3)) == ("0", "1", "2", "3", "4", "5")
    assert spatial_layers(module, pixels(1, 2)) == ("0", "1", "2")


def test_depth_leaves_out_inner_layers(branch, pixels):
    outer = spatial_layers(branch, pixels(1), depth=1)
    assert "layer1" in outer
    assert not any("." in name for name in outer)


def test_default_layer_has_five_cells_where_one_has(branch, pixels):
    assert stages(branch) == ("act1", "layer1", "layer2", "layer3", "layer4")
    # The network divides by 32: at 96 px its last stage has 3×3 cells, the one before 6×6.
    assert default_layer(branch, pixels(1, 96)) == "layer3"
    assert default_layer(branch, pixels(1, 160)) == "layer4"
    assert default_layer(branch, pixels(1, 8)) == "act1"


def test_a_network_without_maps_has_no_default_layer(weights):
    with pytest.raises(UnknownLayer, match="gradient method"):
        default_layer(linear_net(weights), torch.rand(1, 3, 4, 4))


# -- refusals -------------------------------------------------------------------------------------


def test_unknown_method(branch, pixels):
    with pytest.raises(ValueError, match="method must be one of grad-cam, .*got 'lime'"):
        explain(branch, pixels(1), 0, "lime")


@EVERY_METHOD
@pytest.mark.parametrize("bad", [-1, 6])
def test_a_class_the_model_does_not_have(branch, pixels, method, bad):
    with pytest.raises(ValueError, match=rf"\[0, 5\], got \[{bad}\]"):
        explain(branch, pixels(1), bad, method)


def test_one_class_per_image(branch, pixels):
    with pytest.raises(ValueError, match="one class or 2"):
        explain(branch, pixels(2), [0, 1, 2], "saliency")


def test_a_layer_for_a_method_without_one(branch, pixels):
    with pytest.raises(ValueError, match="Saliency has no layer"):
        explain(branch, pixels(1), 0, "saliency", layer="layer1")


def test_training_mode_is_refused_and_moves_nothing(make_dual, pixels):
    model = make_dual().train()
    branch = model.branch("main")
    state = {key: value.clone() for key, value in model.state_dict().items()}
    for call in (
        lambda: explain(branch, pixels(1), 0, "grad-cam"),
        lambda: spatial_layers(branch, pixels(1)),
        lambda: default_layer(branch, pixels(1)),
    ):
        with pytest.raises(ValueError, match="eval mode"):
            call()
    assert all(torch.equal(state[key], value) for key, value in model.state_dict().items())


@pytest.mark.parametrize("method", ["saliency", "integrated-gradients", "smoothgrad"])
def test_a_map_that_is_not_finite_is_refused(weights, method):
    with pytest.raises(ValueError, match="not finite"):
        explain(linear_net(weights * torch.inf), torch.rand(1, 3, 4, 4), 0, method)


def test_only_hook_free_methods_run_on_the_branch_itself():
    """What `explain` hands the module itself to registers no hook in captum."""
    assert set(attribution._GRADIENT_METHODS) == set(METHODS) - {"grad-cam"}
    for kind in (captum.attr.Saliency, captum.attr.IntegratedGradients):
        assert not issubclass(kind, captum.attr.LayerAttribution)
