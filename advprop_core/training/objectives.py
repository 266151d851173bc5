"""What a training step minimises.

With a forward pass F, a full backward pass costs 2F and an attack step 2F (it needs no weight
gradients), so an image costs 3F under vanilla training, 3F + 2KF under adversarial training
with K attack steps, and 6F + 2KF under AdvProp.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from torch import Tensor, nn
from torch.nn import functional as F

from advprop_core.attacks import attack
from advprop_core.dual_bn import MAIN, DualBNModel, attack_view, auxiliary_name
from advprop_core.training.recipe import Recipe
from advprop_core.types import AttackConfig

AUX = auxiliary_name(0)


@dataclass(frozen=True)
class StepInput:
    """One batch: (N, 3, H, W) pixels, (N,) labels, and the seed of this step's attack."""

    pixels: Tensor
    labels: Tensor
    seed: int


# From one batch to (what each branch is shown).
Objective = Callable[[StepInput], Mapping[str, Tensor]]


def make_objective(model: DualBNModel, recipe: Recipe) -> Objective:
    """The recipe's objective for one model, as a function from a batch to branch inputs.

    The loss of a step is the **sum** over branches of each branch's mean cross-entropy.
    """
    if recipe.objective == "vanilla":
        return lambda step: {MAIN: step.pixels}
    if recipe.objective == "adversarial":
        view = attack_view(model.branch(MAIN))
        return lambda step: {MAIN: _perturb(view, step, recipe.attack)}
    view = attack_view(model.branch(AUX))
    return lambda step: {MAIN: step.pixels, AUX: _perturb(view, step, recipe.attack)}


def branch_losses(
    logits: Mapping[str, Tensor], labels: Tensor, label_smoothing: float
) -> dict[str, Tensor]:
    """Mean cross-entropy of each branch; AdvProp minimises their sum.

    Xie et al., arXiv 1911.09665, algorithm 1: L_clean(main) + L_adversarial(aux). Averaging
    over the 2N images of both would halve it.
    """
    return {
        branch: F.cross_entropy(scores.float(), labels, label_smoothing=label_smoothing)
        for branch, scores in logits.items()
    }


def _perturb(view: nn.Module, step: StepInput, config: AttackConfig) -> Tensor:
    return attack(view, step.pixels, step.labels, replace(config, seed=step.seed))
