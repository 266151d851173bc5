import pytest
import torch

from advprop_core.attribution.errors import UnknownLayer
from advprop_core.attribution.grids import MapMaker, explain_layers
from advprop_core.attribution.layers import default_layer, stages
from advprop_core.attribution.maps import explain
from advprop_core.models.folding import fold


@pytest.fixture
def branches(dual):
    return {name: dual.branch(name) for name in dual.branch_names}


@pytest.fixture
def inputs(pixels):
    return {"clean": pixels(1, 48), "adversarial": pixels(1, 48, seed=1)}


@pytest.mark.parametrize("method", ["hires-cam", "saliency", "smoothgrad"])
def test_a_maker_gives_what_single_calls_give(branches, inputs, method):
    made = MapMaker(branches, inputs, 2, seed=3).make(method)
    assert list(made) == [(kind, name) for kind in inputs for name in branches]
    layer = default_layer(branches["main"], inputs["clean"]) if method == "hires-cam" else None
    for (kind, name), drawn_map in made.items():
        assert (drawn_map.method, drawn_map.input_kind, drawn_map.branch) == (method, kind, name)
        assert (drawn_map.class_index, drawn_map.layer) == (2, layer)
        expected = explain(branches[name], inputs[kind], 2, method, layer=layer, seed=3)
        torch.testing.assert_close(drawn_map.values, expected[0], rtol=1e-3, atol=1e-5)


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
    maker = MapMaker(branches, inputs, 0)
    maker.make("saliency")
    maker.make("grad-cam")
    assert backward_passes == [2] * 4


@pytest.mark.parametrize(
    ("methods", "layer", "options", "images"),
    [
        (["saliency", "saliency-positive", "input-x-gradient"], None, {}, 2),
        (["grad-cam", "layer-cam", "hires-cam"], "layer2", {}, 2),
        (["smoothgrad", "vargrad"], None, {"samples": 5}, 10),
    ],
)
def test_methods_that_read_the_same_pass_share_it(
    branches, inputs, backward_passes, methods, layer, options, images
):
    maker = MapMaker({"main": branches["main"]}, inputs, 0)
    for method in methods:
        maker.make(method, layer, **options)
    assert sum(backward_passes) == images


def test_nothing_is_shared_between_makers(branches, inputs, backward_passes):
    for class_index in (0, 1):
        MapMaker(branches, inputs, class_index).make("saliency")
    assert backward_passes == [2] * 4


def test_a_maker_tells_progress_over_all_branches(branches, inputs):
    told = []
    MapMaker(branches, inputs, 0).make("vargrad", progress=lambda *x: told.append(x))
    done, total = zip(*told, strict=True)
    assert list(done) == sorted(done)
    assert set(total) == {done[-1]} == {2000}


def test_an_unknown_method_is_refused(branches, inputs):
    with pytest.raises(ValueError, match="Did you mean saliency"):
        MapMaker(branches, inputs, 0).make("salienci")


def test_a_strip_holds_what_single_calls_give(branches, pixels):
    image = pixels(1, 96)
    for module in (branches["aux"], fold(branches["aux"], image)):
        layers = [*stages(module), "layer2.0", "layer1.0.act1"]
        strip = explain_layers(module, image, 1, layers)
        assert strip.shape == (len(layers), 96, 96)
        for row, layer in zip(strip, layers, strict=True):
            expected = explain(module, image, 1, "grad-cam", layer=layer)[0]
            torch.testing.assert_close(row, expected, rtol=1e-4, atol=1e-6)


def test_a_strip_takes_one_backward_pass(branches, pixels, backward_passes, hooks_of):
    explain_layers(branches["main"], pixels(1, 64), 0, stages(branches["main"]))
    assert backward_passes == [1]
    assert not hooks_of(branches["main"])


def test_a_strip_names_a_layer_that_is_not_there(branches, pixels):
    with pytest.raises(UnknownLayer, match="Did you mean"):
        explain_layers(branches["main"], pixels(1), 0, ["layer1", "layer7"])


@pytest.mark.parametrize(
    ("method", "options"), [("smoothgrad", {"samples": 3}), ("occlusion", {"window": 8})]
)
def test_a_maker_hands_options_on(branches, inputs, method, options):
    made = MapMaker({"main": branches["main"]}, inputs, 0).make(method, stride=None, **options)
    for (kind, _), drawn_map in made.items():
        expected = explain(branches["main"], inputs[kind], 0, method, **options)
        torch.testing.assert_close(drawn_map.values, expected[0], rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("wrong", [0, -1])
def test_options_out_of_range_are_refused(branches, inputs, wrong):
    with pytest.raises(ValueError, match="samples must be at least 1"):
        MapMaker(branches, inputs, 0).make("smoothgrad", samples=wrong)


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
