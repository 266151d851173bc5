"""Running statistics of BatchNorm, estimated again on given images."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from advprop_core.errors import InputError
from advprop_core.models.dual_bn import norm_layers

_BATCH = 64


def estimate_statistics(module: nn.Module, batches: Iterable[Tensor]) -> None:
    """Replace every running mean and variance by its plain average over batches.

    Statistics only fit the weights that they were collected with. Whoever changes γ and β has to
    collect them again, as after any other mixing of weights (Izmailov et al., arXiv 1803.05407;
    Jordan et al., arXiv 2211.08403); on images of another kind it is AdaBN (Li et al., arXiv
    1603.04779).

    Every norm layer gets new tensors, so what other modules share with this one stays as it is.
    ``torch.optim.swa_utils.update_bn`` would write into the shared ones, and would switch dropout
    on as well.

    Args:
        module: In eval mode, and the caller's own: a private view, or a model in training. It is
            in eval mode afterwards.
        batches: (N, 3, H, W) pixels each, of two images or more, all with the same weight: see
            :func:`spread`.
    """
    layers = [layer for layer in norm_layers(module).values() if layer.running_mean is not None]
    momenta = [layer.momentum for layer in layers]
    for layer in layers:
        assert layer.running_mean is not None
        assert layer.running_var is not None
        layer.running_mean = torch.zeros_like(layer.running_mean)
        layer.running_var = torch.ones_like(layer.running_var)
        layer.num_batches_tracked = torch.zeros_like(layer.num_batches_tracked)  # type: ignore[arg-type]
        layer.momentum = None  # PyTorch then takes the plain average over batches
        layer.train()
    for pixels in batches:  # outside no_grad, for they may be attacked as they are asked for
        with torch.no_grad():
            module(pixels)
    for layer, momentum in zip(layers, momenta, strict=True):
        layer.momentum = momentum
        layer.eval()


def spread(images: Tensor) -> list[Tensor]:
    """(N, 3, H, W) as batches of nearly equal size, each with images from everywhere in the order.

    Data sets come class by class, and the variance within a batch of one class is too small.

    Raises:
        InputError: For fewer than two images.
    """
    if len(images) < 2:
        raise InputError(f"statistics need at least 2 images, got {len(images)}")
    count = max(1, len(images) // _BATCH)
    return [images[index::count] for index in range(count)]
