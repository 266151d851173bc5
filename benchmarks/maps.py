"""Eight maps of two branches on two inputs, against captum and pytorch-grad-cam one by one."""

from __future__ import annotations

import copy
import statistics
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch
from captum.attr import (
    GuidedBackprop,
    InputXGradient,
    IntegratedGradients,
    LayerAttribution,
    LayerGradCam,
    NoiseTunnel,
    Saliency,
)
from pytorch_grad_cam import GradCAMPlusPlus, LayerCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import Tensor, nn

from advprop_core.attacks.gradient import attack
from advprop_core.attribution.grids import MapMaker
from advprop_core.attribution.layers import default_layer, find_layer
from advprop_core.attribution.methods import METHODS as KNOWN
from advprop_core.datasets.named import load_images
from advprop_core.models import timm_networks
from advprop_core.models.bundle import open_model
from advprop_core.models.dual_bn import DualBNModel
from advprop_core.models.folding import fold
from advprop_core.types import AttackConfig, AttributionMap, InputKind, ModelInfo
from benchmarks.timing import interleave, ratio, verdict

METHODS = (
    "saliency",
    "input-x-gradient",
    "integrated-gradients",
    "smoothgrad",
    "guided-backprop",
    "grad-cam",
    "grad-cam-plus-plus",
    "layer-cam",
)
FASTER = 1.5
_DRAWN = {"smoothgrad"}  # noise of another generator
_ROUNDED = "grad-cam-plus-plus"  # pytorch-grad-cam adds 1e-6 to a denominator that may be smaller

Inputs = Mapping[InputKind, Tensor]


def run(data: Path | None) -> dict[str, Any]:
    """The pictures do not matter for speed, so ``data`` is not read."""
    bundled = open_model("shapes-advprop")  # its ReLUs have a rule in captum, lite0's have none
    return {
        "shapes-advprop": _measure(bundled.model, bundled.info.input_size, 8, 2.0),
        "resnet50": _measure(_resnet50(), 224, 2, 20.0),
    }


def _resnet50() -> DualBNModel:
    """Untrained: speed does not depend on the weights."""
    classes = tuple(str(index) for index in range(1000))
    half = (0.5, 0.5, 0.5)
    branches = {"main": "trained", "aux": "trained"}
    info = ModelInfo("resnet50", classes, classes, 224, half, half, branches)
    return timm_networks.create(info).freeze()


def _measure(model: DualBNModel, size: int, rounds: int, target: float) -> dict[str, Any]:
    pixels = load_images("shapes", size, split="val", limit=1).pixels.float() / 255
    label = model.branch("main")(pixels).argmax(1)
    moved = attack(model.branch("main"), pixels, label, AttackConfig.fgsm(2 / 255))
    inputs: Inputs = {"clean": pixels, "adversarial": moved}
    plain = {name: _without_inplace(model.branch(name)) for name in model.branch_names}
    folded = {name: fold(module, pixels) for name, module in plain.items()}
    layer = default_layer(plain["main"], pixels)
    ours = partial(_together, folded, inputs, int(label), layer)
    theirs = partial(_one_by_one, plain, inputs, int(label), layer)
    deviation = _deviation(ours(), theirs())
    seconds = interleave({"ours": ours, "one by one": theirs}, [()], rounds, warm_up=1)
    gain, own = ratio(seconds["one by one"], seconds["ours"]), statistics.median(seconds["ours"])
    others = [found for method, found in deviation.items() if method != _ROUNDED]
    architecture = type(plain["main"].network).__name__
    print(
        f"  {architecture}, {size} px: {own:.2f} s (target {target:.0f} s: "
        f"{verdict(own < target)}), {gain['median']:.2f}x faster than one by one "
        f"(quartiles {gain['low']:.2f}-{gain['high']:.2f}; target {FASTER}: "
        f"{verdict(gain['median'] >= FASTER)}); largest deviation of a map, as a share of its "
        f"largest value, {max(others):.1e}, but for {_ROUNDED} {deviation[_ROUNDED]:.1e}"
    )
    return {"seconds": own, "gain": gain, "deviation": deviation}


def _together(
    branches: Mapping[str, nn.Module], inputs: Inputs, class_index: int, layer: str
) -> dict[tuple[str, InputKind, str], AttributionMap]:
    maker = MapMaker(branches, inputs, class_index)
    return {
        (method, *cell): drawn
        for method in METHODS
        for cell, drawn in maker.make(method, layer if KNOWN[method].needs_layer else None).items()
    }


def _one_by_one(
    branches: Mapping[str, nn.Module], inputs: Inputs, class_index: int, layer: str
) -> dict[tuple[str, InputKind, str], Tensor]:
    """As a person would write it with both libraries."""
    return {
        (method, kind, name): _map(method, module, pixels.clone(), class_index, layer)
        for method in METHODS
        for name, module in branches.items()
        for kind, pixels in inputs.items()
    }


def _map(method: str, module: nn.Module, pixels: Tensor, target: int, layer: str) -> Tensor:
    if method in ("grad-cam-plus-plus", "layer-cam"):
        kind = GradCAMPlusPlus if method == "grad-cam-plus-plus" else LayerCAM
        with kind(model=module, target_layers=[find_layer(module, layer)]) as cam:
            made = cam(pixels.requires_grad_(), [ClassifierOutputTarget(target)])
        return torch.from_numpy(made[0])
    makers: dict[str, Callable[[], Tensor]] = {
        "saliency": lambda: Saliency(module).attribute(pixels, target).amax(1),
        "input-x-gradient": lambda: InputXGradient(module).attribute(pixels, target).sum(1),
        "integrated-gradients": lambda: (
            IntegratedGradients(module).attribute(pixels, target=target, n_steps=32).sum(1)
        ),
        "smoothgrad": lambda: (
            NoiseTunnel(Saliency(module))
            .attribute(pixels, nt_samples=16, stdevs=0.1, target=target, abs=False)
            .abs()
            .amax(1)
        ),
        "guided-backprop": lambda: GuidedBackprop(module).attribute(pixels, target).sum(1),
        "grad-cam": lambda: LayerAttribution.interpolate(
            LayerGradCam(module, find_layer(module, layer)).attribute(
                pixels, target, relu_attributions=True
            ),
            tuple(pixels.shape[2:]),
            "bilinear",
        )[:, 0],
    }
    return makers[method]()[0].detach()


def _deviation(ours: Mapping[Any, Any], theirs: Mapping[Any, Tensor]) -> dict[str, float]:
    """Method to the largest difference of two maps, as a share of the map's largest value."""
    worst: dict[str, float] = {}
    for cell, other in theirs.items():
        own = ours[cell].values
        if cell[0] in _DRAWN:
            continue
        if cell[0] in ("grad-cam-plus-plus", "layer-cam"):  # they come scaled to [0, 1]
            own = (own - own.min()) / (own.max() - own.min())
        found = float((own - other).abs().max() / other.abs().max())
        worst[cell[0]] = max(worst.get(cell[0], 0.0), found)
    return worst


def _without_inplace(module: nn.Module) -> Any:
    """Guided backpropagation needs ReLUs that keep what they are given."""
    own = copy.deepcopy(module)
    for part in own.modules():
        if isinstance(part, nn.ReLU):
            part.inplace = False
    return own
