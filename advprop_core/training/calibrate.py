"""An auxiliary branch for a network that was trained with one set of norm layers."""

import math
from collections.abc import Iterator
from dataclasses import asdict, replace

import torch
from torch import Tensor
from torch.nn import functional as F

from advprop_core.attacks.gradient import attack
from advprop_core.errors import InputError, require_count
from advprop_core.models import timm_networks
from advprop_core.models.checkpoints import Checkpoint
from advprop_core.models.dual_bn import MAIN, DualBNModel, attack_view, auxiliary_name, norm_layers
from advprop_core.models.statistics import estimate_statistics
from advprop_core.training.network import take_over
from advprop_core.types import AttackConfig, Progress

AUX = auxiliary_name(0)
_CPU = torch.device("cpu")


def calibrate(
    checkpoint: Checkpoint,
    images: Tensor,
    labels: Tensor,
    config: AttackConfig,
    *,
    affine_epochs: int = 0,
    learning_rate: float = 0.01,
    batch_size: int = 64,
    device: torch.device = _CPU,
    progress: Progress = lambda done, total: None,
) -> Checkpoint:
    """Give the network an aux branch with the statistics of adversarial images.

    Aux starts as a copy of main. Its running mean and variance become the averages over batches
    of adversarial images, which are made through main; this is how AdaBN (Li et al., arXiv
    1603.04779) adapts a network to another domain. With ``affine_epochs`` its scale and shift
    are then trained on adversarial images made through aux, as AdvProp makes them. Every other
    tensor stays what it was, bit for bit.

    Args:
        checkpoint: A frozen network whose auxiliary branches, if any, were not trained; they
            are replaced by one.
        images: (N, 3, S, S) uint8.
        labels: (N,) class indices.
        config: The attack; its seed is counted up batch by batch.
        affine_epochs: Passes over the images that train scale and shift.
        learning_rate: Of that training, by SGD with momentum 0.9.
        batch_size: Images at a time; a single image that is left over is left out.
        device: Where it runs.
        progress: Called with (images done, all images).

    Returns:
        A checkpoint with main, a calibrated aux, and main's metrics; on the CPU.

    Raises:
        InputError: If the network has a trained auxiliary branch or no BatchNorm, there are
            fewer than two images, a number is out of its range, or what is found is not finite.
    """
    require_count("affine_epochs", affine_epochs, 0)
    require_count("batch_size", batch_size, 2)
    if not 0 < learning_rate < math.inf:
        raise InputError(f"learning_rate must be above 0, got {learning_rate}")
    if "trained" in [origin for name, origin in checkpoint.info.branches.items() if name != MAIN]:
        raise InputError(
            "this network has a trained auxiliary branch, which calibrating would lose"
        )
    if len(labels) < 2:
        raise InputError(f"calibration needs at least 2 images, got {len(labels)}")
    info = replace(checkpoint.info, branches={MAIN: "trained", AUX: "calibrated"})
    model = timm_networks.create(info)
    take_over(model, checkpoint, rows=range(info.num_classes), main_only=True)
    model.freeze().to(device)
    total = len(labels) * (1 + affine_epochs)

    def batches(epoch: int) -> Iterator[tuple[Tensor, Tensor, AttackConfig]]:
        generator = torch.Generator().manual_seed(config.seed + epoch)
        order = torch.randperm(len(labels), generator=generator)
        for number, chosen in enumerate(order.split(batch_size)):
            if len(chosen) > 1:
                seed = config.seed + epoch * len(labels) + number
                pixels = images[chosen].to(device).float() / 255
                yield pixels, labels[chosen].to(device), replace(config, seed=seed)
            done = min(len(labels), (number + 1) * batch_size)
            progress(epoch * len(labels) + done, total)

    main = model.branch(MAIN)
    estimate_statistics(model.branch(AUX), (attack(main, *batch) for batch in batches(0)))
    for epoch in range(affine_epochs):
        _train_affine(model, batches(1 + epoch), learning_rate)
    for layer, norm in norm_layers(model.branch(AUX)).items():
        if not all(tensor.isfinite().all() for tensor in norm.state_dict().values()):
            raise InputError(f"{layer} of aux is not finite: lower the learning rate")
    how = {
        "attack": asdict(config),
        "images": len(labels),
        "batch_size": batch_size,
        "affine_epochs": affine_epochs,
        "learning_rate": learning_rate,
    }
    main_metrics = tuple(metric for metric in info.metrics if metric.get("branch") == MAIN)
    info = replace(info, recipe={**info.recipe, "calibration": how}, metrics=main_metrics)
    return Checkpoint(model.freeze().to(_CPU), info)


def _train_affine(
    model: DualBNModel,
    batches: Iterator[tuple[Tensor, Tensor, AttackConfig]],
    learning_rate: float,
) -> None:
    aux = model.branch(AUX)
    view, norms = attack_view(aux), norm_layers(aux).values()
    affine = [p.requires_grad_(True) for norm in norms for p in norm.parameters(recurse=False)]
    optimizer = torch.optim.SGD(affine, lr=learning_rate, momentum=0.9)
    for norm in norms:
        norm.train()
    for pixels, labels, config in batches:
        loss = F.cross_entropy(aux(attack(view, pixels, labels, config)), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.freeze()
