"""Maps that put rules of their own in place of an activation's gradient.

The rules step in where torch's functions are called, as those of LRP do: they need no hook, and it
does not matter how a network is written down.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from advprop_core.attribution.cams import gradient_cam
from advprop_core.attribution.errors import Unfit
from advprop_core.attribution.question import Question, require_sum, scores_of

_ACTIVATIONS = {
    "relu": "ReLU",
    "relu_": "ReLU",
    "silu": "SiLU",
    "hardswish": "Hardswish",
    "hardtanh": "ReLU6",
    "relu6": "ReLU6",
    "gelu": "GELU",
    "leaky_relu": "LeakyReLU",
    "elu": "ELU",
    "prelu": "PReLU",
    "mish": "Mish",
    "softplus": "Softplus",
    "tanh": "tanh",
}
"""Title of each activation, by the name of torch's function."""
_TOLERANCE = 0.05  # of the change of the score that DeepLIFT may leave unexplained
_ROUNDING = 1e-4  # of the sum of the sizes of all contributions
_SAME = 1e-10  # two values that are closer have no chord, and the tangent takes its place


def guided_backprop(question: Question) -> Tensor:
    """Gradient through ReLUs that pass on only what is positive, summed over channels.

    Springenberg et al., arXiv 1412.6806.
    """
    return _through_relus(question, blind=False)


def deconvolution(question: Question) -> Tensor:
    """Like guided backpropagation, but blind to which ReLUs were open (arXiv 1311.2901)."""
    return _through_relus(question, blind=True)


def guided_grad_cam(question: Question) -> Tensor:
    """Guided backpropagation times Grad-CAM (Selvaraju et al., arXiv 1610.02391)."""
    return gradient_cam(question) * guided_backprop(question)


def deep_lift(question: Question) -> Tensor:
    """Contributions to the change of the score from black, summed over channels.

    Shrikumar et al., arXiv 1704.02685, by the rescale rule.

    Raises:
        Unfit: If the contributions do not add up to that change.
    """
    with torch.enable_grad():
        leaf = question.pixels.detach().clone().requires_grad_()
        with _Rescaled():
            logits = question.module(torch.cat([leaf, torch.zeros_like(leaf)]))
        after, before = (scores_of(half, question.targets) for half in logits.chunk(2))
        (slopes,) = torch.autograd.grad(after.sum(), leaf)
    contributions = question.pixels * slopes  # black is 0, so this is the way from it
    change, total = (after - before).detach(), contributions.flatten(1).sum(1)
    require_sum(
        question,
        total,
        change,
        _TOLERANCE * change.abs() + _ROUNDING * contributions.abs().flatten(1).sum(1),
        of="the change of the score from black",
        where="Some activation, pooling or product has no rule",
    )
    return contributions.sum(1)


def _through_relus(question: Question, *, blind: bool) -> Tensor:
    def make() -> Tensor:
        with _PositiveOnly(blind) as rule:
            gradient = question.gradient(lambda logits: scores_of(logits, question.targets))
        if rule.met != {"ReLU"}:
            others = ", ".join(sorted(rule.met - {"ReLU"}))
            raise Unfit(
                f"{question.method.title} does not fit this network: it changes what a ReLU passes "
                f"back, and this network has {others or 'none'}. Saliency, Integrated gradients "
                "and Grad-CAM do"
            )
        return gradient.sum(1)

    return question.once(("relus", blind), make)


class _PositiveOnly(TorchFunctionMode):
    """Inside it a ReLU passes back what is positive only; ``met`` are the activations it saw."""

    def __init__(self, blind: bool) -> None:
        super().__init__()
        self.blind, self.met = blind, set[str]()

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        args, options = _by_position(args, kwargs)
        title = _ACTIVATIONS.get(getattr(func, "__name__", ""))
        if title is None or not args[0].requires_grad:
            return func(*args, **options)
        self.met.add(title)
        given, copy = args[0].clone(), args[0].clone()
        output = func(copy, *args[1:], **options)
        is_in_place = output is copy
        if self.blind:
            output = output.detach() + (given - given.detach())  # + 0, for the gradient alone
        output.register_hook(lambda gradient: gradient.clamp(min=0))
        return args[0].copy_(output) if is_in_place else output


class _Rescaled(TorchFunctionMode):
    """Inside it, for a batch whose second half is where the first half starts from.

    An activation passes back the slope of the chord between its two values, and a max pooling is a
    chain of max(a, b) = a + ReLU(b − a).
    """

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        args, options = _by_position(args, kwargs)
        name = getattr(func, "__name__", "")
        # To guided backpropagation a sigmoid is a gate that it leaves alone.
        is_activation = name in _ACTIVATIONS or name == "sigmoid"
        if is_activation and args[0].requires_grad:
            return _along_chord(lambda x: func(x, *args[1:], **options), args[0])
        output = func(*args, **options)
        is_maximum = name == "max_pool2d" and not options.get("ceil_mode")
        return _maximum(output, *args, **options) if is_maximum else output


def _by_position(args: Any, kwargs: Any) -> tuple[Any, dict[str, Any]]:
    options = dict(kwargs or {})
    return (args, options) if args or "input" not in options else ((options.pop("input"),), options)


def _along_chord(activate: Callable[[Tensor], Tensor], given: Tensor) -> Tensor:
    point = given.detach().clone().requires_grad_()
    copy = point.clone()
    values = activate(copy)
    is_in_place = values is copy
    (tangents,) = torch.autograd.grad(values.sum(), point)
    values = values.detach()
    run, rise = (x - x.roll(len(x) // 2, 0) for x in (point.detach(), values))
    slopes = torch.where(run.abs() < _SAME, tangents, rise / run)
    output = values + slopes * (given - given.detach())
    return given.copy_(output) if is_in_place else output


def _maximum(
    pooled: Tensor,
    given: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    **_: Any,
) -> Tensor:
    lowest = given.detach().amin()  # `unfold` pads with 0, which must be below every value
    windows = F.unfold(given - lowest, kernel_size, dilation, padding, stride or kernel_size)
    first: Tensor
    first, *others = windows.unflatten(1, (given.shape[1], -1)).unbind(2)
    for other in others:
        first = first + _along_chord(torch.relu, other - first)
    return (first + lowest).view_as(pooled)
