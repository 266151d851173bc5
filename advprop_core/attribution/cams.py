"""Class activation maps: what a layer's channels say, weighted by what they mean to the class.

They need what a layer gave and its gradient. Both are caught by hooks on a private view.
"""

import copy
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from advprop_core.attribution.errors import NoGradient, Unfit, UnknownLayer
from advprop_core.attribution.layers import (
    default_layer,
    find_layer,
    is_map,
    spatial_layers,
)
from advprop_core.attribution.question import Question, scores_of
from advprop_core.predict import require_eval

# From features and their gradient, (N, C, h, w) each, to maps (N, h, w).
Formula = Callable[[Tensor, Tensor], Tensor]


def weigh_by_mean(features: Tensor, gradient: Tensor) -> Tensor:
    """Grad-CAM, Selvaraju et al., arXiv 1610.02391: a channel weighs its mean gradient."""
    return (gradient.mean((2, 3), keepdim=True) * features).sum(1).relu()


def weigh_by_curvature(features: Tensor, gradient: Tensor) -> Tensor:
    """Grad-CAM++, Chattopadhay et al., arXiv 1710.11063, equations 10 and 19.

    A cell's share in the weight of its channel is g² / (2 g² + g³ · sum of the channel), and a
    cell with a negative gradient has none.
    """
    # Both sides divided by g², which may be too small to be squared in float32.
    below = 2 + gradient * features.sum((2, 3), keepdim=True)
    share = torch.where((gradient > 0) & (below != 0), 1 / below, 0.0)
    return ((share * gradient).sum((2, 3), keepdim=True) * features).sum(1).relu()


def weigh_where_positive(features: Tensor, gradient: Tensor) -> Tensor:
    """LayerCAM, Jiang et al., doi 10.1109/TIP.2021.3089943: each cell weighs its own gradient."""
    return (gradient.relu() * features).sum(1).relu()


def weigh_by_cell(features: Tensor, gradient: Tensor) -> Tensor:
    """HiResCAM, Draelos & Carin, arXiv 2011.08891: gradient times feature in each cell."""
    return (gradient * features).sum(1)


def principal_component(features: Tensor) -> Tensor:
    """Eigen-CAM, Muhammad & Yeasin, arXiv 2008.00299: features along their main direction.

    A direction has no sign of its own; the sum of the map is made positive.
    """
    cells = features.flatten(2).transpose(1, 2).float()
    u, s, _ = torch.linalg.svd(cells, full_matrices=False)
    along = u[:, :, 0] * s[:, :1]
    upright: Tensor = torch.where(along.sum(1, keepdim=True) < 0, -along, along)
    return upright.reshape(-1, *features.shape[2:])


_FORMULAS: dict[str, Formula] = {
    "grad-cam": weigh_by_mean,
    "grad-cam-plus-plus": weigh_by_curvature,
    "layer-cam": weigh_where_positive,
    "hires-cam": weigh_by_cell,
    "guided-grad-cam": weigh_by_mean,
}


def gradient_cam(question: Question) -> Tensor:
    """The map of the question's method at its layer, spread to the size of the image."""
    (cam,) = strip(question, [chosen_layer(question)])
    return cam


def eigen_cam(question: Question) -> Tensor:
    """Eigen-CAM; it needs neither a class nor a gradient."""
    return spread(principal_component(features_at(question)), question.pixels)


def chosen_layer(question: Question) -> str:
    """The question's layer, or the default one."""
    return question.layer or default_layer(question.module, question.pixels)


@dataclass(frozen=True, eq=False)
class ForwardPass:
    """What a branch says of pictures, and what its layers give on the way.

    Attributes:
        logits: (N, C), with the graph that leads back to the layers.
        outputs: Layer to what it gives; a layer that never ran is not there.
    """

    logits: Tensor
    outputs: Mapping[str, object]


def forward_pass(module: nn.Module, pixels: Tensor, layers: Sequence[str]) -> ForwardPass:
    """Run pictures, (N, 3, H, W), and remember what the layers give.

    Raises:
        UnknownLayer: For a layer that the network does not have.
        ValueError: For a module in training mode.
    """
    require_eval(module)
    view, caught = _catching(module, layers)
    with torch.enable_grad():
        # The pixels need no gradient: a frozen network records nothing before the first layer.
        return ForwardPass(view(pixels.detach().clone()), caught)


def strip(question: Question, layers: Sequence[str]) -> list[Tensor]:
    """A map (N, H, W) per layer, from one forward and one backward pass.

    Raises:
        UnknownLayer: For a layer that the network does not have or never runs.
        NoGradient: For a layer that the score does not depend on.
    """
    formula = _FORMULAS[question.method.name]
    caught = question.once(("layers", *layers), lambda: _with_gradients(question, layers))
    maps = []
    for layer, (features, gradient) in zip(layers, caught, strict=True):
        if gradient is None:
            raise NoGradient(f"the score does not depend on layer {layer!r}: choose another")
        maps.append(spread(formula(features, gradient), question.pixels))
    return maps


def _with_gradients(
    question: Question, layers: Sequence[str]
) -> list[tuple[Tensor, Tensor | None]]:
    """What each layer gives, and the gradient of the scores there, (N, C, h, w) each."""
    features = _features(question, layers)
    with torch.enable_grad():
        total = scores_of(_pass_of(question, layers).logits, question.targets).sum()
    gradients: Sequence[Tensor | None] = (
        torch.autograd.grad(total, features, retain_graph=True, allow_unused=True)
        if total.requires_grad
        else [None] * len(features)
    )
    count = len(question.pixels)
    return [
        (output[:count].detach(), None if gradient is None else gradient[:count])
        for output, gradient in zip(features, gradients, strict=True)
    ]


def _pass_of(question: Question, layers: Sequence[str]) -> ForwardPass:
    """Its first pictures are the question's."""
    return question.once(
        ("pass", *layers), lambda: forward_pass(question.module, question.pixels, layers)
    )


def _features(question: Question, layers: Sequence[str]) -> list[Tensor]:
    outputs = _pass_of(question, layers).outputs
    return [_as_map(question, layer, outputs.get(layer)) for layer in layers]


def features_at(question: Question) -> Tensor:
    """(N, C, h, w) output of the question's layer, without a gradient."""
    (features,) = _features(question, [chosen_layer(question)])
    return features[: len(question.pixels)].detach()


def spread(cells: Tensor, pixels: Tensor) -> Tensor:
    """(N, h, w) to (N, H, W), bilinear."""
    size = pixels.shape[2:]
    return F.interpolate(cells[:, None], size, mode="bilinear", align_corners=False)[:, 0]


def class_activation(question: Question) -> Tensor:
    """CAM, Zhou et al., arXiv 1512.04150: the last map, weighted as the classifier weighs it.

    The mean of the coarse map and the classifier's bias add up to the score.

    Raises:
        Unfit: If the score is not a weighted mean of the last map's channels.
    """
    pixels, layers = question.pixels, spatial_layers(question.module, question.pixels)
    # Only of a weighted mean is the gradient the same in every cell, and for every picture.
    with_black = replace(
        question,
        pixels=torch.cat([pixels, torch.zeros_like(pixels)]),
        targets=2 * question.targets,
        made={},
    )
    if layers:
        ((features, gradient),) = _with_gradients(with_black, layers[-1:])
        if gradient is not None:
            weights = gradient.sum((2, 3), keepdim=True)
            first = weights[: len(pixels)]
            cells = gradient[0, 0].numel()
            if _same(gradient * cells, weights) and _same(weights, first.repeat(2, 1, 1, 1)):
                return spread((first * features[: len(pixels)]).sum(1), pixels)
    raise Unfit(
        f"{question.method.title} does not fit this network: its score is not a weighted mean of "
        "the last layer's map. HiResCAM and Grad-CAM do, at any layer with a map"
    )


def _same(first: Tensor, second: Tensor) -> bool:
    return torch.allclose(first, second.expand_as(first), rtol=1e-3)


def _catching(module: nn.Module, layers: Sequence[str]) -> tuple[nn.Module, dict[str, object]]:
    """A view, and what its layers give; where one is called more than once, the last it gives."""
    caught: dict[str, object] = {}

    def remember(_module: nn.Module, _inputs: object, output: object, *, layer: str) -> object:
        if not isinstance(output, Tensor):
            caught[layer] = output
            return output
        if torch.is_grad_enabled() and not output.requires_grad:
            output = output.detach().requires_grad_()  # the graph begins here
        caught[layer] = output
        # What follows may overwrite what it is given: an in-place activation, or a sum.
        return output.clone()

    view = view_for_hooks(module, [find_layer(module, layer) for layer in layers])
    for layer in layers:
        find_layer(view, layer).register_forward_hook(partial(remember, layer=layer))
    return view, caught


def view_for_hooks(module: nn.Module, layers: Collection[nn.Module]) -> nn.Module:
    """A view that owns the layers, for hooks on them, and what they lie in; the rest is shared.

    To copy every layer of a network, as
    :func:`~advprop_core.models.dual_bn.private_view` does, takes as long as a forward pass.
    """
    others = [part for part in module.modules() if not {*layers} & {*part.modules()}]
    shared = (*module.parameters(), *module.buffers(), *others)
    return copy.deepcopy(module, {id(part): part for part in shared})


def _as_map(question: Question, layer: str, output: object) -> Tensor:
    if isinstance(output, Tensor) and is_map(output, question.pixels):
        return output
    others = spatial_layers(question.module, question.pixels)
    raise UnknownLayer(
        f"layer {layer!r} gives no map of at least 2×2 in a forward pass: choose another, "
        f"such as {', '.join(others[-3:])}"
    )
