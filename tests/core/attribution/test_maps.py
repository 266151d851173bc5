"""What holds for every method."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from torch import nn

from advprop_core.attribution import maps
from advprop_core.attribution.errors import NoGradient, Unfit
from advprop_core.attribution.maps import explain
from advprop_core.attribution.methods import METHODS
from advprop_core.models.folding import fold

pytestmark = pytest.mark.filterwarnings("ignore:Setting")
EVERY_METHOD = pytest.mark.parametrize("method", METHODS)
BY_GRADIENT = [name for name in METHODS if name not in maps._WITHOUT_GRADIENT]
DRAWN = [name for name, method in METHODS.items() if "samples" in method.options]


def test_the_list_of_methods_is_complete_and_readable():
    assert set(maps._MAKERS) == set(METHODS)
    assert next(iter(METHODS)) == "grad-cam"
    assert len({method.title for method in METHODS.values()}) == len(METHODS)
    for name, method in METHODS.items():
        assert name == method.name
        assert 1 <= method.sentence.count(". ") + 1 <= 3
        assert method.sentence.endswith(".")
        assert set(method.options) <= {"samples", "window", "stride"}


@EVERY_METHOD
def test_both_branches_and_a_folded_one(dual, pixels, quick, method):
    image = pixels(2, 64)
    found = [quick(dual.branch(name), image, [1, 2], method) for name in ("main", "aux")]
    assert all(m.shape == (2, 64, 64) and m.dtype == torch.float32 for m in found)
    assert not any(m.requires_grad for m in found)
    assert not torch.allclose(*found, rtol=1e-2, atol=1e-4)
    if METHODS[method].sign == "magnitude":
        assert all((m >= 0).all() for m in found)
    folded = quick(fold(dual.branch("aux"), image), image, [1, 2], method)
    torch.testing.assert_close(folded, found[1], rtol=1e-2, atol=1e-3)


@EVERY_METHOD
def test_images_together_are_like_images_alone(branch, pixels, quick, method):
    both = quick(branch, pixels(2, 64), [3, 4], method)
    for index, wanted in enumerate([3, 4]):
        alone = quick(branch, pixels(2, 64)[index : index + 1], wanted, method)
        torch.testing.assert_close(both[index], alone[0], rtol=1e-3, atol=1e-5)


@EVERY_METHOD
def test_every_call_ends_with_all_done(branch, pixels, quick, method):
    told = []
    quick(branch, pixels(1, 64), 0, method, progress=lambda *x: told.append(x))
    assert told[-1][0] == told[-1][1] > 0


def test_integrated_gradients_tell_how_far_they_are(branch, pixels):
    told = []
    explain(branch, pixels(2, 224), 0, "integrated-gradients", progress=lambda *x: told.append(x))
    shares = [done / total for done, total in told]
    assert shares == sorted(set(shares))
    assert len(told) >= 4
    assert {total for _, total in told[:-1]} == {960}


def test_threads_do_not_disturb_one_another(dual, pixels, quick):
    branch, image = dual.branch("aux"), pixels(1, 64)
    calls = [*METHODS, "lrp", "deep-lift", "guided-backprop", "grad-cam"]

    def ask(method):
        return quick(branch, image, 2, method)

    expected = [ask(method) for method in calls]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(ask, calls))
    for wanted, got in zip(expected, found, strict=True):
        torch.testing.assert_close(got, wanted, rtol=1e-5, atol=1e-7)


# -- nothing is left behind -----------------------------------------------------------------------


def checked(register, shared):
    """A way to set a hook that fails on any part of the shared module."""

    def wrapped(self, *args, **kwargs):
        assert all(self is not part for part in shared.modules())
        return register(self, *args, **kwargs)

    return wrapped


@EVERY_METHOD
def test_no_hook_no_grad_and_no_change(make_dual, pixels, quick, hooks_of, method, monkeypatch):
    dual = make_dual().requires_grad_(True)
    for name in ("forward_hook", "forward_pre_hook", "full_backward_hook"):
        original = getattr(nn.Module, f"register_{name}")
        monkeypatch.setattr(nn.Module, f"register_{name}", checked(original, dual))
    state = {key: value.clone() for key, value in dual.state_dict().items()}
    versions = [parameter._version for parameter in dual.parameters()]
    image, before = pixels(1, 64), torch.get_rng_state()
    quick(dual.branch("aux"), image, 0, method)
    assert not hooks_of(dual)
    assert not image.requires_grad
    assert image.grad is None
    assert torch.equal(image, pixels(1, 64))
    assert torch.equal(before, torch.get_rng_state())
    assert all(p.grad is None and p.requires_grad for p in dual.parameters())
    assert not any(part.training for part in dual.modules())
    assert all(torch.equal(state[key], value) for key, value in dual.state_dict().items())
    # Nothing was even written back: another thread's backward pass would notice.
    assert versions == [parameter._version for parameter in dual.parameters()]


@pytest.mark.parametrize("method", BY_GRADIENT)
def test_nothing_is_left_after_an_exception(branch, pixels, quick, hooks_of, method, monkeypatch):
    image = pixels(1)
    flags = [p.requires_grad for p in branch.parameters()]

    def fail(*_args, **_kwargs):
        assert not hooks_of(branch)
        assert not image.requires_grad  # captum sets it on the tensor it is given
        raise RuntimeError("out of memory")

    monkeypatch.setattr(torch.autograd, "grad", fail)
    with pytest.raises(RuntimeError, match="out of memory"):
        quick(branch, image, 0, method)
    assert not hooks_of(branch)
    assert not image.requires_grad
    assert flags == [p.requires_grad for p in branch.parameters()]
    assert not any(part.training for part in branch.modules())


@EVERY_METHOD
def test_gradients_that_are_switched_off_outside_do_not_matter(branch, pixels, quick, method):
    expected = quick(branch, pixels(1, 64), 0, method)
    with torch.no_grad():
        torch.testing.assert_close(quick(branch, pixels(1, 64), 0, method), expected)
    assert torch.is_grad_enabled()


def test_an_input_that_requires_grad_keeps_doing_so(branch, pixels):
    image = pixels(1).requires_grad_()
    explain(branch, image, 0, "saliency")
    assert image.requires_grad
    assert image.grad is None


@pytest.mark.parametrize("method", DRAWN)
def test_the_seed_decides(branch, pixels, quick, method):
    first, again, other = (quick(branch, pixels(1), 0, method, seed=seed) for seed in (5, 5, 6))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


# -- refusals -------------------------------------------------------------------------------------


def test_unknown_method(branch, pixels):
    with pytest.raises(ValueError, match="There is no method 'lime'"):
        explain(branch, pixels(1), 0, "lime")
    with pytest.raises(ValueError, match=r"Did you mean .*integrated-gradients"):
        explain(branch, pixels(1), 0, "integrated_gradient")


@EVERY_METHOD
def test_a_class_the_model_does_not_have(branch, pixels, quick, method):
    for bad in (-1, 6):
        with pytest.raises(ValueError, match=rf"\[0, 5\], got \[{bad}\]"):
            quick(branch, pixels(1), bad, method)


def test_one_class_per_image(branch, pixels):
    with pytest.raises(ValueError, match="one class or 2"):
        explain(branch, pixels(2), [0, 1, 2], "saliency")


@pytest.mark.parametrize(
    ("pixels", "message"),
    [
        (torch.zeros(3, 8, 8), r"shape \(N, 3, H, W\)"),
        (torch.zeros(0, 3, 8, 8), "at least one image"),
        (torch.full((1, 3, 32, 32), 2.0), r"must lie in \[0, 1\]"),
    ],
)
def test_pixels_that_are_no_batch(branch, pixels, message):
    with pytest.raises(ValueError, match=message):
        explain(branch, pixels, 0, "saliency")


def test_one_rounding_step_above_one_is_one(branch, pixels):
    white = torch.ones_like(pixels(1, 32))
    above = torch.nextafter(white, 2 * white)
    expected = explain(branch, white, 0, "saliency")
    torch.testing.assert_close(explain(branch, above, 0, "saliency"), expected)


@EVERY_METHOD
def test_options_without_a_use_are_refused_by_name(branch, pixels, method):
    known = METHODS[method]
    if not known.needs_layer:
        with pytest.raises(ValueError, match="has no layer, got layer='layer1'"):
            explain(branch, pixels(1), 0, method, layer="layer1")
    for name in {"window", "stride", "samples"} - set(known.options):
        with pytest.raises(ValueError, match=f"has no {name}, got {name}=3"):
            explain(branch, pixels(1), 0, method, **{name: 3})


@pytest.mark.parametrize(
    ("value", "kind", "message"),
    [
        (0, ValueError, "must be at least 1, got 0"),
        (2.5, TypeError, "must be an integer, got float"),
        (True, TypeError, "must be an integer, got bool"),
    ],
)
def test_options_out_of_range(branch, pixels, value, kind, message):
    for name, method in (("window", "occlusion"), ("stride", "occlusion"), ("samples", "rise")):
        with pytest.raises(kind, match=f"{name} {message}"):
            explain(branch, pixels(1), 0, method, **{name: value})


@EVERY_METHOD
def test_training_mode_is_refused_and_moves_nothing(make_dual, pixels, quick, method):
    model = make_dual().train()
    state = {key: value.clone() for key, value in model.state_dict().items()}
    with pytest.raises(ValueError, match="eval mode"):
        quick(model.branch("main"), pixels(1), 0, method)
    assert all(torch.equal(state[key], value) for key, value in model.state_dict().items())


@pytest.mark.parametrize(
    "method",
    [
        *("saliency", "saliency-positive", "saliency-negative", "loss-gradient"),
        *("input-x-gradient", "integrated-gradients", "smoothgrad", "vargrad", "gradient-shap"),
        *("occlusion", "rise"),
    ],
)
def test_a_map_that_is_not_finite_is_refused(linear_net, weights, quick, method):
    more = {"window": 1, "stride": 1} if method == "occlusion" else {}
    with pytest.raises(Unfit, match="not finite"):
        quick(linear_net(weights * torch.inf), torch.rand(1, 3, 4, 4), 0, method, **more)


class Deaf(nn.Module):
    """Scores that do not come from the pixels, as far as autograd sees."""

    def __init__(self):
        super().__init__()
        self.conv, self.scale = nn.Conv2d(3, 2, 1), nn.Parameter(torch.ones(1))

    def forward(self, x):
        return self.scale * self.conv(x).detach().mean((2, 3))


@pytest.mark.parametrize("method", BY_GRADIENT)
def test_scores_that_do_not_depend_on_the_pixels(pixels, quick, method):
    with pytest.raises(NoGradient, match="do not depend on the pixels.*occlusion or rise"):
        quick(Deaf().eval(), pixels(1), 0, method)


@pytest.mark.parametrize("method", ["occlusion", "rise", "eigen-cam", "score-cam"])
def test_methods_without_a_gradient_do_not_miss_it(pixels, quick, method):
    assert quick(Deaf().eval(), pixels(1), 0, method).shape == (1, 32, 32)


def test_a_gradient_that_is_zero_is_a_map(pixels):
    dead = nn.Sequential(nn.Conv2d(3, 2, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    dead[0].bias.data.fill_(-100)
    found = explain(dead.eval(), pixels(1), 0, "saliency")
    assert not found.any()


# -- what people hand in --------------------------------------------------------------------------


@EVERY_METHOD
def test_pixels_in_double_precision_and_of_inference_mode(branch, pixels, quick, method):
    expected = quick(branch, pixels(1, 64), 1, method)
    double = quick(branch, pixels(1, 64).double(), 1, method)
    torch.testing.assert_close(double, expected, rtol=1e-3, atol=1e-5)
    with torch.inference_mode():
        found = quick(branch, pixels(1, 64).clone(), 1, method)
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize(
    "classes",
    [np.int64(1), np.array(1), np.array([1, 1]), torch.tensor(1), torch.tensor([1, 1]).int()],
)
def test_a_class_as_argmax_gives_it(branch, pixels, classes):
    for method in ("saliency", "grad-cam", "occlusion"):
        expected = explain(branch, pixels(2, 32), 1, method)
        torch.testing.assert_close(explain(branch, pixels(2, 32), classes, method), expected)


@pytest.mark.parametrize("classes", [1.0, torch.tensor([0.5, 1.0]), "1", None])
def test_a_class_that_is_no_integer_is_refused(branch, pixels, classes):
    with pytest.raises((TypeError, ValueError), match="class_index must"):
        explain(branch, pixels(2, 32), classes, "saliency")


def test_pixels_that_are_no_floats_are_refused(branch):
    with pytest.raises(TypeError, match=r"pixels must be floating point.*torch\.uint8"):
        explain(branch, torch.zeros(1, 3, 32, 32, dtype=torch.uint8), 0, "saliency")
