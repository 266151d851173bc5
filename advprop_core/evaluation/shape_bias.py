"""Whether a branch goes by an object's outline or by its texture."""

from dataclasses import dataclass

from torch import Tensor

from advprop_core.errors import InputError
from advprop_core.evaluation.intervals import wilson_interval
from advprop_core.evaluation.results import Answers

MEANING = (
    "shape bias (Geirhos et al., arXiv 1811.12231), on drawn scenes whose outline and texture "
    "belong to two classes: answers by shape among answers by shape or by texture; a branch that "
    "guesses has 50 %"
)


@dataclass(frozen=True)
class ShapeBias:
    """What a branch went by where outline and texture disagree.

    Attributes:
        shape_bias: Decisions by shape among those by shape or texture; None without either.
        interval: Its 95 % Wilson interval over the decisions that count.
        n: Number of scenes in which the two disagree.
        decided: How many were answered by shape or by texture.
        shape: Share of these answered by the class of the shape.
        texture: Share answered by the class of the texture.
        neither: Share answered by another class.
        shape_interval: 95 % Wilson interval of ``shape``; the next two are alike.
    """

    shape_bias: float | None
    interval: tuple[float, float] | None
    n: int
    decided: int
    shape: float
    texture: float
    neither: float
    shape_interval: tuple[float, float]
    texture_interval: tuple[float, float]
    neither_interval: tuple[float, float]


def shape_bias_of(answers: Answers, shapes: Tensor, textures: Tensor) -> ShapeBias:
    """Count decisions by shape and by texture (Geirhos et al., arXiv 1811.12231).

    Scenes whose texture, of (N,) classes, is that of their shape cannot tell, and do not count.

    Raises:
        ValueError: If there are not as many shapes and textures as answers, or no scene can tell.
    """
    if not len(answers) == len(shapes) == len(textures):
        raise InputError(
            "shapes and textures must be one per answer, got "
            f"{len(shapes)} and {len(textures)} for {len(answers)}"
        )
    conflict = shapes != textures
    if not (n := int(conflict.sum())):
        raise InputError("textures must differ from shapes somewhere: give shapes-conflict")
    by_shape = int((conflict & (answers.predicted == shapes)).sum())
    by_texture = int((conflict & (answers.predicted == textures)).sum())
    decided = by_shape + by_texture
    neither = n - decided
    return ShapeBias(
        by_shape / decided if decided else None,
        wilson_interval(by_shape, decided) if decided else None,
        n,
        decided,
        by_shape / n,
        by_texture / n,
        neither / n,
        wilson_interval(by_shape, n),
        wilson_interval(by_texture, n),
        wilson_interval(neither, n),
    )
