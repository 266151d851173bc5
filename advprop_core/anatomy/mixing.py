"""Networks between two branches, and branches with some norm layers of the other."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from advprop_core.anatomy.layers import pair, resolve
from advprop_core.models import timm_networks
from advprop_core.models.checkpoints import Checkpoint
from advprop_core.models.dual_bn import MAIN, DualBNModel, PixelNetwork, norm_layers, private_view
from advprop_core.models.statistics import estimate_statistics, spread

AFFINE = ("weight", "bias")
STATISTICS = ("running_mean", "running_var")


def blend(
    model: DualBNModel,
    affine: float,
    statistics: float | Tensor,
    *,
    first: str = "main",
    second: str = "aux",
    layers: Sequence[str] | None = None,
) -> PixelNetwork:
    """A network whose norm tensors lie on the line from one branch's to another's.

    γ and β go linearly from the first branch (0) to the second (1): a soup of the two (Rebuffi et
    al., arXiv 2210.04886). The running statistics fit neither branch any more, so they are
    estimated again on images that are given as ``statistics``.

    With a number as ``statistics``, the running mean and *variance* go along their own line
    instead, as BatchNorm itself moves them with momentum (and Schneider et al., arXiv 2006.16971,
    mix statistics of two kinds of images). With ``blend(model, t, t)`` the ends are the two
    branches, bit for bit. Anything else is the naive swap, which breaks networks: with aux's γ
    and β on main's statistics, most clean images are no longer recognised.

    Args:
        model: Any model with two branches; it is not changed.
        affine: Place of γ and β on the line, in [0, 1].
        statistics: (N, 3, H, W) pixels in [0, 1] to estimate every running mean and variance on;
            128 photos do. Or the place of the running statistics on the line, in [0, 1].
        first: Name of the branch at 0.
        second: Name of the branch at 1.
        layers: Names of norm layers and of stages that move, all when not given; the others
            keep the first branch's tensors. Statistics are estimated in all of them, since
            those behind a layer depend on it.

    Returns:
        A plain eval-mode module on pixels, which owns its modules and the norm tensors that
        move, and shares every other tensor with the model. It is not for training.

    Raises:
        InputError: If the branches are not two of the model's, a name is neither a layer nor a
            stage (the message has near matches), or there is only one image.
    """
    start, end = pair(model, first, second)
    places = dict.fromkeys(AFFINE, affine)
    if not isinstance(statistics, Tensor):
        places |= dict.fromkeys(STATISTICS, statistics)
    ours, theirs = norm_tensors(start), norm_tensors(end)
    view = private_view(start).eval()
    with torch.no_grad():
        wear(
            view,
            {
                layer: {
                    name: torch.lerp(ours[layer][name], theirs[layer][name], place)
                    for name, place in places.items()
                    if name in ours[layer]
                }
                for layer in resolve(model, layers)
            },
        )
    if isinstance(statistics, Tensor):
        estimate_statistics(view, spread(statistics))
    return view


def soup(
    checkpoint: Checkpoint,
    affine: float,
    reference: Tensor,
    *,
    first: str = MAIN,
    second: str = "aux",
    layers: Sequence[str] | None = None,
) -> Checkpoint:
    """A plain network with γ and β between two branches and statistics that fit them.

    Arguments are those of :func:`~advprop_core.anatomy.mixing.blend`, and so is what is refused.

    Returns:
        A checkpoint whose one branch is main; it says what it was blended from, and has no
        metrics until it is measured.
    """
    network = blend(
        checkpoint.model, affine, reference, first=first, second=second, layers=layers
    ).network
    recipe = {
        "first": first,
        "second": second,
        "affine": affine,
        "layers": list(layers) if layers is not None else None,
        "reference_images": len(reference),
    }
    info = replace(
        checkpoint.info,
        branches={MAIN: "calibrated"},
        recipe={**checkpoint.info.recipe, "blend": recipe},
        metrics=(),
    )
    model = timm_networks.create(info)
    model.load_state_dict(network.state_dict())
    return Checkpoint(model.freeze(), info)


def norm_tensors(branch: PixelNetwork) -> dict[str, dict[str, Tensor]]:
    """Norm layer to its tensors by name; what a layer does not have is left out."""
    return {
        layer_name: {
            name: tensor
            for name in (*AFFINE, *STATISTICS)
            if (tensor := getattr(layer, name)) is not None
        }
        for layer_name, layer in norm_layers(branch.network).items()
    }


def wear(view: PixelNetwork, tensors: Mapping[str, Mapping[str, Tensor]]) -> None:
    """Put tensors, as :func:`norm_tensors` gives them, into a private view's norm layers.

    The branch keeps its own.
    """
    layers = norm_layers(view.network)
    for layer_name, values in tensors.items():
        for name, value in values.items():
            tensor = value.detach()
            if name in AFFINE:  # a module takes no plain tensor in the place of a parameter
                tensor = nn.Parameter(tensor, requires_grad=False)
            setattr(layers[layer_name], name, tensor)
