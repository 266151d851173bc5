"""What attacks raise: losses whose gradient is left where a network is confident."""

import torch
from torch import Tensor

_LEAD = 8.0
"""The largest lead of a label over the next class: the latter then has some 3 in 10,000."""


def log_odds(logits: Tensor, labels: Tensor) -> Tensor:
    """The log odds against each label: its cross-entropy is the softplus of these.

    So both have gradients of one direction. The cross-entropy's is shorter by the probability of
    all other classes, which is rounded away where a network is confident.

    Args:
        logits: (N, C), C at least 2.
        labels: (N,) class indices.

    Returns:
        (N,).
    """
    label_logit, others = label_and_others(logits, labels)
    return others.logsumexp(1) - label_logit


def lifted_log_odds(logits: Tensor, labels: Tensor) -> Tensor:
    """Log odds, with confident logits divided by a temperature first.

    A label that leads by more than eight is brought to a lead of eight; any other is left alone,
    and the loss then points exactly where the cross-entropy does. Without the temperature, the
    same network with logits times ten would be attacked in another direction and look more robust.
    Shapes are those of :func:`log_odds`.
    """
    label_logit, others = label_and_others(logits.detach(), labels)
    temperature = ((label_logit - others.amax(1)) / _LEAD).clamp_min(1)
    return log_odds(logits / temperature[:, None], labels)


def label_and_others(logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """(N,) logits of the labels, and (N, C) those of the other classes, the label's being -inf."""
    column = labels[:, None]
    return logits.gather(1, column)[:, 0], logits.scatter(1, column, -torch.inf)
