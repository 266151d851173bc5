"""What the page shows before its network is there: one perturbed picture, answered and mapped."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from advprop_core.attacks.gradient import loss_gradient, walk
from advprop_core.browser.gallery import PagePicture, data_url
from advprop_core.browser.graph import Step
from advprop_core.pictures.decoding import encode_png, to_image, to_pixels
from advprop_core.types import AttackConfig

LARGEST_EPSILON = 16 / 255
"""Of the page's slider, and of the app's."""
_SHOWN = 8  # classes of each answer


@dataclass(frozen=True)
class FirstLook:
    """The settings that the page begins with.

    Attributes:
        epsilon: L∞ radius in pixel units.
        steps: Of PGD.
        attack_branch: Whose gradient PGD follows.
    """

    epsilon: float = 2 / 255
    steps: int = 10
    attack_branch: str = "main"

    def config(self) -> AttackConfig:
        """The attack."""
        return AttackConfig.pgd(self.epsilon, steps=self.steps)


def first_look(
    step: Step, norms: dict[str, Tensor], picture: PagePicture, look: FirstLook
) -> dict[str, Any]:
    """What the network makes of the picture, clean and perturbed, as the page's manifest has it.

    ``norms`` are each branch's vector; the picture is of the network's size.
    """
    pixels = to_pixels(picture.image, picture.image.height)
    through = step.through(norms[look.attack_branch])
    label = picture.true_class
    if not isinstance(label, int):
        label = int(through(pixels).argmax())
    # Where the page's PGD starts, so that what it shows first is what it finds with its network.
    drawn = torch.tensor(_uniform_numbers(pixels.numel())).reshape(pixels.shape)
    start, labels = (pixels + (2 * drawn - 1) * look.epsilon).clamp(0, 1), torch.tensor([label])
    walked = walk(through, pixels, labels, look.config(), loss_gradient, start=start)
    perturbed = to_levels(walked, pixels, look.epsilon)
    inputs = {"clean": pixels, "perturbed": perturbed}
    views = {
        kind: {branch: _view(step, norm, given) for branch, norm in norms.items()}
        for kind, given in inputs.items()
    }
    return {
        "picture": picture.name,
        "settings": {
            "attack": "pgd",
            "norm": "linf",
            "epsilon": look.epsilon,
            "steps": look.steps,
            "attack_branch": look.attack_branch,
            "method": "grad-cam",
            "target": None,
        },
        "perturbed": data_url(encode_png(to_image(perturbed))),
        **{
            key: {kind: {b: view[key] for b, view in rows.items()} for kind, rows in views.items()}
            for key in ("answers", "maps")
        },
    }


def _uniform_numbers(count: int) -> list[float]:
    """Numbers in [0, 1) as the page draws them (mulberry32, in ``engine/numbers.ts``)."""
    limit, state, numbers = 0xFFFFFFFF, 0, []
    for _ in range(count):
        state = (state + 0x6D2B79F5) & limit
        mixed = ((state ^ (state >> 15)) * (state | 1)) & limit
        mixed ^= (mixed + ((mixed ^ (mixed >> 7)) * (mixed | 61))) & limit
        numbers.append((mixed ^ (mixed >> 14)) / 2**32)
    return numbers


def to_levels(walked: Tensor, clean: Tensor, epsilon: float) -> Tensor:
    """Pixels rounded to 8 bits inside the L∞ ball around clean ones, so that a PNG holds them."""
    tiny = 1e-4  # of a level: 2/255 is two whole levels
    lowest = ((clean - epsilon) * 255 - tiny).ceil().clamp(0, 255)
    highest = ((clean + epsilon) * 255 + tiny).floor().clamp(0, 255)
    return (walked * 255).round().clamp(lowest, highest) / 255


def _view(step: Step, norm: Tensor, pixels: Tensor) -> dict[str, Any]:
    """A branch's answer, and the Grad-CAM of its first class."""
    with torch.no_grad():
        probabilities = step.through(norm)(pixels).softmax(1)[0]
    values, classes = probabilities.topk(min(_SHOWN, len(probabilities)))
    answer = int(classes[0])
    one_hot = torch.zeros(1, len(probabilities))
    one_hot[0, answer] = 1
    _, _, cam = step(pixels, one_hot, torch.zeros(1), norm)
    return {
        "answers": list(zip(classes.tolist(), values.tolist(), strict=True)),
        "maps": {"class": answer, "values": cam.flatten().tolist()},
    }
