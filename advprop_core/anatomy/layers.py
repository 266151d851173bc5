"""Which norm layers a model has, in what order they run, and what they are called together."""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from advprop_core.attribution.layers import stages
from advprop_core.errors import InputError
from advprop_core.models.dual_bn import MAIN, DualBNModel, PixelNetwork, norm_layers, private_view
from advprop_core.text import did_you_mean


def pair(model: DualBNModel, first: str, second: str) -> tuple[PixelNetwork, PixelNetwork]:
    """Two branches of a model by name.

    Raises:
        InputError: If the model has one branch only, or there is no such branch.
    """
    if len(model.branch_names) < 2:
        raise InputError(
            f"the model has one branch, {model.branch_names[0]}, and two are compared: give it "
            "an auxiliary one first, with `advprop calibrate`"
        )
    return model.branch(first), model.branch(second)


def stages_of_layers(model: DualBNModel) -> dict[str, str]:
    """Norm layer to the stage of the network it belongs to, in module order.

    A stage ends with the module that timm's ``feature_info`` names and is called by it; what
    lies between two of them belongs to the later one, and what follows the last is ``head``. In
    a network without such a list, a stage is a child of the network.
    """
    main = model.branch(MAIN)
    order = {name: index for index, (name, _) in enumerate(main.network.named_modules())}
    # Where the last module of each stage stands; what comes before it is the stage's.
    ends = {
        stage: max(
            position for name, position in order.items() if f"{name}.".startswith(f"{stage}.")
        )
        for stage in stages(main)
    }
    return {
        layer: next((stage for stage, end in ends.items() if order[layer] <= end), "head")
        if ends
        else layer.partition(".")[0]
        for layer in model.norm_layer_names()
    }


def execution_order(model: DualBNModel, example: Tensor) -> tuple[str, ...]:
    """Norm layers in the order in which they first run, which module order need not be.

    Args:
        model: In any mode; it is not changed.
        example: (N, 3, H, W) pixels the network takes, of which the first image is run.

    Returns:
        Dotted names inside the network, without layers that never run.
    """
    view = private_view(model.branch(MAIN)).eval()
    reached: dict[str, None] = {}
    for name, layer in norm_layers(view.network).items():
        layer.register_forward_pre_hook(lambda *_, name=name: reached.setdefault(name))
    with torch.no_grad():
        view(example[:1])
    return tuple(reached)


def resolve(model: DualBNModel, names: Sequence[str] | None) -> tuple[str, ...]:
    """Norm layers in module order, from names of layers and of stages; all for None.

    Where a name is both a layer and a stage, the layer is meant.

    Raises:
        InputError: If a name is neither; the message has near matches.
    """
    if names is None:
        return model.norm_layer_names()
    stage_of = stages_of_layers(model)
    for name in names:
        require_name(name, [*stage_of, *stage_of.values()])
    return tuple(
        layer
        for layer, stage in stage_of.items()
        if layer in names or (stage in names and stage not in stage_of)
    )


def require_name(name: str, names: Iterable[str], what: str = "norm layer or stage") -> None:
    """Raise InputError, with near matches, if the name is none of them."""
    choices = list(dict.fromkeys(names))
    if name not in choices:
        raise InputError(f"The network has no {what} {name!r}. {did_you_mean(name, choices)}")
