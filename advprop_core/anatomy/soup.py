"""A blend of two branches as a network of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from torch import Tensor

from advprop_core.anatomy.mixing import blend
from advprop_core.models import timm_networks
from advprop_core.models.checkpoints import Checkpoint
from advprop_core.models.dual_bn import MAIN


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
