"""Maps read off the gradient at the pixels. None of them needs a hook."""

from collections.abc import Callable, Iterator
from functools import partial

import torch
from captum.attr import IntegratedGradients
from torch import Tensor
from torch.nn import functional as F

from advprop_core.attribution.question import Question, batch_size, batches, scores, scores_of

_INTEGRATION_STEPS = (32, 64, 128, 256)
_MISSED = 0.05  # of the change of the score
_ROUNDING = 1e-5  # of the sum of the sizes of all contributions
_NOISY_COPIES = 16
_NOISE_SIGMA = 0.1
_STARTS = 64


def saliency(question: Question) -> Tensor:
    """Largest absolute gradient over the channels (Simonyan et al., arXiv 1312.6034)."""
    return _gradient(question).abs().amax(1)


def saliency_positive(question: Question) -> Tensor:
    """Largest positive gradient over the channels, 0 where there is none."""
    return _gradient(question).amax(1).clamp(min=0)


def saliency_negative(question: Question) -> Tensor:
    """Size of the most negative gradient over the channels, 0 where there is none."""
    return (-_gradient(question)).amax(1).clamp(min=0)


def loss_gradient(question: Question) -> Tensor:
    """Gradient of the cross-entropy, summed over channels (Tsipras et al., arXiv 1805.12152)."""
    classes = torch.tensor(question.targets, device=question.pixels.device)
    gradient = question.gradient(lambda z: F.cross_entropy(z, classes, reduction="sum"))
    return gradient.sum(1)


def input_x_gradient(question: Question) -> Tensor:
    """Pixel times gradient, summed over the channels (Shrikumar et al., arXiv 1605.01713)."""
    return (question.pixels * _gradient(question)).sum(1)


def integrated_gradients(question: Question) -> Tensor:
    """From black, summed over the channels (Sundararajan et al., arXiv 1703.01365).

    32 steps, doubled up to 256 for images whose contributions miss the change of the score by
    more than the twentieth that the article allows.
    """
    pixels, black = question.pixels, torch.zeros_like(question.pixels)
    targets = torch.tensor(question.targets, device=pixels.device)
    with torch.no_grad():
        after, before = (scores(question.module, x, question.targets) for x in (pixels, black))
    change = after - before
    integrals, rows = torch.zeros_like(pixels), torch.arange(len(pixels))
    module = question.counted(sum(_INTEGRATION_STEPS) * len(pixels))
    for steps in _INTEGRATION_STEPS:
        integrals[rows] = IntegratedGradients(module).attribute(
            pixels[rows],
            black[rows],
            targets[rows],
            n_steps=steps,
            internal_batch_size=max(batch_size(pixels), len(rows)),
        )
        contributions = integrals.flatten(1)
        allowed = _MISSED * change.abs() + _ROUNDING * contributions.abs().sum(1)
        rows = ((contributions.sum(1) - change).abs() > allowed).nonzero()[:, 0].cpu()
        if not len(rows):
            break
    return integrals.sum(1)


def smoothgrad(question: Question) -> Tensor:
    """Saliency of the mean gradient of noisy copies (Smilkov et al., arXiv 1706.03825).

    16 copies unless told otherwise; the noise has sigma 0.1 in pixel units, is the same for
    every image, and the copies are not clipped.
    """
    mean, _ = _noisy_moments(question)
    return mean.abs().amax(1)


def vargrad(question: Question) -> Tensor:
    """Largest variance of the gradient over noisy copies (Adebayo et al., arXiv 1810.03307).

    The copies are those of :func:`smoothgrad`; their variance is divided by their number.
    """
    mean, squares = _noisy_moments(question)
    return (squares - mean.square()).clamp(min=0).amax(1)


def gradient_shap(question: Question) -> Tensor:
    """Mean of (pixel − start) × gradient at random points on the way from random starts.

    Lundberg & Lee, arXiv 1705.07874, as expected gradients. A start is a plain image of one
    random colour, so that no shade counts for nothing; 64 of them unless told otherwise. Summed
    over the channels.
    """
    count = question.options.get("samples") or _STARTS
    total = torch.zeros_like(question.pixels)
    for rows, gradients in _sampled(question, count, _between):
        total[rows] += gradients.sum(1)
    return (total / count).sum(1)


def _gradient(question: Question) -> Tensor:
    return question.once(
        "gradient", lambda: question.gradient(lambda z: scores_of(z, question.targets))
    )


# -- random copies --------------------------------------------------------------------------------

# From images (n, 3, H, W), a number of copies and a generator to the points (n, copies, 3, H, W) at
# which gradients are taken, and what each gradient is multiplied by.
Draw = Callable[[Tensor, int, torch.Generator], tuple[Tensor, Tensor | float]]


def _noisy(images: Tensor, count: int, generator: torch.Generator) -> tuple[Tensor, float]:
    # One by one: drawn together, the numbers would depend on how many go in a batch.
    noise = [torch.randn(images.shape[1:], generator=generator) for _ in range(count)]
    return images[:, None] + _NOISE_SIGMA * torch.stack(noise).to(images), 1.0


def _between(images: Tensor, count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    drawn = torch.rand((count, 4, 1, 1), generator=generator).to(images)
    way = images[:, None] - drawn[:, :3]
    return images[:, None] - drawn[:, 3:] * way, way


def _noisy_moments(question: Question) -> tuple[Tensor, Tensor]:
    """Mean of the gradient and of its square over noisy copies, (N, 3, H, W) each.

    In double precision, since the variance is a small difference of large sums.
    """
    count = question.options.get("samples") or _NOISY_COPIES

    def make() -> tuple[Tensor, Tensor]:
        total = torch.zeros_like(question.pixels, dtype=torch.float64)
        squares = torch.zeros_like(total)
        for rows, gradients in _sampled(question, count, _noisy):
            total[rows] += gradients.double().sum(1)
            squares[rows] += gradients.double().square().sum(1)
        return total / count, squares / count

    return question.once(("noisy", count), make)


def _sampled(question: Question, count: int, draw: Draw) -> Iterator[tuple[slice, Tensor]]:
    """(some images, weighted gradients (n, copies, 3, H, W) of theirs), until all are done."""
    room = batch_size(question.pixels)
    for start in range(0, len(question.pixels), room):
        rows = slice(start, start + room)
        images, targets = question.pixels[rows], question.targets[rows]
        generator = question.generator()  # the same draws for every image
        for copies in batches(count, images, len(images)):
            points, weights = draw(images, len(copies), generator)
            classes = [target for target in targets for _ in copies]
            gradients = question.gradient(partial(scores_of, targets=classes), points.flatten(0, 1))
            yield rows, gradients.unflatten(0, points.shape[:2]) * weights
            done = start * count + len(images) * copies.stop
            question.report(done, len(question.pixels) * count)
