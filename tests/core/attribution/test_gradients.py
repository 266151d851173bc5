import captum.attr
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from advprop_core.attribution.maps import explain

NOISY = pytest.mark.parametrize("method", ["smoothgrad", "vargrad", "gradient-shap"])


class Kink(nn.Module):
    """Slopes of −1 below one half and 1 above."""

    def forward(self, x):
        return (x - 0.5).abs().flatten(1).sum(1, keepdim=True)


class Square(nn.Module):
    """The gradient is twice the pixel."""

    def forward(self, x):
        return x.square().flatten(1).sum(1, keepdim=True)


# -- literal values -------------------------------------------------------------------------------


def test_saliency_of_a_linear_net_is_its_largest_absolute_weight(linear_net, weights):
    found = explain(linear_net(weights), torch.rand(2, 3, 4, 4), [0, 1], "saliency")
    torch.testing.assert_close(found, weights.abs().amax(1))


def test_positive_and_negative_saliency_are_the_two_halves_of_the_gradient(linear_net):
    weights = torch.tensor([[1.0, -2.0, -3.0], [0.5, -1.0, -1.0], [-4.0, -1.0, 2.0]])
    net = linear_net(weights.T.reshape(1, 3, 1, 3))  # three pixels side by side
    image = torch.rand(1, 3, 1, 3)
    up = explain(net, image, 0, "saliency-positive")
    down = explain(net, image, 0, "saliency-negative")
    torch.testing.assert_close(up, torch.tensor([[[1.0, 0.5, 2.0]]]))
    torch.testing.assert_close(down, torch.tensor([[[3.0, 1.0, 4.0]]]))
    all_negative = linear_net(-torch.ones(1, 3, 1, 1))
    assert explain(all_negative, image[..., :1], 0, "saliency-positive") == 0


def test_loss_gradient_by_hand(linear_net, weights):
    """For a linear network it is (probabilities − one-hot) times the weights."""
    image = torch.rand(1, 3, 4, 4)
    logits = torch.einsum("cdhw,dhw->c", weights, image[0])
    residual = logits.softmax(0) - torch.tensor([0.0, 1.0])
    expected = torch.einsum("c,cdhw->hw", residual, weights)
    found = explain(linear_net(weights), image, 1, "loss-gradient")
    torch.testing.assert_close(found[0], expected)
    assert found.min() < 0 < found.max()


def test_moving_along_the_loss_gradient_raises_the_loss(branch, pixels):
    image = pixels(1)
    direction = explain(branch, image, 2, "loss-gradient")[:, None].sign()
    target = torch.tensor([2])
    before, after = (F.cross_entropy(branch(x), target) for x in (image, image + 1e-3 * direction))
    assert after > before


def test_input_x_gradient_of_a_linear_net(linear_net, weights):
    image = torch.rand(1, 3, 4, 4)
    found = explain(linear_net(weights), image, 0, "input-x-gradient")
    torch.testing.assert_close(found[0], (weights[0] * image[0]).sum(0))


def test_integrated_gradients_of_a_linear_net(linear_net, weights):
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


def test_smoothgrad_of_a_linear_net_is_its_saliency(linear_net, weights):
    found = explain(linear_net(weights), torch.rand(1, 3, 4, 4), 1, "smoothgrad")
    torch.testing.assert_close(found[0], weights[1].abs().amax(0))


def test_smoothgrad_averages_before_it_takes_the_absolute_value():
    image = torch.full((1, 3, 4, 4), 0.5)  # the slopes of noisy copies are ±1, and cancel
    found = explain(Kink().eval(), image, 0, "smoothgrad")
    assert found.mean() < 0.7
    assert found.max() <= 1


def test_vargrad_of_a_linear_net_is_nothing(linear_net, weights):
    found = explain(linear_net(weights), torch.rand(1, 3, 4, 4), 1, "vargrad")
    torch.testing.assert_close(found, torch.zeros_like(found))


def test_vargrad_is_the_variance_of_the_gradient():
    """The gradient is twice a pixel with noise of 0.1, so its variance is 0.04."""
    image = torch.rand(1, 3, 3, 3)
    found = explain(Square().eval(), image, 0, "vargrad", samples=4000)
    torch.testing.assert_close(found, torch.full_like(found, 0.04), rtol=0.1, atol=0)


def test_vargrad_of_one_copy_is_refused():
    with pytest.raises(ValueError, match="samples must be at least 2 for VarGrad, got 1"):
        explain(Square().eval(), torch.rand(1, 3, 3, 3), 0, "vargrad", samples=1)


def test_gradient_shap_is_fair_to_dark_pixels(linear_net, weights):
    """From random colours with mean one half, a linear network gives w · (x − ½)."""
    image = torch.rand(1, 3, 4, 4)
    found = explain(linear_net(weights), image, 0, "gradient-shap", samples=20_000)
    torch.testing.assert_close(found[0], (weights[0] * (image[0] - 0.5)).sum(0), rtol=0, atol=0.02)


def test_gradient_shap_takes_the_gradient_on_the_way():
    """For squares from a start b, the mean over the way is x² − b², and b² is ⅓ in the mean."""
    image = torch.rand(1, 3, 2, 2)
    found = explain(Square().eval(), image, 0, "gradient-shap", samples=40_000)
    torch.testing.assert_close(found[0], (image[0].square() - 1 / 3).sum(0), rtol=0, atol=0.02)


def test_integrated_gradients_are_captums(branch, pixels):
    image = pixels(2)
    found = explain(branch, image, [1, 2], "integrated-gradients")
    reference = captum.attr.IntegratedGradients(branch)
    with torch.no_grad():
        change = (branch(image) - branch(torch.zeros_like(image)))[[0, 1], [1, 2]]
    for one in range(2):
        for steps in (32, 64, 128, 256):
            target = [1, 2][one]
            expected = reference.attribute(image[one : one + 1], target=target, n_steps=steps)
            if abs(expected.sum().item() - change[one].item()) <= 0.05 * abs(change[one].item()):
                break
        torch.testing.assert_close(found[one], expected[0].sum(0), rtol=1e-3, atol=1e-6)


def test_integrated_gradients_take_more_steps_until_they_add_up():
    class Steep(nn.Module):
        """Climbs from 0 to 1 within a hundredth of the way from black."""

        def forward(self, x):
            return torch.sigmoid(500 * (x.mean((1, 2, 3)) - 0.3))[:, None]

    module, done = Steep().eval(), []
    bright, dark = torch.full((1, 3, 4, 4), 0.5), torch.full((1, 3, 4, 4), 0.1)
    found = explain(module, torch.cat([dark, bright]), 0, "integrated-gradients",
                    progress=lambda *at: done.append(at))  # fmt: skip
    assert found[1].sum().item() == pytest.approx(1, abs=0.05)
    few = captum.attr.IntegratedGradients(module).attribute(bright, target=0, n_steps=32)
    assert abs(few.sum().item() - 1) > 0.05
    shares = [at / total for at, total in done]
    assert shares[-1] == 1
    assert shares == sorted(shares)


# -- against captum, called directly --------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "reference"),
    [
        ("saliency", lambda net, x: captum.attr.Saliency(net).attribute(x, [1, 2]).amax(1)),
        (
            "input-x-gradient",
            lambda net, x: captum.attr.InputXGradient(net).attribute(x, [1, 2]).sum(1),
        ),
    ],
)
def test_like_captum(branch, pixels, method, reference):
    expected = reference(branch, pixels(2).requires_grad_()).detach()
    torch.testing.assert_close(explain(branch, pixels(2), [1, 2], method), expected)


@pytest.mark.parametrize("method", ["smoothgrad", "vargrad"])
def test_in_the_mean_like_captums_noise_tunnel(branch, pixels, method):
    torch.manual_seed(0)
    tunnel = captum.attr.NoiseTunnel(captum.attr.Saliency(branch))
    image = pixels(1, 16)
    values = tunnel.attribute(
        image.requires_grad_(), method, 600, stdevs=0.1, target=1, abs=False
    ).detach()
    found = explain(branch, pixels(1, 16), 1, method, samples=600)[0]
    assert (
        torch.corrcoef(torch.stack([found.flatten(), values.abs().amax(1).flatten()]))[0, 1] > 0.9
    )
    torch.testing.assert_close(found.mean(), values.abs().amax(1).mean(), rtol=0.1, atol=0)


# -- draws ----------------------------------------------------------------------------------------


@NOISY
def test_the_seed_alone_decides(branch, pixels, method):
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = explain(branch, pixels(1), 0, method, seed=5)
    assert torch.equal(before, torch.get_rng_state())
    torch.manual_seed(2)
    assert torch.equal(first, explain(branch, pixels(1), 0, method, seed=5))
    assert not torch.equal(first, explain(branch, pixels(1), 0, method, seed=6))


@NOISY
def test_the_size_of_a_batch_changes_no_draw(branch, pixels, method, monkeypatch):
    together = explain(branch, pixels(1), 0, method, samples=7)
    monkeypatch.setattr("advprop_core.attribution.question._MOST_IMAGES", 3)
    apart = explain(branch, pixels(1), 0, method, samples=7)
    torch.testing.assert_close(together, apart, rtol=1e-4, atol=1e-6)
