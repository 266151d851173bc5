"""One training step as one function of tensors: attack, losses, backward pass, SGD.

It is what ``training/`` does in a step, without modules that change. Everything that a step
changes goes in as a tensor and comes out as a new one, so that it can be an ONNX graph. So do the
evaluation of the network, and the step of attacks and maps that the lab runs with it.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, get_args

import torch
from torch import Tensor, nn
from torch.func import functional_call

from advprop_core.browser.graph import Step, loss_at_logits
from advprop_core.browser.norms import norm_parts, with_vector
from advprop_core.browser.tiny_network import shared_weights, split_weights
from advprop_core.models.dual_bn import MAIN, DualBNModel

Objective = Literal["advprop", "mixed", "vanilla"]
OBJECTIVES: tuple[Objective, ...] = get_args(Objective)
"""As in ``training/objectives.py``."""

MOMENTUM, WEIGHT_DECAY = 0.9, 5e-4
"""Of SGD. What has one dimension does not decay: norm layers and the bias."""
_STATISTICS_MOMENTUM, NORM_EPSILON = 0.1, 1e-5  # of PyTorch's BatchNorm


class StepState(NamedTuple):
    """What a step changes.

    Attributes:
        weights: (W,): see :func:`~advprop_core.browser.tiny_network.flat_weights`.
        weight_velocity: (W,): SGD's momentum buffer.
        norms: (branches, 4, C): see :func:`~advprop_core.browser.tiny_network.flat_norms`.
        norm_velocity: (branches, 2, C): SGD's momentum buffer of γ and β.
    """

    weights: Tensor
    weight_velocity: Tensor
    norms: Tensor
    norm_velocity: Tensor


class StepData(NamedTuple):
    """What a step is given.

    Attributes:
        pixels: (N, 3, S, S) in [0, 1].
        class_one_hot: (N, K).
        noise: (N, 3, S, S) in [-1, 1]: where in its ball each attack starts.
        epsilon: (1,): radius in L∞, and the attack's one step.
        learning_rate: (1,).
    """

    pixels: Tensor
    class_one_hot: Tensor
    noise: Tensor
    epsilon: Tensor
    learning_rate: Tensor


class StepFigures(NamedTuple):
    """What a step found, for each kind of input: clean, then adversarial.

    Attributes:
        losses: (kinds,): mean cross-entropy.
        hits: (kinds,): share of right answers.
        statistics: (kinds, 2, C): mean and variance that each norm layer saw in this kind alone.
    """

    losses: Tensor
    hits: Tensor
    statistics: Tensor


@dataclass
class _Pass:
    """A forward pass in training mode: γ and β to use, and the statistics that it meets."""

    affine: Tensor
    kinds: int
    whole: list[Tensor] = field(default_factory=list)
    by_kind: list[Tensor] = field(default_factory=list)


class _BatchNorm(nn.Module):
    """Normalises with the statistics of its batch, and notes them."""

    def __init__(self, part: slice, current: Callable[[], _Pass]) -> None:
        super().__init__()
        self.part, self.current = part, current

    def forward(self, features: Tensor) -> Tensor:
        current = self.current()
        scale, shift = current.affine[:, self.part]
        output, mean, inverse = torch.native_batch_norm(
            features, scale, shift, None, None, True, 0.0, NORM_EPSILON
        )
        # It gives 1 / √(variance + epsilon).
        variance = inverse.detach() ** -2 - NORM_EPSILON
        statistics = torch.stack([mean.detach(), variance])
        count = features.numel() // features.shape[1]
        unbiased = torch.tensor([[1.0], [count / (count - 1)]])  # as PyTorch keeps it
        current.whole.append(statistics * unbiased)
        if current.kinds == 1:
            current.by_kind.append(statistics[None])
        else:
            parts = features.detach().unflatten(0, (current.kinds, -1))
            means = parts.mean((1, 3, 4))
            centred = parts - means[:, None, :, None, None]
            variances = (centred * centred).mean((1, 3, 4))
            current.by_kind.append(torch.stack([means, variances], 1))
        return output


class EvalBranch(nn.Module):
    """A branch in eval mode whose tensors are given with each picture."""

    def __init__(self, model: DualBNModel) -> None:
        super().__init__()
        self._weights = shared_weights(model)
        self._affine = torch.empty(0)
        self._network = with_vector(model.branch(MAIN), lambda: self._affine)

    def forward(self, weights: Tensor, norm: Tensor, pixels: Tensor) -> Tensor:
        """(N, K) logits, with (W,) weights and the (4, C) tensors of the norm layers."""
        self._affine = eval_affine(norm)
        tensors = split_weights(weights.detach(), self._weights)
        logits: Tensor = functional_call(self._network, tensors, (pixels,))
        return logits

    def attack(
        self,
        weights: Tensor,
        norm: Tensor,
        start: Tensor,
        pixels: Tensor,
        class_one_hot: Tensor,
        epsilon: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """Logits at the start, and (N, 3, S, S) one L∞ step of length ε in the ball of pixels."""
        with torch.enable_grad():
            leaf = start.detach().requires_grad_()
            logits = self(weights, norm, leaf)
            direction = loss_at_logits(logits.detach(), class_one_hot)
            (gradient,) = torch.autograd.grad(logits, leaf, direction)
        moved = start + epsilon * gradient.sign() - pixels
        moved = torch.maximum(torch.minimum(moved, epsilon), -epsilon)
        return logits.detach(), (pixels + moved).clamp(0, 1)


class TrainingStep(nn.Module):
    """A step of an objective; the attack is one step through the branch that is shown its result.

    Args:
        model: Gives the layers; its tensors are not used.
        objective: "advprop" needs an auxiliary branch, the others use main alone.
    """

    def __init__(self, model: DualBNModel, objective: Objective) -> None:
        super().__init__()
        self.objective = objective
        main = model.branch(MAIN)
        self._weights = shared_weights(model)
        self._decay = torch.cat(
            [
                torch.full((weight.numel(),), WEIGHT_DECAY if weight.ndim > 1 else 0.0)
                for weight in self._weights.values()
            ]
        )
        self._attacked = EvalBranch(model)
        self._pass = _Pass(torch.empty(0), 1)
        self._trained = copy.deepcopy(main)
        for name, (_, part) in norm_parts(self._trained).items():
            self._trained.set_submodule(name, _BatchNorm(part, lambda: self._pass))

    def forward(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        """The tensors of a state and of its data to those of the new state and its figures."""
        state, data = StepState(*tensors[:4]), StepData(*tensors[4:])
        with torch.enable_grad():
            weights = state.weights.detach().requires_grad_()
            affine = state.norms[:, :2].detach().requires_grad_()
            logits, passes = self._logits(weights, affine, state, data)
            count, kinds = len(data.pixels), len(logits) // len(data.pixels)
            targets = data.class_one_hot.repeat(kinds, 1)
            at_logits = (logits.detach().softmax(1) - targets) / count  # of a sum over the kinds
            at_weights, at_affine = torch.autograd.grad(logits, (weights, affine), at_logits)
        # SGD, and BatchNorm's running statistics.
        weight_velocity = MOMENTUM * state.weight_velocity + at_weights
        weight_velocity = weight_velocity + self._decay * state.weights
        norm_velocity = MOMENTUM * state.norm_velocity + at_affine
        new_affine = state.norms[:, :2] - data.learning_rate * norm_velocity
        met = torch.stack([torch.cat(each.whole, 1) for each in passes])
        running = state.norms[:, 2:]
        running = running + _STATISTICS_MOMENTUM * (met - running)
        new = StepState(
            state.weights - data.learning_rate * weight_velocity,
            weight_velocity,
            torch.cat([new_affine, running], 1),
            norm_velocity,
        )
        statistics = torch.cat([torch.cat(each.by_kind, 2) for each in passes])
        figures = StepFigures(*loss_and_hits(logits.detach(), targets, kinds), statistics)
        return (*new, *figures)

    def _logits(
        self, weights: Tensor, affine: Tensor, state: StepState, data: StepData
    ) -> tuple[Tensor, list[_Pass]]:
        """(kinds · N, K): clean, then adversarial; and what each pass met."""
        if self.objective == "vanilla":
            passes = [(affine[0], data.pixels, 1)]
        else:
            start = (data.pixels + data.epsilon * data.noise).clamp(0, 1)
            given = data.pixels, data.class_one_hot, data.epsilon
            # Through the last branch: the one that is shown the result.
            _, attacked = self._attacked.attack(state.weights, state.norms[-1], start, *given)
            if self.objective == "mixed":
                passes = [(affine[0], torch.cat([data.pixels, attacked]), 2)]
            else:
                passes = [(affine[0], data.pixels, 1), (affine[1], attacked, 1)]
        logits, done = [], []
        for norm, pixels, kinds in passes:
            self._pass = _Pass(norm, kinds)
            tensors = split_weights(weights, self._weights)
            logits.append(functional_call(self._trained, tensors, (pixels,)))
            done.append(self._pass)
        return torch.cat(logits), done


class Evaluation(nn.Module):
    """How a branch answers pictures, clean and attacked in one step through itself."""

    def __init__(self, model: DualBNModel) -> None:
        super().__init__()
        self._branch = EvalBranch(model)

    def forward(
        self,
        weights: Tensor,
        norm: Tensor,
        pixels: Tensor,
        class_one_hot: Tensor,
        epsilon: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """(2,) losses and (2,) hits: of clean pictures, then of adversarial ones.

        Shapes are those of :class:`StepState` and :class:`StepData`; ``norm``: (4, C).
        """
        given = pixels, class_one_hot, epsilon
        clean, attacked = self._branch.attack(weights, norm, pixels, *given)
        both = torch.cat([clean, self._branch(weights, norm, attacked).detach()])
        return loss_and_hits(both, class_one_hot.repeat(2, 1), kinds=2)


class LabStep(nn.Module):
    """The step of attacks and maps that a page's lab runs, with the weights as an input.

    ``size`` is the side of the pictures in pixels.
    """

    def __init__(self, model: DualBNModel, size: int) -> None:
        super().__init__()
        self.step = Step(model, size)
        self._weights = {
            f"network.{name}": weight for name, weight in shared_weights(model).items()
        }

    def forward(
        self,
        pixels: Tensor,
        class_one_hot: Tensor,
        attacks: Tensor,
        norm: Tensor,
        weights: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """As in :class:`~advprop_core.browser.graph.Step`, of a network with these weights."""
        tensors = split_weights(weights, self._weights)
        output: tuple[Tensor, Tensor, Tensor] = functional_call(
            self.step, tensors, (pixels, class_one_hot, attacks, norm)
        )
        return output


def loss_and_hits(logits: Tensor, targets: Tensor, kinds: int) -> tuple[Tensor, Tensor]:
    """(kinds,) mean cross-entropies and shares of right answers.

    Args:
        logits: (kinds · N, K), kind after kind.
        targets: (kinds · N, K) one-hots.
        kinds: Number of kinds of input.
    """
    label = (logits * targets).sum(1)
    losses = logits.logsumexp(1) - label
    hits = (label >= logits.amax(1)).to(logits.dtype)
    return losses.view(kinds, -1).mean(1), hits.view(kinds, -1).mean(1)


def eval_affine(norm: Tensor) -> Tensor:
    """(2, C) scale and shift in eval mode, of (4, C): γ, β, running mean and variance."""
    gamma, beta, mean, variance = norm
    scale = gamma * (variance + NORM_EPSILON).rsqrt()
    return torch.stack([scale, beta - mean * scale])
