"""One call of `explain`, checked, as every method receives it."""

import operator
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from advprop_core.attribution.errors import Unfit
from advprop_core.attribution.methods import Method
from advprop_core.types import Progress

ClassIndex = int | Sequence[int] | np.integer[Any] | NDArray[np.integer[Any]] | Tensor
"""One class for all images, or one each; as argmax of torch and numpy gives them too."""

_Made = TypeVar("_Made")

_ROOM = {"cpu": 600_000, "cuda": 6_000_000}  # pixels that go through a network at once
_MOST_IMAGES = 32


@dataclass(frozen=True)
class Question:
    """What is to be explained, and how; see :func:`~advprop_core.attribution.maps.explain`.

    Attributes:
        module: The branch as it was handed in: no hook may go on it.
        pixels: (N, 3, H, W), a copy of this call's own that requires no gradient.
        targets: A class per image.
        options: None for the method's own.
        made: What :meth:`once` keeps. A copy of the question that asks for another method of the
            same pixels and classes shares it.
    """

    module: nn.Module
    pixels: Tensor
    targets: tuple[int, ...]
    method: Method
    layer: str | None = None
    seed: int = 0
    options: Mapping[str, int | None] = field(default_factory=dict)
    progress: Progress | None = None
    made: dict[Hashable, Any] = field(default_factory=dict, repr=False, compare=False)

    def once(self, key: Hashable, make: Callable[[], _Made]) -> _Made:
        """What several maps read, such as a backward pass: made by the first that asks for it."""
        if key not in self.made:
            self.made[key] = make()
        result: _Made = self.made[key]
        return result

    def generator(self) -> torch.Generator:
        """A fresh generator on the CPU, so that a draw is the same on every device."""
        return torch.Generator().manual_seed(self.seed)

    def gradient(self, loss: Callable[[Tensor], Tensor], points: Tensor | None = None) -> Tensor:
        """(N, 3, H, W) gradient of what a function of the logits sums up to.

        At the question's pixels, or at other points.
        """
        with torch.enable_grad():
            leaf = (self.pixels if points is None else points).detach().clone().requires_grad_()
            total = loss(self.module(leaf * 1)).sum()  # a module may write into what it is given
            (gradient,) = torch.autograd.grad(total, leaf)
        return gradient

    def counted(self, total: int, done: int = 0) -> Callable[[Tensor], Tensor]:
        """The module, which reports after each call how many of all images went through it."""

        def module(pixels: Tensor) -> Tensor:
            nonlocal done
            output: Tensor = self.module(pixels)
            done += len(pixels)
            self.report(min(done, total), total)
            return output

        return module

    def report(self, done: int, total: int) -> None:
        """Tell whoever asked; what they raise ends the call."""
        if self.progress:
            self.progress(done, total)


@dataclass(frozen=True)
class Inspection:
    """What one forward pass shows of a network.

    Attributes:
        classes: Number of scores.
        reaches_pixels: Whether the scores depend on the pixels as far as autograd sees.
    """

    classes: int
    reaches_pixels: bool


_FROZEN: WeakKeyDictionary[nn.Module, dict[Hashable, Inspection]] = WeakKeyDictionary()


def inspect_once(module: nn.Module, pixels: Tensor) -> Inspection:
    """:func:`inspect`, of a frozen network once for each size of image.

    It takes as long as a map. What is shown does not depend on the colours, and a network that is
    frozen stays what it is.
    """
    parameters = list(module.parameters())
    if not parameters or any(parameter.requires_grad for parameter in parameters):
        return inspect(module, pixels)
    inspections = _FROZEN.setdefault(module, {})
    size = pixels.shape[1:], pixels.dtype, pixels.device
    if size not in inspections:
        inspections[size] = inspect(module, pixels)
    return inspections[size]


def inspect(module: nn.Module, pixels: Tensor) -> Inspection:
    """Run the first image and walk the graph that leads from the scores back to it."""
    with torch.enable_grad():
        leaf = pixels[:1].detach().clone().requires_grad_()
        output: Tensor = module(leaf * 1)  # a module may write into what it is given
    if output.ndim != 2:
        raise ValueError(f"module must return (N, C) scores, got shape {tuple(output.shape)}")
    nodes: set[Any] = set()
    newest: set[Any] = {output.grad_fn} - {None}
    while newest:
        nodes |= newest
        newest = {parent for node in newest for parent, _ in node.next_functions} - {None} - nodes
    reached = any(getattr(node, "variable", None) is leaf for node in nodes)
    return Inspection(output.shape[1], reached)


def class_per_image(class_index: ClassIndex, count: int) -> tuple[int, ...]:
    """One class per image, from one for all or one each; a TypeError or ValueError otherwise."""
    if isinstance(class_index, Tensor | np.ndarray):
        class_index = class_index.tolist()
    classes = class_index if isinstance(class_index, Sequence) else [class_index] * count
    if len(classes) != count:
        raise ValueError(
            f"class_index must be one class or {count}, one per image, got {len(classes)}"
        )
    try:
        return tuple(operator.index(index) for index in classes)
    except TypeError:
        raise TypeError(f"class_index must hold integers, got {class_index!r}") from None


def scores(module: nn.Module, pixels: Tensor, targets: Sequence[int]) -> Tensor:
    """(N,) score of each image's class."""
    return scores_of(module(pixels), targets)


def scores_of(logits: Tensor, targets: Sequence[int]) -> Tensor:
    """(N,) score of each target, of the first N rows."""
    chosen = torch.tensor(list(targets), device=logits.device)
    return logits[: len(chosen)].gather(1, chosen[:, None])[:, 0]


def require_sum(
    question: Question, total: Tensor, expected: Tensor, allowed: Tensor, *, of: str, where: str
) -> None:
    """Refuse maps whose parts, (N,) in total, do not add up to what they are parts of.

    Args:
        question: Whose answer they are.
        total: (N,) sum of each map.
        expected: (N,) what it must be.
        allowed: (N,) how far it may be away.
        of: What the parts are parts of, in words.
        where: What the network may have that lets some get lost, a sentence without its stop.

    Raises:
        Unfit: With the numbers of the first such map.
    """
    for index in (~((total - expected).abs() <= allowed)).nonzero()[:, 0].tolist():  # NaN too
        raise Unfit(
            f"{question.method.title} does not fit this network and image: the map must add up to "
            f"{of}, {expected[index]:.3g}, and adds up to {total[index]:.3g}. {where}. Integrated "
            "gradients needs no rules"
        )


def batches(count: int, pixels: Tensor, per_item: int = 1) -> Iterator[range]:
    """Ranges that cover `count` items, each of so many images, in steps of :func:`batch_size`."""
    step = batch_size(pixels, per_item)
    return (range(start, min(start + step, count)) for start in range(0, count, step))


def batch_size(pixels: Tensor, per_item: int = 1) -> int:
    """Items that go through a network at once, so that memory and the wait stay bounded.

    Of the (N, 3, H, W) pixels, the size of an image and the device count.
    """
    room = _ROOM["cpu" if pixels.device.type == "cpu" else "cuda"]
    images = min(room // (pixels.shape[2] * pixels.shape[3]), _MOST_IMAGES)
    return max(images // per_item, 1)
