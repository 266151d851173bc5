"""Who fools whom? An attack through each branch, shown to each branch."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from torch import Tensor, nn

from advprop_core.attacks.gradient import attack
from advprop_core.compare.photo import ask_clean
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

    Arguments are those of :func:`~advprop_core.compare.compare.compare`, and so is what is refused;
    ``config`` is the attack, the same through each branch.
    """
    photo = ask_clean(branches, pixels, true_class)
    attacked = {}
    for branches_done, (attack_branch, module) in enumerate(branches.items()):

        def on_step(step: int, _: Tensor, branches_done: int = branches_done) -> None:
            if progress:
                progress((branches_done + step / config.steps) / len(branches))

        perturbed = attack(module, photo.pixels, photo.label(attack_branch), config, on_step)
        for eval_branch, eval_module in branches.items():
            attacked[attack_branch, eval_branch] = predict(eval_module, perturbed)[0]
    return AttackMatrix(
        photo.clean, attacked, photo.expected, photo.true_class, config.target_class
    )
