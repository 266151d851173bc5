"""Maps that put rules of their own in place of an activation's gradient.

captum sets such rules by hooks, so all of this happens on a private, rewired view.
"""

import warnings

import torch
from captum.attr import Deconvolution, DeepLift, GuidedBackprop
from torch import Tensor, nn

from advprop_core.attribution.cams import gradient_cam
from advprop_core.attribution.errors import Unfit
from advprop_core.attribution.question import Question, inspect, scores
from advprop_core.attribution.views import rewired

# captum says on every call that it sets hooks. Silencing it around the call would not be safe
# with several threads, since what is silenced is global.
warnings.filterwarnings("ignore", r"Setting (forward, )?backward hooks", UserWarning)

_OTHER_ACTIVATIONS = {
    "SiluBackward0": "SiLU",
    "HardswishBackward0": "Hardswish",
    "HardtanhBackward0": "ReLU6",
    "_ClampedBackward": "ReLU6",
    "GeluBackward0": "GELU",
    "LeakyReluBackward0": "LeakyReLU",
    "EluBackward0": "ELU",
    "PreluKernelBackward0": "PReLU",
    "MishBackward0": "Mish",
    "SoftplusBackward0": "Softplus",
    "TanhBackward0": "tanh",
}
_TOLERANCE = 0.05  # of the change of the score that DeepLIFT may leave unexplained
_ROUNDING = 1e-4  # of the sum of the sizes of all contributions


def guided_backprop(question: Question) -> Tensor:
    """Gradient through ReLUs that pass on only what is positive, summed over channels.

    Springenberg et al., arXiv 1412.6806.
    """
    return _through_relus(question, GuidedBackprop)


def deconvolution(question: Question) -> Tensor:
    """Like guided backpropagation, but blind to which ReLUs were open (arXiv 1311.2901)."""
    return _through_relus(question, Deconvolution)


def guided_grad_cam(question: Question) -> Tensor:
    """Guided backpropagation times Grad-CAM (Selvaraju et al., arXiv 1610.02391)."""
    return gradient_cam(question) * _through_relus(question, GuidedBackprop)


def deep_lift(question: Question) -> Tensor:
    """Contributions to the change of the score from black, summed over channels.

    Shrikumar et al., arXiv 1704.02685, by the rescale rule.

    Raises:
        Unfit: If the contributions do not add up to that change.
    """
    view = rewired(question.module, question.pixels, split_poolings=True)
    targets = list(question.targets)
    leaf, black = question.pixels.detach().requires_grad_(), torch.zeros_like(question.pixels)
    contributions: Tensor = DeepLift(view).attribute(leaf, black, targets).detach()
    with torch.no_grad():
        before, after = (scores(question.module, x, targets) for x in (black, question.pixels))
    change = after - before
    _require_complete(question, contributions, change)
    return contributions.sum(1)


def _through_relus(question: Question, kind: type[GuidedBackprop] | type[Deconvolution]) -> Tensor:
    def make() -> Tensor:
        view = rewired(question.module, question.pixels)
        _require_relus(question, view)
        leaf = question.pixels.detach().requires_grad_()
        gradients: Tensor = kind(view).attribute(leaf, list(question.targets))
        return gradients.sum(1)

    return question.once(kind.__name__, make)


def _require_relus(question: Question, view: nn.Module) -> None:
    """Only a ReLU that is a module gets a rule; any other activation would keep its gradient."""
    operations = inspect(view, question.pixels).operations
    modules = sum(isinstance(layer, nn.ReLU) for layer in view.modules())
    used = operations["ReluBackward0"]
    others = [title for name, title in _OTHER_ACTIVATIONS.items() if operations[name]]
    if others:
        reason = f"it changes what a ReLU passes back, and this network has {', '.join(others)}"
    elif not used:
        reason = "it changes what a ReLU passes back, and this network has none"
    elif used > modules:
        reason = f"{used - modules} of this network's ReLUs are no modules, so no rule reaches them"
    else:
        return
    raise Unfit(
        f"{question.method.title} does not fit this network: {reason}. Saliency, Integrated "
        "gradients and Grad-CAM do"
    )


def _require_complete(question: Question, contributions: Tensor, change: Tensor) -> None:
    missed = (contributions.flatten(1).sum(1) - change).abs()
    allowed = _TOLERANCE * change.abs() + _ROUNDING * contributions.abs().flatten(1).sum(1)
    for index in (missed > allowed).nonzero()[:, 0].tolist():
        raise Unfit(
            f"{question.method.title} does not fit this network: its contributions must add up to "
            f"the change of the score from black, {change[index]:.3g}, and miss it by "
            f"{missed[index]:.3g}. Some activation, pooling or product has no rule. Integrated "
            "gradients needs no rules"
        )
