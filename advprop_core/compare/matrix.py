"""Who fools whom? An attack through each branch, shown to each branch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from advprop_core.attacks.gradient import attack
from advprop_core.predict import predict
from advprop_core.types import AttackConfig, Prediction


@dataclass(frozen=True)
class AttackMatrix:
    """What every branch says of one image, attacked through each.

    Attributes:
        clean: Branch to its prediction on the clean image.
        attacked: (attack branch, eval branch) to prediction.
        expected: Eval branch to what it should say: the true class where known, else its own
            clean prediction.
        true_class: Where known.
        target_class: What a targeted attack wants, else None.
    """

    clean: Mapping[str, Prediction]
    attacked: Mapping[tuple[str, str], Prediction]
    expected: Mapping[str, int]
    true_class: int | None
    target_class: int | None

    @property
    def branches(self) -> tuple[str, ...]:
        """Branch names, main first."""
        return tuple(self.clean)


def attack_matrix(
    branches: Mapping[str, nn.Module],
    pixels: Tensor,
    config: AttackConfig,
    *,
    true_class: int | None = None,
    progress: Callable[[float], None] | None = None,
) -> AttackMatrix:
    """Attack one image through each branch in turn and ask all of them.

    Args:
        branches: Name to frozen module, main first.
        pixels: (1, 3, H, W) in [0, 1].
        config: The attack, the same through each branch.
        true_class: Where known; otherwise an untargeted attack works against the attack
            branch's own clean prediction.
        progress: Called with the share that is done; may raise to stop.

    Raises:
        ValueError: For more than one image, or what the attack refuses.
    """
    if len(pixels) != 1:
        raise ValueError(f"pixels must hold one image, got {len(pixels)}")
    clean = {name: predict(module, pixels)[0] for name, module in branches.items()}
    expected = {
        name: said.class_index if true_class is None else true_class for name, said in clean.items()
    }
    attacked = {}
    for place, (source, module) in enumerate(branches.items()):

        def on_step(step: int, _: Tensor, place: int = place) -> None:
            if progress:
                progress((place + step / config.steps) / len(branches))

        label = torch.tensor([expected[source]], device=pixels.device)
        perturbed = attack(module, pixels, label, config, on_step)
        for name, judge in branches.items():
            attacked[source, name] = predict(judge, perturbed)[0]
    return AttackMatrix(clean, attacked, expected, true_class, config.target_class)
