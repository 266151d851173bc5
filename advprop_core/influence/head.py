"""The last layer as a softmax regression on fixed features, fitted to its exact optimum.

Influence functions (Koh & Liang, arXiv 1703.04730) hold at an optimum. A network's own last layer
is none: it was trained with augmentation, by few steps, and perhaps on other classes. So the layer
is fitted anew to the cached features of the training images. Utrera et al. (arXiv 2007.05869) do
the same: they transfer a network by a new last layer, and take that layer's influence functions.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize
from torch import Tensor
from torch.nn import functional as F

from advprop_core.errors import InputError

PENALTY = 1e-3
"""Half of it times the squared length of the weights is added to the mean loss. It is what damps
the Hessian."""
VARIANCE = 0.99
"""Share of the features' variance that their leading principal components keep."""
MOST_WEIGHTS = 6000
"""Of the layer: the Hessian has as many rows. Components are left out until it fits."""
_FEWEST_COMPONENTS = 32  # per class there must be enough to tell the classes apart
# Newton's steps do the rest.
_OPTIONS = {"maxiter": 500, "maxcor": 20, "gtol": 1e-7, "ftol": 0.0}
_NEWTON_STEPS = 30


@dataclass(frozen=True, eq=False)
class Projection:
    """Features to their leading principal components, scaled so that their mean square is 1.

    Attributes:
        mean: (D,) of the training features.
        components: (D, R), orthogonal, divided by the common scale.
    """

    mean: Tensor
    components: Tensor

    @classmethod
    def of(cls, features: Tensor, most: int) -> Self:
        """That of (N, D) features, with at most so many components."""
        features = features.double()  # optima are compared to many digits
        mean = features.mean(0)
        centred = features - mean
        variances, directions = torch.linalg.eigh(centred.T @ centred / len(features))
        variances, directions = variances.flip(0).clamp(min=0), directions.flip(1)
        total = variances.sum()
        if not total > 0:
            raise InputError("all training images have the same features: take other images")
        count = min(int((variances.cumsum(0) < VARIANCE * total).sum()) + 1, most)
        return cls(mean, directions[:, :count] / total.sqrt())

    def __call__(self, features: Tensor) -> Tensor:
        """(N, D) features to (N, R + 1) inputs of the layer; the last is 1, for its bias."""
        inputs = (features.to(self.mean.dtype) - self.mean) @ self.components
        return torch.cat([inputs, inputs.new_ones(len(inputs), 1)], 1)


@dataclass(frozen=True, eq=False)
class SoftmaxHead:
    """A fitted layer, with all that influence needs.

    Attributes:
        projection: From features to its inputs.
        weight: (R + 1, C) at the optimum.
        inputs: (N, R + 1) of the training images.
        labels: (N,) int64 class indices in [0, C).
        factor: (C·(R + 1), C·(R + 1)) lower Cholesky factor of the damped Hessian there.
    """

    projection: Projection
    weight: Tensor
    inputs: Tensor
    labels: Tensor
    factor: Tensor

    def logits(self, features: Tensor) -> Tensor:
        """(N, D) features to (N, C)."""
        return self.projection(features) @ self.weight

    def influence(self, features: Tensor, labels: Tensor) -> Tensor:
        """How much the loss of each test image would rise without each training image.

        To first order: gᵀ H⁻¹ gᵢ / N, with the gradients of both losses and the damped Hessian.

        Args:
            features: (T, D) of test images.
            labels: (T,) class whose loss is meant.

        Returns:
            (T, N), in nats. Positive is helpful: the training image lowers the loss.
        """
        inputs = self.projection(features)
        residuals = _residuals(inputs @ self.weight, labels)
        gradients = torch.einsum("tr,tc->tcr", inputs, residuals)
        turned = self._solve(gradients.flatten(1).T).T.reshape(gradients.shape)
        # A training gradient is an outer product too, so no matrix of all of them is made.
        scores = torch.zeros(len(features), len(self.inputs), dtype=inputs.dtype)
        for label in range(self.weight.shape[1]):
            scores += (turned[:, label] @ self.inputs.T) * self._training_residuals[:, label]
        return scores / len(self.inputs)

    def self_influence(self) -> Tensor:
        """(N,) how much each training image's own loss would rise without it, in nats.

        It is large for images that the layer can only learn by heart, such as mislabelled ones.
        """
        scores = []
        for rows in torch.arange(len(self.inputs)).split(512):
            inputs, residuals = self.inputs[rows], self._training_residuals[rows]
            gradients = torch.einsum("tr,tc->tcr", inputs, residuals).flatten(1)
            scores.append((self._solve(gradients.T).T * gradients).sum(1))
        return torch.cat(scores) / len(self.inputs)

    @cached_property
    def _training_residuals(self) -> Tensor:
        return _residuals(self.inputs @ self.weight, self.labels)

    def _solve(self, right: Tensor) -> Tensor:
        return torch.cholesky_solve(right, self.factor)


def fit_head(
    features: Tensor,
    labels: Tensor,
    classes: int,
    *,
    penalty: float = PENALTY,
    projection: Projection | None = None,
) -> SoftmaxHead:
    """Fit the layer: the mean cross-entropy plus the penalty, to its only minimum.

    Args:
        features: (N, D) of the training images; any floating type; the fit is in float64.
        labels: (N,) int64 class indices.
        classes: How many there are, 2 or more.
        penalty: See :data:`PENALTY`.
        projection: Of another fit, to be compared with; by default that of these features.

    Raises:
        InputError: If there are fewer than 2 classes, or too many for an explicit Hessian.
    """
    if classes < 2:
        raise InputError(
            "the training images have only one class, so influence cannot be measured: give images "
            "of several classes"
        )
    most = MOST_WEIGHTS // classes - 1
    if most < _FEWEST_COMPONENTS:
        limit = MOST_WEIGHTS // (_FEWEST_COMPONENTS + 1)
        raise InputError(
            "the last-layer method inverts a Hessian of all weights of the layer, and accepts at "
            f"most {limit} classes, got {classes}: give training images of fewer classes, or use "
            "--method tracin"
        )
    if projection is None:
        projection = Projection.of(features, most)
    inputs = projection(features)
    near = _minimise(inputs, labels, classes, penalty)
    factor = torch.linalg.cholesky(hessian(inputs, near, penalty))
    weight = _polish(inputs, near, labels, penalty, factor)
    return SoftmaxHead(projection, weight, inputs, labels, factor)


def hessian(inputs: Tensor, weight: Tensor, penalty: float) -> Tensor:
    """(C·R, C·R) second derivatives of the mean cross-entropy plus the penalty.

    The mean over images of (diag p − p pᵀ) ⊗ x xᵀ, and the penalty on the diagonal.

    Args:
        inputs: (N, R).
        weight: (R, C).
        penalty: See :data:`PENALTY`.
    """
    count, rank, classes = *inputs.shape, weight.shape[1]
    shares = (inputs @ weight).softmax(1)
    blocks = inputs.new_empty(classes, rank, classes, rank)
    for first in range(classes):
        for second in range(first, classes):
            weights = shares[:, first] * (float(first == second) - shares[:, second])
            block = (inputs * (weights / count)[:, None]).T @ inputs
            blocks[first, :, second] = blocks[second, :, first] = block
    matrix = blocks.reshape(classes * rank, classes * rank)
    matrix.diagonal().add_(penalty)
    return matrix


def _residuals(logits: Tensor, labels: Tensor) -> Tensor:
    """(N, C) derivative of each cross-entropy by its logits."""
    return logits.softmax(1) - F.one_hot(labels, logits.shape[1])


def _gradient(inputs: Tensor, weight: Tensor, labels: Tensor, penalty: float) -> Tensor:
    return inputs.T @ _residuals(inputs @ weight, labels) / len(inputs) + penalty * weight


def _minimise(inputs: Tensor, labels: Tensor, classes: int, penalty: float) -> Tensor:
    """(R, C) near the minimum, by L-BFGS."""
    # Half the second moments bound the Hessian (Böhning, doi 10.1007/BF00048682), and principal
    # components have no others than these: divided by their roots, all directions are as steep.
    scale = (0.5 * inputs.square().mean(0) + penalty).rsqrt()[:, None]
    shape = inputs.shape[1], classes

    def objective(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weight = torch.from_numpy(flat).view(shape) * scale
        loss = F.cross_entropy(inputs @ weight, labels) + 0.5 * penalty * weight.square().sum()
        gradient = _gradient(inputs, weight, labels, penalty) * scale
        return float(loss), gradient.flatten().numpy()

    start = np.zeros(inputs.shape[1] * classes)
    near = minimize(objective, start, jac=True, method="L-BFGS-B", options=_OPTIONS).x
    return torch.from_numpy(near).view(shape) * scale


def _polish(
    inputs: Tensor, weight: Tensor, labels: Tensor, penalty: float, factor: Tensor
) -> Tensor:
    """The rest of the way by Newton's steps, with the Hessian that influence needs anyway."""
    smallest = float("inf")
    for _ in range(_NEWTON_STEPS):
        gradient = _gradient(inputs, weight, labels, penalty)
        if not gradient.norm() < 0.5 * smallest:  # as far as float64 goes
            break
        smallest = float(gradient.norm())
        step = torch.cholesky_solve(gradient.T.reshape(-1, 1), factor)
        weight = weight - step.reshape(gradient.T.shape).T
    return weight
