"""`explain`: checks what is asked, hands it to the method, and checks what comes back."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import torch
from torch import Tensor, nn

from advprop_core.attacks.inputs import own_pixels
from advprop_core.attribution import cams, gradients, perturbed, rectified, relevance
from advprop_core.attribution.errors import NoGradient, Unfit
from advprop_core.attribution.methods import METHODS, Method
from advprop_core.attribution.question import (
    ClassIndex,
    Inspection,
    Question,
    class_per_image,
    inspect_once,
)
from advprop_core.errors import InputError, require_count
from advprop_core.predict import require_eval
from advprop_core.text import did_you_mean
from advprop_core.types import Progress

_MAKERS: dict[str, Callable[[Question], Tensor]] = {
    "grad-cam": cams.gradient_cam,
    "grad-cam-plus-plus": cams.gradient_cam,
    "layer-cam": cams.gradient_cam,
    "hires-cam": cams.gradient_cam,
    "eigen-cam": cams.eigen_cam,
    "score-cam": perturbed.score_cam,
    "cam": cams.class_activation,
    "guided-grad-cam": rectified.guided_grad_cam,
    "saliency": gradients.saliency,
    "saliency-positive": gradients.saliency_positive,
    "saliency-negative": gradients.saliency_negative,
    "loss-gradient": gradients.loss_gradient,
    "input-x-gradient": gradients.input_x_gradient,
    "integrated-gradients": gradients.integrated_gradients,
    "smoothgrad": gradients.smoothgrad,
    "vargrad": gradients.vargrad,
    "gradient-shap": gradients.gradient_shap,
    "guided-backprop": rectified.guided_backprop,
    "deconvolution": rectified.deconvolution,
    "deep-lift": rectified.deep_lift,
    "lrp": relevance.relevance,
    "occlusion": perturbed.occlusion,
    "rise": perturbed.rise,
}
_WITHOUT_GRADIENT = {"eigen-cam", "score-cam", "cam", "occlusion", "rise"}


def explain(
    module: nn.Module,
    pixels: Tensor,
    class_index: ClassIndex,
    method: str,
    *,
    layer: str | None = None,
    seed: int = 0,
    window: int | None = None,
    stride: int | None = None,
    samples: int | None = None,
    progress: Progress | None = None,
) -> Tensor:
    """Maps of a class score, one per image.

    :data:`~advprop_core.attribution.methods.METHODS` says what each method measures; its paper
    is named where it is written: ``gradients``, ``cams``, ``perturbed``, ``rectified`` and
    ``relevance``.

    Args:
        module: A frozen branch, plain or folded.
        pixels: (N, 3, H, W) in [0, 1].
        class_index: The class to explain, one for all images or one each.
        method: A key of :data:`~advprop_core.attribution.methods.METHODS`.
        layer: Dotted name for layer methods; :func:`default_layer` when not given.
        seed: Of everything a method draws.
        window: Side of occlusion's square in pixels.
        stride: How far that square moves, in pixels.
        samples: Number of noisy copies, of random starts, or of RISE's masks.
        progress: Called with how much is done and how much there is, often where a method is
            slow and always at the end; what it raises stops the call.

    Returns:
        (N, H, W) float32 on the CPU, unscaled.

    Raises:
        UnknownLayer: If the network has no such layer, or never runs it.
        Unfit: If the method does not fit the network, or its map is not finite.
        NoGradient: If the scores do not depend on the pixels, for methods with a gradient.
        TypeError: For an option of the wrong kind.
        ValueError: For an unknown method, a class the model does not have, or an option the method
            has no use for.
    """
    options = {"window": window, "stride": stride, "samples": samples}
    chosen = checked_method(method, layer, options, min(pixels.shape[2:]))
    question = make_question(module, pixels, class_index, chosen, seed)
    return answer(replace(question, layer=layer, options=options, progress=progress))


@torch.inference_mode(False)
def answer(question: Question) -> Tensor:
    """The maps that a question asks for, (N, H, W), checked."""
    require_gradient(question)
    values = finish(_MAKERS[question.method.name](question), question.method)
    question.report(1, 1)
    return values


@torch.inference_mode(False)
def make_question(
    module: nn.Module,
    pixels: Tensor,
    class_index: ClassIndex,
    method: Method,
    seed: int = 0,
) -> Question:
    """Check network, pixels and classes; the question owns its pixels."""
    require_eval(module)
    images = own_pixels(module, pixels)  # captum sets requires_grad on what it is given
    if not len(images):
        raise ValueError("pixels must hold at least one image")
    classes = class_per_image(class_index, len(images))
    question = Question(module, images, classes, method, seed=seed)
    count = _inspection(question).classes
    if not (min(classes) >= 0 and max(classes) < count):
        raise ValueError(f"class_index must lie in [0, {count - 1}], got {sorted(set(classes))}")
    return question


def require_gradient(question: Question) -> None:
    """Refuse a method with a gradient where the scores have none."""
    method = question.method
    if method.name not in _WITHOUT_GRADIENT and not _inspection(question).reaches_pixels:
        raise NoGradient(
            f"{method.title} needs a gradient, and the scores of this network do not depend on "
            "the pixels as far as autograd can see: use occlusion or rise"
        )


def _inspection(question: Question) -> Inspection:
    return question.once("inspection", lambda: inspect_once(question.module, question.pixels))


def finish(values: Tensor, method: Method) -> Tensor:
    """Detached float32 on the CPU; raises Unfit if not every value is finite."""
    if not torch.isfinite(values).all():
        raise Unfit(f"the {method.title} map is not finite, so it is not drawn")
    return values.detach().float().cpu()


def checked_method(
    name: str, layer: str | None, options: Mapping[str, int | None], side: int
) -> Method:
    """The method of that name, asked with these options about an image of this shorter side.

    It raises TypeError for an option that is no integer, otherwise InputError: for an unknown
    method, with near matches, and for what the method has no use for.
    """
    if name not in METHODS:
        raise InputError(f"There is no method {name!r}. {did_you_mean(str(name), METHODS)}")
    method = METHODS[name]
    if layer is not None and not method.needs_layer:
        raise InputError(f"{method.title} has no layer, got layer={layer!r}")
    given = {option: value for option, value in options.items() if value is not None}
    for option, value in given.items():
        if option not in method.options:
            raise InputError(f"{method.title} has no {option}, got {option}={value!r}")
        require_count(option, value)
    if name == "occlusion":
        perturbed.window_and_stride(given.get("window"), given.get("stride"), side)
    if name == "vargrad" and given.get("samples") == 1:
        raise InputError(f"samples must be at least 2 for {method.title}, got 1: no variance")
    return method
