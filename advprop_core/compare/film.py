"""An attack step by step: the picture on its way, what each branch says, and where it looks."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from advprop_core.attacks.gradient import attack
from advprop_core.attribution.layers import default_layer
from advprop_core.attribution.maps import explain
from advprop_core.attribution.methods import METHODS
from advprop_core.attribution.question import batches
from advprop_core.compare.compare import MapRequest, made_or_refused
from advprop_core.compare.photo import ask_clean
from advprop_core.predict import predict
from advprop_core.types import AttackConfig, Prediction

_ATTACK = 0.5  # share of the progress; the maps have the rest
_MOST_FRAMES = 25  # after the clean one


@dataclass(frozen=True, eq=False)
class Film:
    """The frames of an attack, the clean picture first.

    Attributes:
        steps: What each frame shows: -1 the clean picture, 0 the start of the walk, then the
            number of the step. A walk that starts at the clean picture has no frame 0.
        pixels: (F, 3, H, W) float32 on the CPU.
        predictions: Branch to one prediction a frame.
        maps: Branch to (F, H, W) maps, unscaled; empty when none was asked for, or the network
            has none.
        class_index: The class that the maps explain.
        true_class: Where known.
        attacked_class: Whose loss an untargeted attack raises.
        target_class: What a targeted attack wants, else None.
        all_steps: How many steps the attack took, of which not every one need have a frame.
        maps_refused: Why the network has no maps of the kind that was asked for, else None.
    """

    steps: tuple[int, ...]
    pixels: Tensor
    predictions: Mapping[str, tuple[Prediction, ...]]
    maps: Mapping[str, Tensor]
    class_index: int
    true_class: int | None
    attacked_class: int
    target_class: int | None
    all_steps: int
    maps_refused: str | None = None


def make_film(
    branches: Mapping[str, nn.Module],
    pixels: Tensor,
    config: AttackConfig,
    *,
    attack_branch: str,
    true_class: int | None = None,
    maps: MapRequest | None = None,
    progress: Callable[[float], None] | None = None,
) -> Film:
    """Attack one image, and look at the steps on the way: at most 25, evenly spread.

    Arguments are those of :func:`~advprop_core.compare.compare.compare`, and so is what is refused;
    ``config`` is the attack.
    """
    framed_steps = kept_steps(config.steps)
    photo = ask_clean(branches, pixels, true_class, attack_branch)
    attacked = photo.expected[attack_branch]
    report = progress or (lambda share: None)
    points = {-1: photo.pixels}

    def on_step(step: int, point: Tensor) -> None:
        if step in framed_steps and (step or config.random_start):
            points[step] = point
        report(_ATTACK * step / config.steps)

    attack(branches[attack_branch], photo.pixels, photo.label(attack_branch), config, on_step)
    frames = torch.cat([*points.values()])
    explained = maps.class_of_all(attacked) if maps else attacked
    drawn, refused = made_or_refused(
        maps, lambda request: _maps(branches, frames, request, explained, report)
    )
    return Film(
        tuple(points),
        frames.detach().float().cpu(),
        {name: _answers(module, frames) for name, module in branches.items()},
        drawn or {},
        explained,
        photo.true_class,
        attacked,
        config.target_class,
        config.steps,
        refused,
    )


def kept_steps(steps: int) -> tuple[int, ...]:
    """Those of the steps 0 to ``steps`` that have a frame, evenly spread, both ends among them."""
    count = min(_MOST_FRAMES, steps + 1)
    return tuple(round(frame * steps / (count - 1)) for frame in range(count))


def _answers(module: nn.Module, frames: Tensor) -> tuple[Prediction, ...]:
    return tuple(
        prediction
        for batch in batches(len(frames), frames)
        for prediction in predict(module, frames[batch.start : batch.stop])
    )


def _maps(
    branches: Mapping[str, nn.Module],
    frames: Tensor,
    request: MapRequest,
    class_index: int,
    report: Callable[[float], None],
) -> dict[str, Tensor]:
    layer = request.layer
    if layer is None and METHODS[request.method].needs_layer:
        layer = default_layer(next(iter(branches.values())), frames)
    maps = {}
    for branches_done, (name, module) in enumerate(branches.items()):
        maps_per_batch = []
        for batch in batches(len(frames), frames):
            pixels = frames[batch.start : batch.stop]
            maps_per_batch.append(explain(module, pixels, class_index, request.method, layer=layer))
            share = (branches_done + batch.stop / len(frames)) / len(branches)
            report(_ATTACK + (1 - _ATTACK) * share)
        maps[name] = torch.cat(maps_per_batch)
    return maps
