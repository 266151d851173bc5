import copy
from operator import itemgetter

import captum.attr
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from advprop_core.attribution import question
from advprop_core.attribution.cams import view_for_hooks
from advprop_core.attribution.errors import NoGradient, Unfit, UnknownLayer
from advprop_core.attribution.maps import explain
from advprop_core.attribution.methods import METHODS

A = torch.tensor([[1.0, 0.0], [0.5, 0.25]])
B = torch.tensor([[0.0, 1.0], [0.5, 0.0]])


@pytest.fixture
def two(pooled_net):
    """The means of the first two channels, and one score: 3 · mean(a) − 2 · mean(b)."""
    return pooled_net(torch.tensor([[1.0, 0, 0], [0, 1, 0]]), torch.tensor([[3.0, -2.0]]))


@pytest.fixture
def image():
    return torch.stack([A, B, torch.zeros(2, 2)])[None]


# -- literal values -------------------------------------------------------------------------------


def test_grad_cam_by_hand(two, image):
    found = explain(two, image, 0, "grad-cam", layer="0")
    # A channel's weight is its mean gradient, 3/4 and −2/4; what is negative is cut off.
    expected = torch.tensor([[0.75, 0.0], [0.375 - 0.25, 0.1875]])
    torch.testing.assert_close(found[0], expected)


def test_hires_cam_by_hand(two, image):
    found = explain(two, image, 0, "hires-cam", layer="0")
    torch.testing.assert_close(found[0], 0.75 * A - 0.5 * B)  # what is negative stays
    score = two(image)[0, 0] - two[4].bias[0]
    torch.testing.assert_close(found.sum(), score)  # the cells account for it


def test_layer_cam_by_hand(two, image):
    found = explain(two, image, 0, "layer-cam", layer="0")
    torch.testing.assert_close(found[0], 0.75 * A)  # b's gradient is negative everywhere


def test_layer_cam_weighs_cell_by_cell(linear_net):
    weights = torch.tensor([[[1.0, -2.0], [3.0, 0.0]]]).repeat(3, 1, 1)[None]
    net = nn.Sequential(nn.Identity(), *linear_net(weights)).eval()
    pixels = torch.full((1, 3, 2, 2), 0.5)
    found = explain(net, pixels, 0, "layer-cam", layer="0")
    torch.testing.assert_close(found[0], torch.tensor([[1.5, 0.0], [4.5, 0.0]]))


def test_grad_cam_plus_plus_by_hand(two, image):
    """All four cells of a have g = 3/4: a share of g² / (2 g² + 1.75 g³) each."""
    share = 0.75**2 / (2 * 0.75**2 + 1.75 * 0.75**3)
    found = explain(two, image, 0, "grad-cam-plus-plus", layer="0")
    torch.testing.assert_close(found[0], 4 * share * 0.75 * A)  # b has no positive gradient


def test_grad_cam_plus_plus_of_tiny_gradients_is_no_less_exact(two, image):
    small = copy.deepcopy(two)
    small[4].weight.data *= 1e-20
    found = explain(small, image, 0, "grad-cam-plus-plus", layer="0")
    torch.testing.assert_close(found[0] / 0.75e-20, 4 * 0.5 * A, rtol=1e-4, atol=1e-6)


def test_eigen_cam_is_the_main_direction_of_the_cells():
    """Cells along (3, 4)/5 with lengths 5, 10, 0 and 5."""
    lengths = torch.tensor([[1.0, 2.0], [0.0, 1.0]])
    pixels = torch.stack([3 * lengths, 4 * lengths, 0 * lengths])[None] / 8
    for sign in (1, -1):  # a direction has no sign: the sum is made positive
        scale = nn.Conv2d(3, 3, 1, bias=False)
        with torch.no_grad():
            scale.weight.copy_(8 * sign * torch.eye(3)[:, :, None, None])
        net = nn.Sequential(scale, nn.Flatten(), nn.Linear(12, 1)).eval()
        found = explain(net, pixels, 0, "eigen-cam", layer="0")
        torch.testing.assert_close(found[0], 5 * lengths)


def test_cam_by_hand(two, image):
    found = explain(two, image, 0, "cam")
    torch.testing.assert_close(found[0], 3 * A - 2 * B)
    torch.testing.assert_close(found.mean() + two[4].bias[0], two(image)[0, 0])


def test_cam_is_hires_cam_times_the_cells(branch, pixels):
    image = pixels(2, 64)
    found = explain(branch, image, [1, 4], "cam")
    last = explain(branch, image, [1, 4], "hires-cam", layer="layer4")
    torch.testing.assert_close(found, 4 * last, rtol=1e-3, atol=1e-5)  # of 2×2 cells


# -- against others -------------------------------------------------------------------------------


@pytest.fixture
def steep(make_dual):
    """Gradients far above the constants that guard other code against division by zero."""
    branch = copy.deepcopy(make_dual().branch("aux")).requires_grad_(True)
    branch.network.get_classifier().weight.data *= 50
    return branch


def by_grad_cam_package(kind, module, layer, pixels, classes):
    package = pytest.importorskip("pytorch_grad_cam")
    targets = [itemgetter(index) for index in classes]
    with getattr(package, kind)(model=module, target_layers=[layer]) as cam:
        cam(pixels.clone(), targets)
        kept = cam.activations_and_grads
        gradients = kept.gradients[0].numpy() if kept.gradients else None
        features = kept.activations[0].numpy()
        cells = cam.get_cam_image(pixels, layer, targets, features, gradients, False)
    return torch.as_tensor(cells)


def spread(cells, side):
    size = (side, side)
    return F.interpolate(cells[:, None], size, mode="bilinear", align_corners=False)[:, 0]


@pytest.mark.parametrize("layer", ["layer1", "layer3"])
@pytest.mark.parametrize(
    ("method", "kind"),
    [
        ("grad-cam", "GradCAM"),
        ("grad-cam-plus-plus", "GradCAMPlusPlus"),
        ("layer-cam", "LayerCAM"),
        ("hires-cam", "HiResCAM"),
    ],
)
def test_like_pytorch_grad_cam(steep, pixels, method, kind, layer):
    image = pixels(2, 64)
    part = steep.network.get_submodule(layer)
    cells = by_grad_cam_package(kind, steep, part, image, [1, 2])
    expected = spread(cells if method == "hires-cam" else cells.relu(), 64)
    found = explain(steep, image, [1, 2], method, layer=layer)
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-3 * float(expected.abs().max()))


def test_eigen_cam_like_pytorch_grad_cam_up_to_its_sign(pixels):
    """That one subtracts the mean first, as the paper does not; here the mean is zero."""
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(3, 5, 3), nn.InstanceNorm2d(5), nn.Flatten(), nn.Linear(5 * 14 * 14, 2)
    ).eval()
    expected = spread(by_grad_cam_package("EigenCAM", net, net[1], pixels(1, 16), [0]), 16)
    found = explain(net, pixels(1, 16), 0, "eigen-cam", layer="1")
    torch.testing.assert_close(found.abs(), expected.abs(), rtol=1e-3, atol=1e-3)


def test_score_cam_like_pytorch_grad_cam(pixels):
    """At a layer of the image's size, for the two spread a map differently."""
    torch.manual_seed(0)
    parts = (nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 3))
    net = nn.Sequential(nn.Conv2d(3, 6, 3, padding=1), nn.ReLU(), *parts).eval()
    net[4].weight.data *= 20
    expected = by_grad_cam_package("ScoreCAM", net, net[1], pixels(2, 16), [1, 2])
    found = explain(net, pixels(2, 16), [1, 2], "score-cam", layer="1")
    torch.testing.assert_close(found, expected.relu(), rtol=1e-3, atol=1e-4)


def test_grad_cam_like_captum(branch, pixels):
    view = copy.deepcopy(branch)
    cells = captum.attr.LayerGradCam(view, view.network.layer3).attribute(
        pixels(2, 64), [1, 2], relu_attributions=True
    )
    found = explain(branch, pixels(2, 64), [1, 2], "grad-cam", layer="layer3")
    torch.testing.assert_close(found, spread(cells[:, 0].detach(), 64), rtol=1e-4, atol=1e-6)


# -- layers ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "layer", ["conv1", "bn1", "act1", "maxpool", "layer1.0.bn1", "layer1.0.act1", "layer2"]
)
@pytest.mark.parametrize("method", ["grad-cam", "hires-cam"])
def test_any_layer_of_a_frozen_network(make_dual, pixels, layer, method):
    """Among them layers whose output an activation or a sum then overwrites."""
    branch = make_dual("resnet18").branch("aux")
    found = explain(branch, pixels(1, 64), 1, method, layer=layer)
    assert found.shape == (1, 64, 64)
    assert found.max() > 0


def test_a_layer_that_is_overwritten_shows_what_it_gave(pooled_net, image):
    """The ReLU in place would leave nothing of the convolution's negative values."""
    net = pooled_net(torch.tensor([[-1.0, 1, 0]]), torch.tensor([[1.0]]), rectify=True)
    found = explain(net, image, 0, "eigen-cam", layer="0")
    expected = B - A
    torch.testing.assert_close(found[0].abs(), expected.abs())
    assert found.min() < 0 < found.max()


def test_a_map_is_spread_to_the_input_size(branch, pixels):
    found = explain(branch, pixels(2, 48), 0, "grad-cam", layer="layer2")
    assert found.shape == (2, 48, 48)
    assert (found >= 0).all()
    assert (found > 0).any()


@pytest.mark.filterwarnings("ignore:Setting")
@pytest.mark.parametrize("method", [name for name, kind in METHODS.items() if kind.needs_layer])
def test_layers_that_do_not_fit_are_refused(branch, pixels, quick, method):
    with pytest.raises(UnknownLayer, match=r"no layer 'layer9'.*Did you mean .*layer"):
        quick(branch, pixels(1), 0, method, layer="layer9")
    with pytest.raises(UnknownLayer, match="'fc' gives no map.*layer"):
        quick(branch, pixels(1), 0, method, layer="fc")


def test_a_layer_the_score_does_not_depend_on_is_refused(pixels):
    class Aside(nn.Module):
        def __init__(self):
            super().__init__()
            self.used, self.aside = nn.Conv2d(3, 2, 1), nn.Conv2d(3, 2, 1)

        def forward(self, x):
            self.aside(x)
            return self.used(x).mean((2, 3))

    with pytest.raises(NoGradient, match="does not depend on layer 'aside'"):
        explain(Aside().eval(), pixels(1), 0, "grad-cam", layer="aside")


# -- where CAM does not exist ---------------------------------------------------------------------


def test_cam_needs_a_linear_layer_on_a_mean(linear_net, weights, pixels):
    with pytest.raises(Unfit, match="not a weighted mean .*HiResCAM and Grad-CAM do"):
        explain(linear_net(weights), torch.rand(1, 3, 4, 4), 0, "cam")
    torch.manual_seed(0)
    body, head = (nn.Conv2d(3, 4, 1), nn.ReLU()), (nn.Flatten(), nn.Linear(4, 2))
    largest = nn.Sequential(*body, nn.AdaptiveMaxPool2d(1), *head).eval()
    deeper = nn.Sequential(
        *body, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 9), nn.Tanh(), nn.Linear(9, 2)
    )
    for network in (largest, deeper.eval()):
        with pytest.raises(Unfit, match="not a weighted mean"):
            explain(network, pixels(1), 0, "cam")


def test_cam_with_a_convolution_as_classifier(pixels):
    torch.manual_seed(0)
    head = (nn.AdaptiveAvgPool2d(1), nn.Conv2d(4, 2, 1), nn.Flatten())
    net = nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU(), *head).eval()
    found = explain(net, pixels(1, 16), 1, "cam")
    with torch.no_grad():
        expected = net(pixels(1, 16))[0, 1] - net[3].bias[1]
    torch.testing.assert_close(found.mean(), expected)


# -- the view that is hooked ----------------------------------------------------------------------


def test_a_view_for_hooks_owns_what_leads_to_a_layer_wherever_it_stands(pixels):
    inner = nn.Sequential(nn.Conv2d(3, 3, 1))
    net = nn.Sequential(inner, nn.ReLU(), nn.Sequential(inner)).eval()
    view = view_for_hooks(net, [inner[0]])
    calls = []
    view[0][0].register_forward_hook(lambda *_: calls.append(1))
    net(pixels(1, 8))
    assert not calls
    assert torch.equal(view(pixels(1, 8)), net(pixels(1, 8)))
    assert len(calls) == 2
    assert view[1] is net[1]
    assert view[0][0].weight is inner[0].weight


def test_a_network_is_inspected_once_when_it_is_frozen(pixels, monkeypatch):
    net = nn.Sequential(nn.Conv2d(3, 2, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten()).eval()
    sizes = []

    def inspect(module, images):
        sizes.append(images.shape[2])
        return question.Inspection(2, True)

    monkeypatch.setattr(question, "inspect", inspect)
    for side in (8, 8, 9):
        explain(net, pixels(1, side), 0, "grad-cam", layer="0")
    assert sizes == [8, 8, 9]
    net.requires_grad_(False)
    for side in (8, 8, 9):
        explain(net, pixels(1, side), 0, "grad-cam", layer="0")
    assert sizes == [8, 8, 9, 8, 9]
