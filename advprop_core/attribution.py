"""Every map; the only file that imports captum.

No hook is ever registered on a module that was handed in: methods without hooks run on it
directly, the others on a private view made for the call. Randomness comes from an own generator.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence

import torch
from captum.attr import IntegratedGradients, LayerGradCam, Saliency
from torch import Tensor, nn
from torch.nn import functional as F

from advprop_core.dual_bn import PixelNetwork, private_view
from advprop_core.methods import METHODS
from advprop_core.predict import require_eval

_INTEGRATION_STEPS = 32
_SMOOTH_SAMPLES = 16
_SMOOTH_SIGMA = 0.1
_INTERNAL_BATCH = 32
_MIN_CELLS = 5  # a stage with a coarser map cannot point at anything


class UnknownLayer(ValueError):
    """A layer the network does not have or does not use; the message lists near matches."""


def explain(
    module: nn.Module,
    pixels: Tensor,
    class_index: int | Sequence[int],
    method: str,
    *,
    layer: str | None = None,
    seed: int = 0,
) -> Tensor:
    """Maps of a class score, one per image.

    Saliency: Simonyan et al., arXiv 1312.6034 (largest absolute gradient over the channels).
    Integrated gradients: Sundararajan et al., arXiv 1703.01365 (32 steps from black, summed
    over the channels). SmoothGrad: Smilkov et al., arXiv 1706.03825 (16 copies, sigma 0.1).
    Grad-CAM: Selvaraju et al., arXiv 1610.02391 (with ReLU, bilinear to input size).

    Args:
        module: A frozen branch.
        pixels: (N, 3, H, W) in [0, 1].
        class_index: The class to explain, one for all images or one each.
        method: A key of :data:`~advprop_core.methods.METHODS`.
        layer: Dotted name for layer methods; :func:`default_layer` when not given.
        seed: Of SmoothGrad's noise.

    Returns:
        (N, H, W) float32 on the CPU, unscaled.

    Raises:
        UnknownLayer: If the network has no such layer, or never runs it.
        ValueError: For an unknown method, a class the model does not have, a layer given to a
            method without one, or a map that is not finite.
    """
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}, got {method!r}")
    if layer is not None and not METHODS[method].needs_layer:
        raise ValueError(f"{METHODS[method].title} has no layer, got layer={layer!r}")
    require_eval(module)
    targets = [class_index] * len(pixels) if isinstance(class_index, int) else list(class_index)
    _validate_classes(module, pixels, targets)
    own = pixels.detach().clone()  # captum sets requires_grad on the tensor it is given
    if method == "grad-cam":
        values = _grad_cam(module, own, targets, layer or default_layer(module, pixels))
    else:
        values = _GRADIENT_METHODS[method](module, own, targets, seed)
    if not torch.isfinite(values).all():
        raise ValueError(f"the {METHODS[method].title} map is not finite, so it is not drawn")
    return values.detach().float().cpu()


def _saliency(module: nn.Module, pixels: Tensor, targets: list[int], seed: int) -> Tensor:
    own = pixels.detach().requires_grad_()  # captum warns where it has to set this itself
    gradients: Tensor = Saliency(module).attribute(own, targets, abs=False)
    return gradients.abs().amax(1)


def _integrated_gradients(
    module: nn.Module, pixels: Tensor, targets: list[int], seed: int
) -> Tensor:
    attributions: Tensor = IntegratedGradients(module).attribute(
        pixels,
        torch.zeros_like(pixels),
        targets,
        n_steps=_INTEGRATION_STEPS,
        internal_batch_size=_INTERNAL_BATCH,
    )
    return attributions.sum(1)


def _smoothgrad(module: nn.Module, pixels: Tensor, targets: list[int], seed: int) -> Tensor:
    # captum's NoiseTunnel draws from the global generator, so the copies are made here.
    generator = torch.Generator(pixels.device).manual_seed(seed)
    shape = (_SMOOTH_SAMPLES, *pixels.shape[1:])
    noise = _SMOOTH_SIGMA * torch.randn(shape, generator=generator, device=pixels.device)
    rows = []
    for image, target in zip(pixels, targets, strict=True):
        copies = (image + noise).detach().requires_grad_()
        gradients = Saliency(module).attribute(copies, [target] * len(copies), abs=False)
        rows.append(gradients.mean(0).abs().amax(0))
    return torch.stack(rows)


def _grad_cam(module: nn.Module, pixels: Tensor, targets: list[int], layer: str) -> Tensor:
    view = private_view(module)
    chosen = find_layer(view, layer)
    if not _gives_map(view, chosen, pixels):
        others = spatial_layers(module, pixels)
        raise UnknownLayer(
            f"layer {layer!r} gives no map of at least 2×2 in a forward pass: choose another, "
            f"such as {', '.join(others[-3:])}"
        )
    cam = LayerGradCam(view, chosen).attribute(pixels, targets, relu_attributions=True)
    return F.interpolate(cam, pixels.shape[2:], mode="bilinear", align_corners=False)[:, 0]


def _gives_map(view: nn.Module, chosen: nn.Module, pixels: Tensor) -> bool:
    outputs: list[object] = []
    handle = chosen.register_forward_hook(lambda _module, _inputs, output: outputs.append(output))
    with torch.no_grad():
        view(pixels[:1])
    handle.remove()  # the view is this call's own, so there is nobody to protect from an error
    return any(map(_is_map, outputs))


def _is_map(output: object) -> bool:
    return isinstance(output, Tensor) and output.ndim == 4 and min(output.shape[2:]) > 1


_GRADIENT_METHODS: dict[str, Callable[[nn.Module, Tensor, list[int], int], Tensor]] = {
    "saliency": _saliency,
    "integrated-gradients": _integrated_gradients,
    "smoothgrad": _smoothgrad,
}


def _network(module: nn.Module) -> nn.Module:
    return module.network if isinstance(module, PixelNetwork) else module


def find_layer(module: nn.Module, layer: str) -> nn.Module:
    """The layer of that dotted name.

    Raises:
        UnknownLayer: With near matches, if there is none.
    """
    layers: dict[str, nn.Module] = dict(_network(module).named_modules())
    if not layer or layer not in layers:
        near = difflib.get_close_matches(layer, [name for name in layers if name], 3, 0.4)
        hint = f": did you mean {', '.join(near)}?" if near else ""
        raise UnknownLayer(f"the network has no layer {layer!r}{hint}")
    return layers[layer]


def spatial_layers(module: nn.Module, pixels: Tensor, depth: int | None = None) -> tuple[str, ...]:
    """Dotted names of the layers whose output is a map of at least 2×2, in execution order.

    Args:
        module: A frozen branch.
        pixels: (N, 3, H, W); only the first image is run.
        depth: Leave out names with more parts than this.

    Raises:
        ValueError: If the module is in training mode: the pass would move its statistics.
    """
    require_eval(module)
    view = private_view(module)
    reached: dict[str, None] = {}

    def remember(name: str) -> Callable[[nn.Module, object, object], None]:
        def hook(_module: nn.Module, _inputs: object, output: object) -> None:
            if _is_map(output):
                reached[name] = None

        return hook

    for name, part in _network(view).named_modules():
        if name and (depth is None or name.count(".") < depth):
            part.register_forward_hook(remember(name))
    with torch.no_grad():
        view(pixels[:1])
    return tuple(reached)


def stages(module: nn.Module) -> tuple[str, ...]:
    """Dotted names of the network's stages, shallow to deep, as timm lists them."""
    network = _network(module)
    listed = getattr(network, "feature_info", None) or []
    known = dict(network.named_modules())
    return tuple(
        stage["module"] for stage in listed if isinstance(stage, dict) and stage["module"] in known
    )


def default_layer(module: nn.Module, pixels: Tensor) -> str:
    """The deepest stage whose map has at least 5×5 cells, or the deepest that has a map at all.

    A network for 224 px ends in 7×7; the same network at 96 px ends in 3×3, too coarse to
    point at anything.

    Raises:
        ValueError: If the module is in training mode: the pass would move its statistics.
        UnknownLayer: If no layer has a spatial map.
    """
    require_eval(module)
    view = private_view(module)
    sizes: dict[str, int] = {}

    def remember(name: str) -> Callable[[nn.Module, object, object], None]:
        def hook(_module: nn.Module, _inputs: object, output: object) -> None:
            if isinstance(output, Tensor) and output.ndim == 4:
                sizes[name] = min(output.shape[2:])

        return hook

    names = stages(module) or spatial_layers(module, pixels)
    for name in names:
        find_layer(view, name).register_forward_hook(remember(name))
    with torch.no_grad():
        view(pixels[:1])
    if not sizes:
        raise UnknownLayer("the network has no layer with a spatial map: use a gradient method")
    fine = [name for name in names if sizes.get(name, 0) >= _MIN_CELLS]
    return fine[-1] if fine else max(sizes, key=lambda name: sizes[name])


def _validate_classes(module: nn.Module, pixels: Tensor, targets: Sequence[int]) -> None:
    if len(targets) != len(pixels):
        raise ValueError(
            f"class_index must be one class or {len(pixels)}, one per image, got {len(targets)}"
        )
    with torch.no_grad():
        count = module(pixels[:1]).shape[1]
    if targets and not (min(targets) >= 0 and max(targets) < count):
        raise ValueError(f"class_index must lie in [0, {count - 1}], got {sorted(set(targets))}")
