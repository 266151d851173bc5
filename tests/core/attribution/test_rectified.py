import copy

import captum.attr
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from advprop_core.attribution.errors import Unfit
from advprop_core.attribution.maps import explain
from advprop_core.models.packing import LeanReLU6

pytestmark = pytest.mark.filterwarnings("ignore:Setting")  # captum's, where called directly

GUIDED = pytest.mark.parametrize("method", ["guided-backprop", "deconvolution", "guided-grad-cam"])
EVERY = pytest.mark.parametrize("method", ["guided-backprop", "deconvolution", "deep-lift"])
PIXEL = torch.tensor([0.5, 0.5, 0.5])[None, :, None, None]


def linear(rows):
    layer = nn.Linear(len(rows[0]), len(rows), bias=False)
    layer.weight.data = torch.tensor(rows)
    return layer


def chain(first, second):
    """One pixel of three channels, a hidden layer, and one score."""
    return nn.Sequential(nn.Flatten(), linear(first), nn.ReLU(inplace=True), linear(second)).eval()


# -- literal values -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("saliency", 3),  # the gradient is (1, 2, 4) − (1, 1, 1)
        ("guided-backprop", 1 + 2 + 4),  # no second unit, for it would pass back −1
        ("deconvolution", 1 + 2 + 4 - 8),  # the third unit too, though nothing opened it
    ],
)
def test_rules_by_hand(method, expected):
    """Three hidden units: one open for the class, one open against it, one closed for it."""
    net = chain([[1.0, 2, 4], [1, 1, 1], [0, 0, -8]], [[1.0, -1, 1]])
    found = explain(net, PIXEL, 0, method)
    torch.testing.assert_close(found, torch.tensor([[[float(expected)]]]))


def test_deep_lift_by_hand():
    """f(x) = ReLU(w · x − ½) from f(0) = 0: contributions are w · x scaled to add up to f(x)."""
    net = nn.Sequential(nn.Flatten(), nn.Linear(6, 1), nn.ReLU(), linear([[1.0]])).eval()
    net[1].weight.data = torch.tensor([[1.0, 2, 1, 0, 0, 0]])
    net[1].bias.data.fill_(-0.5)
    image = torch.tensor([0.5, 0.25, 0.5, 0, 0, 0.5]).view(1, 3, 1, 2)
    found = explain(net, image, 0, "deep-lift")
    # Channel by channel (left, right) pixels are (½, ¼), (½, 0), (0, ½); w is (1, 2), (1, 0), 0.
    raw = torch.tensor([0.5 * 1 + 0.5 * 1, 0.25 * 2])
    torch.testing.assert_close(found[0, 0], raw * (1.5 - 0.5) / 1.5)


@pytest.mark.parametrize("architecture", ["resnet10t", "mobilenetv2_035"])  # ReLU, ReLU6
def test_deep_lift_adds_up(make_dual, pixels, architecture):
    branch = make_dual(architecture).branch("aux")
    found = explain(branch, pixels(2, 64), [1, 2], "deep-lift")
    with torch.no_grad():
        change = branch(pixels(2, 64)) - branch(torch.zeros(2, 3, 64, 64))
    expected = torch.stack([change[0, 1], change[1, 2]])
    torch.testing.assert_close(found.sum((1, 2)), expected, rtol=1e-2, atol=1e-2)


# -- against captum, called directly --------------------------------------------------------------


@pytest.fixture
def plain():
    """Every ReLU a module of its own, none in place, no input shared: as captum wants it."""
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 6, 3, padding=1),
        nn.ReLU(),
        nn.AvgPool2d(2),
        nn.Conv2d(6, 8, 3, padding=1),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(8, 4),
    ).eval()


@pytest.mark.parametrize(
    ("method", "kind"),
    [
        ("guided-backprop", captum.attr.GuidedBackprop),
        ("deconvolution", captum.attr.Deconvolution),
        ("deep-lift", captum.attr.DeepLift),
    ],
)
def test_like_captum(plain, pixels, method, kind):
    expected = kind(copy.deepcopy(plain)).attribute(pixels(2).requires_grad_(), target=[1, 2])
    found = explain(plain, pixels(2), [1, 2], method)
    torch.testing.assert_close(found, expected.detach().sum(1), rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("pool", [nn.MaxPool2d(2), nn.MaxPool2d(3, 2, 1), nn.MaxPool2d((2, 4))])
def test_deep_lift_adds_up_behind_a_pooling(plain, pixels, pool):
    """Where captum alone hands back too much or too little, for its hooks run in a wrong order."""
    plain[2] = pool.eval()
    found = explain(plain, pixels(2), [1, 2], "deep-lift")
    with torch.no_grad():
        change = plain(pixels(2)) - plain(torch.zeros(1, 3, 32, 32))
    expected = torch.stack([change[0, 1], change[1, 2]])
    torch.testing.assert_close(found.sum((1, 2)), expected, rtol=1e-3, atol=1e-5)


def test_guided_grad_cam_like_captum(plain, pixels):
    view = copy.deepcopy(plain)
    reference = captum.attr.GuidedGradCam(view, view[5])
    expected = reference.attribute(
        pixels(2).requires_grad_(), target=[1, 2], interpolate_mode="bilinear"
    )
    found = explain(plain, pixels(2), [1, 2], "guided-grad-cam", layer="5")
    torch.testing.assert_close(found, expected.detach().sum(1), rtol=1e-4, atol=1e-8)


# -- networks that are written down in ways a hook does not expect --------------------------------


class Reuse(nn.Module):
    """The same network with ReLUs that are written down in different ways."""

    def __init__(self, first_relu, second_relu):
        super().__init__()
        torch.manual_seed(1)
        self.first, self.second = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 3)
        self.act1, self.act2 = first_relu, second_relu
        self.head = nn.Linear(4, 2)

    def forward(self, x):
        x = self.act2(self.second(self.act1(self.first(x))))
        return self.head(x.mean((2, 3)))


@EVERY
@pytest.mark.parametrize(
    "relu",
    [
        nn.ReLU(),
        nn.ReLU(inplace=True),
        F.relu,
        torch.relu_,
        lambda x: F.relu(input=x),
        lambda x: (x.relu_(), x)[1],  # overwritten, and not taken
    ],
)
def test_a_reused_overwriting_or_bare_relu_changes_nothing(pixels, method, relu):
    expected = explain(Reuse(nn.ReLU(), nn.ReLU()).eval(), pixels(1), 1, method)
    torch.testing.assert_close(explain(Reuse(relu, relu).eval(), pixels(1), 1, method), expected)


class Shortcut(nn.Module):
    """2h − ReLU(h), where the ReLU shares its input with the way around it."""

    def __init__(self):
        super().__init__()
        self.first, self.act = linear([[1.0, 2, 4]]), nn.ReLU()

    def forward(self, x):
        h = self.first(x.flatten(1))
        return 2 * h - self.act(h)


def test_a_rule_leaves_the_way_around_a_relu_alone():
    found = explain(Shortcut().eval(), PIXEL, 0, "guided-backprop")
    torch.testing.assert_close(found, torch.tensor([[[14.0]]]))  # twice 7, and nothing through it


# -- networks that do not fit ---------------------------------------------------------------------


@GUIDED
@pytest.mark.parametrize(
    ("activation", "reason"),
    [
        (nn.SiLU(), "SiLU"),
        (nn.ReLU6(), "ReLU6"),
        (LeanReLU6(inplace=True), "ReLU6"),
        (nn.Identity(), "none"),
    ],
)
def test_networks_with_other_activations_are_refused(pixels, method, activation, reason):
    parts = (nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2))
    net = nn.Sequential(nn.Conv2d(3, 4, 1), activation, *parts).eval()
    with pytest.raises(Unfit, match=f"has {reason}. Saliency, Integrated gradients and Grad-CAM"):
        explain(net, pixels(1), 0, method)


def test_deep_lift_that_does_not_add_up_is_refused(make_dual, pixels):
    branch = make_dual("regnety_002").branch("aux")  # its gates multiply what depends on pixels
    with pytest.raises(Unfit, match="must add up to the change of the score.*Integrated gradients"):
        explain(branch, pixels(1, 64), 0, "deep-lift")
