"""How every question of this room begins: one photo, and what each branch should say of it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from advprop_core.errors import InputError, plain_integer, require_count
from advprop_core.pictures.pixels import checked_pixels
from advprop_core.predict import in_precision_of, predict
from advprop_core.types import Prediction


@dataclass(frozen=True, eq=False)
class Photo:
    """One photo before it is attacked.

    Attributes:
        pixels: (1, 3, H, W) in [0, 1], in the precision of the branches.
        clean: Branch to its prediction.
        expected: Branch to what it should say: the true class where known, else what it does say.
        true_class: Where known.
    """

    pixels: Tensor
    clean: Mapping[str, Prediction]
    expected: Mapping[str, int]
    true_class: int | None

    def label(self, attack_branch: str) -> Tensor:
        """(1,) the class whose loss an untargeted attack through that branch raises."""
        return torch.tensor([self.expected[attack_branch]], device=self.pixels.device)


def ask_clean(
    branches: Mapping[str, nn.Module],
    pixels: Tensor,
    true_class: int | None = None,
    attack_branch: str | None = None,
    clean: Mapping[str, Prediction] | None = None,
    asked: Collection[str] = (),
) -> Photo:
    """Check one photo and its class, an integer of any kind, and ask the branches about it.

    Where ``clean`` holds what each branch says of it, none is asked; else those that are ``asked``,
    or all.

    Raises:
        TypeError: If pixels are no tensor of floats, or the class is no integer.
        ValueError: For more than one image, or what :func:`~advprop_core.predict.predict` refuses.
        InputError: For a class that the branches do not have, or an attack branch that does not
            exist.
    """
    if attack_branch not in (None, *branches):
        names = ", ".join(branches)
        raise InputError(f"attack_branch must be one of {names}, got {attack_branch!r}")
    checked = checked_pixels(pixels)
    if len(checked) != 1:
        raise ValueError(f"pixels must hold one image, got {len(checked)}")
    if clean is None:
        clean = {name: predict(branches[name], checked)[0] for name in asked or branches}
    true_class = plain_integer(true_class)
    if true_class is not None:
        require_count("true_class", true_class, 0)
        classes = min(len(prediction.logits) for prediction in clean.values())
        if true_class >= classes:
            raise InputError(f"true_class must lie in [0, {classes - 1}], got {true_class}")
    expected = {
        name: prediction.class_index if true_class is None else true_class
        for name, prediction in clean.items()
    }
    pixels = in_precision_of(next(iter(branches.values())), checked)
    return Photo(pixels, clean, expected, true_class)
