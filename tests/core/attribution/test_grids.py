import pytest
import torch

from advprop_core.attribution.cams import FORMULAS
from advprop_core.attribution.errors import UnknownLayer
from advprop_core.attribution.grids import MapMaker, explain_grid, explain_layers
from advprop_core.attribution.layers import default_layer, stages
from advprop_core.attribution.maps import explain
from advprop_core.models.folding import fold


@pytest.fixture
def branches(dual):
    return {name: dual.branch(name) for name in dual.branch_names}


@pytest.fixture
def inputs(pixels):
    return {"clean": pixels(1, 48), "adversarial": pixels(1, 48, seed=1)}


def test_a_grid_holds_what_single_calls_give(branches, inputs):
    methods = ["hires-cam", "saliency", "smoothgrad"]
    grid = explain_grid(branches, inputs, 2, methods, seed=3)
    assert list(grid) == [(m, kind, name) for m in methods for kind in inputs for name in branches]
    layer = default_layer(branches["main"], inputs["clean"])
    for (method, kind, name), found in grid.items():
        place = layer if method == "hires-cam" else None
        assert (found.method, found.input_kind, found.branch) == (method, kind, name)
        assert (found.class_index, found.layer) == (2, place)
        expected = explain(branches[name], inputs[kind], 2, method, layer=place, seed=3)
        torch.testing.assert_close(found.values, expected[0], rtol=1e-3, atol=1e-5)


@pytest.fixture
def backward_passes(monkeypatch):
    """Number of images in each backward pass that ends at pixels, in their order."""
    passes = []
    original = torch.autograd.grad

    def counted(outputs, inputs, *args, **kwargs):
        passes.append(len(inputs[0] if isinstance(inputs, list | tuple) else inputs))
        return original(outputs, inputs, *args, **kwargs)

    monkeypatch.setattr(torch.autograd, "grad", counted)
    return passes


def test_a_branch_takes_its_inputs_together(branches, inputs, backward_passes):
    explain_grid(branches, inputs, 0, ["saliency", "grad-cam"])
    assert backward_passes == [2] * 4


def test_methods_that_read_the_same_pass_share_it(branches, inputs, backward_passes):
    one = {"main": branches["main"]}
    explain_grid(one, inputs, 0, ["saliency", "saliency-positive", "input-x-gradient"])
    assert backward_passes == [2]
    backward_passes.clear()
    explain_grid(one, inputs, 0, ["grad-cam", "layer-cam", "hires-cam"], "layer2")
    assert backward_passes == [2]
    backward_passes.clear()
    explain_grid(one, inputs, 0, ["smoothgrad", "vargrad"], samples=5)
    assert sum(backward_passes) == 10


def test_nothing_is_shared_between_grids(branches, inputs, backward_passes):
    for class_index in (0, 1):
        explain_grid(branches, inputs, class_index, ["saliency"])
    assert backward_passes == [2] * 4


def test_a_grid_tells_progress_over_all_of_it(branches, inputs):
    told = []
    explain_grid(branches, inputs, 0, ["saliency", "vargrad"], progress=lambda *x: told.append(x))
    done, total = zip(*told, strict=True)
    assert list(done) == sorted(done)
    assert set(total) == {done[-1]} == {2000}


def test_a_grid_has_one_layer(branches, inputs):
    grid = explain_grid(branches, inputs, 0, ["grad-cam", "saliency"], layer="layer1")
    assert {found.layer for found in grid.values()} == {"layer1", None}
    with pytest.raises(ValueError, match="none of saliency has a layer, got layer='layer1'"):
        explain_grid(branches, inputs, 0, ["saliency"], layer="layer1")


def test_grids_that_make_no_sense_are_refused(branches, inputs, pixels):
    with pytest.raises(ValueError, match="Did you mean saliency"):
        explain_grid(branches, inputs, 0, ["salienci"])
    with pytest.raises(ValueError, match="one image each"):
        explain_grid(branches, {"clean": pixels(2)}, 0, ["saliency"])


@pytest.mark.parametrize("method", FORMULAS)
def test_a_strip_holds_what_single_calls_give(branches, pixels, method):
    image = pixels(1, 96)
    for module in (branches["aux"], fold(branches["aux"], image)):
        layers = [*stages(module), "layer2.0", "layer1.0.act1"]
        strip = explain_layers(module, image, 1, layers, method)
        assert strip.shape == (len(layers), 96, 96)
        for row, layer in zip(strip, layers, strict=True):
            expected = explain(module, image, 1, method, layer=layer)[0]
            torch.testing.assert_close(row, expected, rtol=1e-4, atol=1e-6)


def test_a_strip_takes_one_backward_pass(branches, pixels, backward_passes, hooks_of):
    explain_layers(branches["main"], pixels(1, 64), 0, stages(branches["main"]))
    assert backward_passes == [1]
    assert not hooks_of(branches["main"])


def test_strips_that_make_no_sense_are_refused(branches, pixels):
    module = branches["main"]
    with pytest.raises(ValueError, match="method must be one of grad-cam, .*got 'saliency'"):
        explain_layers(module, pixels(1), 0, ["layer1"], "saliency")
    with pytest.raises(ValueError, match="one image, got 2"):
        explain_layers(module, pixels(2), 0, ["layer1"])
    with pytest.raises(ValueError, match="at least one layer"):
        explain_layers(module, pixels(1), 0, [])
    with pytest.raises(UnknownLayer, match="Did you mean"):
        explain_layers(module, pixels(1), 0, ["layer1", "layer7"])


def test_a_grid_hands_options_to_the_methods_that_have_them(branches, inputs):
    one = {"main": branches["main"]}
    methods = ["saliency", "smoothgrad", "occlusion"]
    grid = explain_grid(one, inputs, 0, methods, window=8, samples=3)
    for (method, kind, _), found in grid.items():
        own = {"smoothgrad": {"samples": 3}, "occlusion": {"window": 8}}.get(method, {})
        expected = explain(one["main"], inputs[kind], 0, method, **own)
        torch.testing.assert_close(found.values, expected[0], rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("wrong", [0, -1])
def test_options_out_of_range_are_refused_in_a_grid(branches, inputs, wrong):
    with pytest.raises(ValueError, match="samples must be at least 1"):
        explain_grid(branches, inputs, 0, ["smoothgrad"], samples=wrong)


@pytest.mark.parametrize("option", ["window", "stride", "samples"])
def test_an_option_that_no_method_has_is_refused(branches, inputs, option):
    with pytest.raises(ValueError, match=f"none of saliency, cam has a {option}, got {option}=3"):
        explain_grid(branches, inputs, 0, ["saliency", "cam"], **{option: 3})


def test_a_maker_shares_between_methods_also_where_one_is_refused(
    branches, inputs, backward_passes
):
    maker = MapMaker({"main": branches["main"]}, inputs, 0)
    maker.make("grad-cam", "layer2")
    with pytest.raises(UnknownLayer):
        maker.make("layer-cam", "layer7")
    made = maker.make("layer-cam", "layer2")
    assert list(made) == [("clean", "main"), ("adversarial", "main")]
    assert backward_passes == [2]
    with pytest.raises(ValueError, match="Grad-CAM has no samples"):
        maker.make("grad-cam", "layer2", samples=3)
