"""Which norm layers a model has, in what order they run, and what they are called together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import torch
from torch import Tensor, nn

from advprop_core.errors import InputError
from advprop_core.models.dual_bn import DualBNModel, PixelNetwork, norm_layers, private_view
from advprop_core.text import did_you_mean

HEAD = "head"
_SIDE = 64  # enough for the strides of all but a few networks, and 12 times faster than 224


def pair(model: DualBNModel, first: str, second: str) -> tuple[PixelNetwork, PixelNetwork]:
    """Two branches of a model by name.

    Raises:
        InputError: If the model has one branch only.
        ValueError: If there is no such branch, or both are one.
    """
    if len(model.branch_names) < 2:
        raise InputError(
            f"the model has one branch, {model.branch_names[0]}, and two are compared: give it "
            "an auxiliary one first, with `advprop calibrate`"
        )
    if first == second:
        raise InputError(f"first and second must be two branches, got {first!r} twice")
    return model.branch(first), model.branch(second)


def stages_of_layers(model: DualBNModel) -> dict[str, str]:
    """Norm layer to the stage of the network it belongs to, in module order.

    A stage ends with the module that timm's ``feature_info`` names and is called by it; what
    lies between two of them belongs to the later one, and what follows the last is ``head``. In
    a network without such a list, a stage is a child of the network.
    """
    network = model.branch("main").network
    places = {name: index for index, (name, _) in enumerate(network.named_modules())}
    ends = {stage: _end(stage, places) for stage in _listed_stages(network) if stage in places}
    return {
        layer: next((stage for stage, end in ends.items() if places[layer] <= end), HEAD)
        if ends
        else layer.partition(".")[0]
        for layer in model.norm_layer_names()
    }


def execution_order(model: DualBNModel, example: Tensor | None = None) -> tuple[str, ...]:
    """Norm layers in the order in which they first run, which module order need not be.

    Args:
        model: In any mode; it is not changed.
        example: (N, 3, H, W) pixels the network takes, of which the first image is run. A black
            image when not given: 64×64, or of the network's own size where timm says it takes
            no other.

    Returns:
        Dotted names inside the network, without layers that never run.

    Raises:
        ValueError: If the network does not take the image.
    """
    main = model.branch("main")
    view = private_view(main).eval()
    image = _black_image(main) if example is None else example[:1]
    reached: dict[str, None] = {}

    def remember(name: str) -> Callable[[nn.Module, object], None]:
        def hook(_module: nn.Module, _inputs: object) -> None:
            reached[name] = None

        return hook

    assert isinstance(view, PixelNetwork)
    for name, layer in norm_layers(view.network).items():
        layer.register_forward_pre_hook(remember(name))
    try:
        with torch.no_grad():
            view(image)
    except RuntimeError as error:
        height, width = image.shape[2:]
        raise InputError(
            f"the network does not take an image of {height}×{width} pixels: give an example "
            f"that it takes ({error})"
        ) from error
    return tuple(reached)


def resolve(model: DualBNModel, names: Sequence[str] | None) -> tuple[str, ...]:
    """Norm layers in module order, from names of layers and of stages; all for None.

    Where a name is both a layer and a stage, the layer is meant.

    Raises:
        TypeError: If names is a single text.
        ValueError: If a name is neither; the message has near matches.
    """
    if isinstance(names, str):
        raise TypeError(f"layers must be a sequence of names, got the text {names!r}: put it in []")
    if names is None:
        return model.norm_layer_names()
    stages = stages_of_layers(model)
    for name in names:
        require_name(name, [*stages, *stages.values()])
    wanted = set(names)
    return tuple(
        layer
        for layer, stage in stages.items()
        if layer in wanted or (stage in wanted and stage not in stages)
    )


def require_name(name: str, known: Iterable[str], what: str = "norm layer or stage") -> None:
    """Raise ValueError, with near matches, if the name is not among the known ones."""
    choices = list(dict.fromkeys(known))
    if name not in choices:
        raise InputError(f"The network has no {what} {name!r}. {did_you_mean(name, choices)}")


def _listed_stages(network: nn.Module) -> list[str]:
    listed = getattr(network, "feature_info", None) or []
    return [stage["module"] for stage in listed if isinstance(stage, Mapping)]


def _end(stage: str, places: Mapping[str, int]) -> int:
    inside = f"{stage}."
    return max(place for name, place in places.items() if name == stage or name.startswith(inside))


def _black_image(branch: PixelNetwork) -> Tensor:
    config = getattr(branch.network, "pretrained_cfg", None) or {}
    size = config["input_size"][1:] if config.get("fixed_input_size") else (_SIDE, _SIDE)
    return torch.zeros(1, 3, *size, dtype=branch.mean.dtype, device=branch.mean.device)
