"""Whether a branch goes by an object's outline or by its texture."""

from torch import Tensor

from advprop_core.errors import InputError
from advprop_core.evaluation.figures import ShapeBias
from advprop_core.evaluation.intervals import wilson_interval
from advprop_core.evaluation.results import Answers

MEANING = (
    "shape bias (Geirhos et al., arXiv 1811.12231), on drawn scenes whose outline and texture "
    "belong to two classes: answers by shape among answers by shape or by texture; a branch that "
    "guesses has 50 %"
)


def shape_bias_of(answers: Answers, shapes: Tensor, textures: Tensor) -> ShapeBias:
    """Count decisions by shape and by texture (Geirhos et al., arXiv 1811.12231).

    Scenes whose texture, of (N,) classes, is that of their shape cannot tell, and do not count.

    Raises:
        InputError: If no scene can tell.
    """
    conflict = shapes != textures
    if not (n := int(conflict.sum())):
        raise InputError("textures must differ from shapes somewhere: give shapes-conflict")
    by_shape = int((conflict & (answers.predicted == shapes)).sum())
    by_texture = int((conflict & (answers.predicted == textures)).sum())
    decided = by_shape + by_texture
    neither = n - decided
    return ShapeBias(
        n=n,
        shape=by_shape / n,
        texture=by_texture / n,
        neither=neither / n,
        shape_bias=by_shape / decided if decided else None,
        interval=wilson_interval(by_shape, decided) if decided else None,
        shape_interval=wilson_interval(by_shape, n),
        texture_interval=wilson_interval(by_texture, n),
        neither_interval=wilson_interval(neither, n),
        decided=decided,
    )
