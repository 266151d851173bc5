"""Class and channel visualisation: gradient ascent in a ball around an image or around noise.

A class visualisation is a targeted attack with a large radius. Natural networks are satisfied by
patterns that look like noise; adversarially trained ones ask for parts of objects. No prior on
images is used: no blur, no shifts, no penalty.

Papers: Engstrom et al., arXiv 1906.00945; Santurkar et al., arXiv 1906.09453.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from advprop_core.attacks.gradient import attack, walk, with_gradient
from advprop_core.attacks.inputs import Model, own_pixels
from advprop_core.attribution.errors import NoGradient
from advprop_core.attribution.progress import split
from advprop_core.attribution.question import batches
from advprop_core.compare.film import kept_steps
from advprop_core.errors import InputError
from advprop_core.predict import predict, require_eval
from advprop_core.types import AttackConfig, Prediction, Progress, freeze
from advprop_core.visualise.goals import Channel, ChannelMean, Goal

_STEP = 0.1  # of epsilon: shorter steps stop moving once the network is certain
_NOISE = 0.05  # standard deviation, in pixel units
_SHARES = (90, 10)  # of the progress: the walk, and the answers along it
_PARTS = 1000  # of one branch's progress


@dataclass(frozen=True, eq=False)
class Visualisation:
    """What one branch made of the start, step by step.

    Attributes:
        goal: What was maximised.
        steps: What each frame shows: 0 the start, then the number of the step; at most 25.
        frames: (F, 3, H, W) float32 in [0, 1] on the CPU.
        answers: What the branch itself predicts for each frame.
        scores: Of each frame: the probability of the class, or the mean activation of the channel.
    """

    goal: Goal
    steps: tuple[int, ...]
    frames: Tensor
    answers: tuple[Prediction, ...]
    scores: tuple[float, ...]

    @property
    def picture(self) -> Tensor:
        """(3, H, W): the last frame."""
        return self.frames[-1]

    @property
    def change(self) -> Tensor:
        """(3, H, W): what the walk added to the start."""
        return self.frames[-1] - self.frames[0]


def ascent(epsilon: float = 40.0, steps: int = 60, step_size: float | None = None) -> AttackConfig:
    """The walk of a visualisation: L2, from the start itself.

    Args:
        epsilon: How far the picture may move, in pixel units; in (0, 1000].
        steps: At least 1.
        step_size: By default a tenth of epsilon.

    Raises:
        InputError: For a value out of its range.
    """
    if not epsilon > 0:
        raise InputError(
            f"epsilon must be above 0, otherwise the picture does not change, got {epsilon:g}"
        )
    step = _STEP * epsilon if step_size is None else step_size
    return AttackConfig.pgd(epsilon, norm="l2", steps=steps, step_size=step, random_start=False)


def noise_start(side: int, seed: int = 0) -> Tensor:
    """(1, 3, side, side) mid-grey with faint Gaussian noise, which the seed decides."""
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(1, 3, side, side, generator=generator)
    return (0.5 + _NOISE * noise).clamp(0, 1)


def visualise(
    branches: Mapping[str, nn.Module],
    start: Tensor,
    goal: Goal,
    config: AttackConfig,
    *,
    progress: Progress | None = None,
) -> dict[str, Visualisation]:
    """Let each branch change the start until it sees as much of the goal as the ball allows.

    Args:
        branches: Name to module, in eval mode; not folded, where the goal is a channel.
        start: (1, 3, H, W) in [0, 1]: an image, or :func:`noise_start`.
        goal: A class index or a channel.
        config: The walk, as :func:`ascent` makes it; a target class in it is not looked at.
        progress: Called with (done, all) parts; what it raises ends the work.

    Returns:
        Branch to its visualisation.

    Raises:
        InputError: For a class or channel that the network does not have, a layer without channels,
            or a goal whose gradient is 0 at the start.
        TypeError, ValueError: For what is no pixels, or a module in training mode.
    """
    listeners = split(progress, [_PARTS] * len(branches))
    return {
        name: _visualise(module, start, goal, config, listener)
        for (name, module), listener in zip(branches.items(), listeners, strict=True)
    }


@torch.inference_mode(False)
def _visualise(
    module: nn.Module, start: Tensor, goal: Goal, config: AttackConfig, progress: Progress
) -> Visualisation:
    require_eval(module)
    pixels = own_pixels(module, start)
    # Of many steps a film keeps 25 at most.
    film_steps, points = kept_steps(config.steps), dict[int, Tensor]()
    walked, answered = split(progress, _SHARES)

    def on_step(step: int, point: Tensor) -> None:
        if step in film_steps:
            points[step] = point
        walked(step, config.steps)

    labels = torch.zeros(1, dtype=torch.long, device=pixels.device)
    mean: ChannelMean | None = None
    if isinstance(goal, Channel):
        mean = ChannelMean(module, goal)
        # The attacks' walk, uphill on the mean; the label is not looked at.
        untargeted = replace(config, target_class=None)
        walk(mean, pixels, labels, untargeted, _slope, on_step=on_step)
    else:
        attack(module, pixels, labels + goal, replace(config, target_class=goal), on_step)
    frames = torch.cat([*points.values()]).detach()
    if torch.equal(frames[-1], frames[0]):
        raise NoGradient(
            f"the gradient of {goal if mean else f'class {goal}'} is 0 at the start, so gradient "
            "ascent cannot begin: choose another start, or another class or channel"
        )
    answers: list[Prediction] = []
    scores: list[float] = []
    for batch in batches(len(frames), frames):
        some = frames[batch.start : batch.stop]
        predictions = predict(module, some)
        answers += predictions
        if mean is None:
            scores += [float(each.probabilities[goal]) for each in predictions]  # type: ignore[index]
        else:
            with torch.no_grad():
                scores += mean(some).tolist()
        answered(batch.stop, len(frames))
    return Visualisation(
        goal, tuple(points), freeze(frames.float().cpu()), tuple(answers), tuple(scores)
    )


def _slope(model: Model, point: Tensor, _labels: Tensor) -> Tensor:
    return with_gradient(model, point, lambda means: means)[2]
