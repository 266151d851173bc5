"""What moves the weights of a run, and how its learning rate falls."""

from typing import Any

import torch
from timm.optim import create_optimizer_v2, get_optimizer_info
from timm.scheduler import create_scheduler_v2
from torch import nn

from advprop_core.errors import InputError
from advprop_core.training.recipe import Recipe

_FUSED = ("sgd", "adam", "adamw")


def make_optimizer(model: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """The recipe's optimiser of all of a module's parameters; norm layers and biases do not decay.

    Raises:
        InputError: If timm has no such optimiser, or it cannot be used here.
    """
    on_gpu = next(model.parameters()).is_cuda
    extra: dict[str, Any] = {"fused": True} if on_gpu and recipe.optimizer in _FUSED else {}
    if recipe.optimizer_eps:
        extra["eps"] = recipe.optimizer_eps
    try:
        if get_optimizer_info(recipe.optimizer).second_order:
            raise InputError("it needs second derivatives, which no step here computes")
        return create_optimizer_v2(
            model,
            recipe.optimizer,
            lr=recipe.learning_rate,
            weight_decay=recipe.weight_decay,
            momentum=recipe.momentum,
            **extra,
        )
    except (AssertionError, ValueError) as error:
        raise InputError(f"optimizer {recipe.optimizer!r} cannot be made: {error}") from None


def make_schedule(optimizer: torch.optim.Optimizer, recipe: Recipe, steps: int) -> Any:
    """Timm's scheduler of a run whose epochs have so many steps; ``step_update`` before each."""
    schedule, _ = create_scheduler_v2(
        optimizer,
        recipe.schedule,
        num_epochs=recipe.all_steps(steps) / steps,  # type: ignore[arg-type]  # it takes fractions
        warmup_epochs=recipe.warmup_epochs,  # type: ignore[arg-type]
        warmup_lr=recipe.learning_rate / 100,
        decay_epochs=recipe.decay_epochs,
        decay_rate=recipe.decay_rate,
        step_on_epochs=False,
        updates_per_epoch=steps,
    )
    return schedule
