"""Layer-wise relevance propagation: the score handed back, layer by layer, to the pixels.

captum's own has no rule for an addition outside a module or for a layer that only reshapes, so
it fits none of the residual networks here. This one steps in where torch functions are called:
it needs no hook, and it does not matter how a network is written down.
"""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from advprop_core.attribution.errors import Unfit
from advprop_core.attribution.question import Question, require_sum, scores
from advprop_core.models.dual_bn import PixelNetwork
from advprop_core.models.folding import fold

_TOLERANCE = 0.05  # of the score that may get lost
_STABILISER = 1e-6
_ADDITIONS = {"add", "add_", "__add__", "__radd__", "__iadd__"}
_PRODUCTS = {"mul", "mul_", "__mul__", "__rmul__", "__imul__"}
_AVERAGES = {"mean", "avg_pool2d", "adaptive_avg_pool2d"}
# What acts on each value, or only scales it: relevance passes as it is.
_PASSING = {
    "relu", "relu_", "relu6", "leaky_relu", "silu", "hardswish", "hardtanh", "gelu", "elu",
    "mish", "batch_norm", "div", "__truediv__",
}  # fmt: skip


def relevance(question: Question) -> Tensor:
    """LRP, Bach et al., doi 10.1371/journal.pone.0130140, summed over the channels.

    BatchNorm is folded into convolutions first. A convolution hands relevance to what spoke in
    its favour (z⁺), a linear layer, an average and a sum to all in proportion to what they
    contributed (ε), as composed by Kohlbrenner et al., arXiv 1910.09840. What a linear layer's
    bias contributed stays with it.

    Raises:
        Unfit: If pixels and biases together do not get the score back.
    """
    module = fold(question.module, question.pixels[:1])
    inputs = question.pixels.detach()
    if isinstance(module, PixelNetwork):  # a mean that is subtracted is not for the pixels to say
        inputs, module = module.normalize(inputs), module.network
    rules = _Rules(len(inputs))
    with torch.enable_grad():
        leaf = inputs.clone().requires_grad_()
        with rules:
            total = scores(module, leaf * 1, question.targets)
        (shares,) = torch.autograd.grad(total, leaf, total.detach())
    with torch.no_grad():
        expected = scores(question.module, question.pixels.clone(), question.targets)
    require_sum(
        question,
        shares.flatten(1).sum(1) + rules.biases.to(expected),
        expected,
        _TOLERANCE * expected.abs(),
        of="the score",
        where="Some layer has no rule, or fires through its bias alone",
    )
    return shares.sum(1)


class _Rules(TorchFunctionMode):
    """Inside it, torch's functions compute what they always do, and pass back relevance."""

    def __init__(self, images: int) -> None:
        super().__init__()
        self.biases = torch.zeros(images)

    def __torch_function__(
        self,
        func: Any,
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        options = kwargs or {}
        name = getattr(func, "__name__", "")
        moving = [a for a in args if isinstance(a, Tensor) and a.requires_grad]
        if not moving:
            return func(*args, **options)
        first, rest = args[0], args[1:]
        if name == "conv2d":
            return _convolve(func, first, *rest, **options)
        if name == "linear":
            return self._linear(first, *rest, **options)
        if name in _AVERAGES:
            return _share(lambda x: func(x, *rest, **options), first)
        if name in _ADDITIONS and len(moving) == 2:
            return _share(torch.add, *moving)
        if name in _PRODUCTS:
            return _gate(args[0], args[1])
        if name in _PASSING:
            return _pass(first, func(first.detach().clone(), *rest, **options))
        return func(*args, **options)  # what only moves values about moves relevance about

    def _linear(self, given: Tensor, weight: Tensor, bias: Tensor | None = None) -> Any:
        def keep(share: Tensor) -> None:
            if bias is not None:
                self.biases = self.biases.to(share) + (share * bias).flatten(1).sum(1)

        return _share(lambda x: F.linear(x, weight, bias), given, keep=keep)


def _convolve(
    func: Callable[..., Tensor],
    given: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    *rest: Any,
    **options: Any,
) -> Tensor:
    def in_favour(x: Tensor) -> Tensor:
        above = func(x.clamp(min=0), weight.clamp(min=0), None, *rest, **options)
        return above + func(x.clamp(max=0), weight.clamp(max=0), None, *rest, **options)

    with torch.no_grad():
        output = func(given, weight, bias, *rest, **options)
    return _share(in_favour, given, output=output)


def _gate(left: Any, right: Any) -> Tensor:
    """A product: the larger factor is what is weighed, and relevance is its alone."""
    moving = [x for x in (left, right) if isinstance(x, Tensor) and x.requires_grad]
    weighed = max(moving, key=Tensor.numel)
    with torch.no_grad():
        output: Tensor = left * right
    return _pass(weighed, output)


def _share(
    contribute: Callable[..., Tensor],
    *given: Tensor,
    output: Tensor | None = None,
    keep: Callable[[Tensor], None] | None = None,
) -> Tensor:
    """Pass relevance back to what is given, in proportion to what it contributes to the output.

    ``output`` is the function's value, where that is not the contributions themselves; ``keep`` is
    called with the relevance per unit of contribution.
    """
    if output is None:
        with torch.no_grad():
            output = contribute(*given)
    shared: Tensor = _Share.apply(contribute, keep, output, *given)
    return shared


def _pass(given: Tensor, output: Tensor) -> Tensor:
    if given.shape != output.shape:
        raise Unfit(f"LRP has no rule for a product of shape {tuple(output.shape)}")
    return output + (given - given.detach())  # what is added is 0, and takes the relevance


class _Share(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, contribute: Any, keep: Any, output: Tensor, *given: Tensor) -> Tensor:
        ctx.contribute, ctx.keep = contribute, keep
        ctx.save_for_backward(*given)
        return output.clone()

    @staticmethod
    def backward(ctx: Any, *relevance: Tensor) -> Any:
        with torch.enable_grad():
            given = [x.detach().requires_grad_() for x in ctx.saved_tensors]
            contributed = ctx.contribute(*given)
            steady = torch.where(contributed < 0, -_STABILISER, _STABILISER)
            share = relevance[0] / (contributed.detach() + steady)
            slopes = torch.autograd.grad(contributed, given, share)
        if ctx.keep:
            ctx.keep(share)
        return (
            None,
            None,
            None,
            *(x.detach() * slope for x, slope in zip(given, slopes, strict=True)),
        )
