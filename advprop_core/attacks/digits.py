"""FGSM where it began: a logistic regression that tells threes from sevens.

Goodfellow et al., "Explaining and Harnessing Adversarial Examples" (arXiv 1412.6572, section 5).
The loss of a linear model is the softplus of its margin, so the perturbation of size ε that harms
most is known exactly: ε times the sign of the weights, away from the right side. It takes ε · ‖w‖₁
off every margin, and adversarial training is to minimise the loss of what is left.

The digits are those that come with scikit-learn: 8 × 8 pixels, written by 43 people.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

Array = NDArray[np.float64]

SIDE = 8
"""Of a digit, in pixels."""
EPSILON = 0.25
"""The article's radius, in pixel units on [0, 1]."""
NEGATIVE, POSITIVE = 3, 7
_TESTED = 3  # every third image
_PENALTY = 1e-3
_ROUNDING = 1e-3  # |w| is not smooth at 0: it is rounded off over this length


@dataclass(frozen=True, eq=False)
class Digits:
    """Images of two digits.

    Attributes:
        images: (N, 8, 8) in [0, 1].
        signs: (N,) −1 for a three, +1 for a seven.
    """

    images: Array
    signs: Array


@dataclass(frozen=True, eq=False)
class LogisticRegression:
    """A linear model that says seven where its margin is positive, and three elsewhere.

    Attributes:
        weight: (8, 8).
        bias: A number.
    """

    weight: Array
    bias: float

    def margins(self, images: Array) -> Array:
        """(N, 8, 8) to (N,): how far on the side of the sevens."""
        values: Array = np.tensordot(images, self.weight, 2) + self.bias
        return values

    def fool(self, digits: Digits, epsilon: float) -> Array:
        """(N, 8, 8) in [0, 1]: each image after one FGSM step of L∞ size ε through this model."""
        steps = epsilon * np.sign(self.weight) * -digits.signs[:, None, None]
        return np.clip(digits.images + steps, 0, 1)

    def error(self, digits: Digits) -> float:
        """Share of the images that it is wrong about, in [0, 1]."""
        return float(np.mean(self.margins(digits.images) * digits.signs <= 0))

    def error_when_attacked(self, digits: Digits, epsilon: float) -> float:
        """Share that it is wrong about after FGSM through itself, in [0, 1]."""
        return self.error(Digits(self.fool(digits, epsilon), digits.signs))


@dataclass(frozen=True, eq=False)
class Beginning:
    """Two models of the same digits.

    Attributes:
        epsilon: Of the attack, in training and on the test images.
        natural: Trained on clean images.
        robust: Trained against FGSM.
        test: The images that neither was trained on.
    """

    epsilon: float
    natural: LogisticRegression
    robust: LogisticRegression
    test: Digits

    def errors(self) -> dict[str, dict[str, float]]:
        """``natural`` and ``robust`` to the errors on ``clean`` and on ``attacked`` test images."""
        models = {"natural": self.natural, "robust": self.robust}
        return {
            name: {
                "clean": model.error(self.test),
                "attacked": model.error_when_attacked(self.test, self.epsilon),
            }
            for name, model in models.items()
        }

    def fooled(self) -> int:
        """Place of the test image that the natural model is surest of before it is fooled.

        Of those that it is right about; where it is fooled by none, of these.
        """
        before = self.natural.margins(self.test.images) * self.test.signs
        after = self.natural.margins(self.natural.fool(self.test, self.epsilon)) * self.test.signs
        is_fooled = (before > 0) & (after <= 0)
        return int(np.where(is_fooled, before + np.abs(before).max(), before).argmax())


def load_digits() -> tuple[Digits, Digits]:
    """Threes and sevens to train on, and to test on: every third image."""
    from sklearn import datasets  # here: it takes a second to load

    bunch = datasets.load_digits()
    chosen = np.isin(bunch.target, (NEGATIVE, POSITIVE))
    images = bunch.images[chosen] / 16
    signs = np.where(bunch.target[chosen] == POSITIVE, 1.0, -1.0)
    tested = np.arange(len(signs)) % _TESTED == 0
    return Digits(images[~tested], signs[~tested]), Digits(images[tested], signs[tested])


def fit(digits: Digits, epsilon: float = 0.0) -> LogisticRegression:
    """Minimise the mean loss under the worst perturbation of L∞ size ε, by L-BFGS.

    The mean softplus of ε · ‖w‖₁ minus the signed margin, and a small penalty on ‖w‖².

    Args:
        digits: To train on.
        epsilon: 0 trains on clean images.
    """
    images = digits.images.reshape(len(digits.signs), -1)

    def loss(parameters: Array) -> tuple[float, Array]:
        weight, bias = parameters[:-1], parameters[-1]
        lengths = np.sqrt(weight**2 + _ROUNDING**2)
        losses = epsilon * lengths.sum() - digits.signs * (images @ weight + bias)
        slopes = expit(losses) / len(losses)
        gradient = epsilon * slopes.sum() * weight / lengths - (slopes * digits.signs) @ images
        value = np.logaddexp(0, losses).mean() + 0.5 * _PENALTY * weight @ weight
        bias_gradient = -(slopes @ digits.signs)
        return float(value), np.append(gradient + _PENALTY * weight, bias_gradient)

    start = np.zeros(images.shape[1] + 1)
    optimum = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 2000})
    return LogisticRegression(optimum.x[:-1].reshape(SIDE, SIDE), float(optimum.x[-1]))


def begin(epsilon: float = EPSILON) -> Beginning:
    """Train both models, in a second.

    Example:
        >>> from advprop_core.attacks.digits import begin
        >>> begin(0.25).errors()["natural"]["attacked"]

    Args:
        epsilon: Radius of the attack in pixel units on [0, 1].
    """
    train, test = load_digits()
    return Beginning(epsilon, fit(train), fit(train, epsilon), test)
