"""Networks that may answer with some of their classes alone, and what they are shown clean."""

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from advprop_core.evaluation.cells import TestedModel
from advprop_core.evaluation.results import Answers


def clean_batch(model: TestedModel, rows: Tensor, device: torch.device) -> tuple[Tensor, Tensor]:
    """(n, 3, S, S) pixels in [0, 1] of some images, and (n,) labels among the kept classes."""
    pixels = model.images[rows].to(device).float() / 255
    labels = places(model.labels[rows], model.among).to(device)
    return pixels.contiguous(memory_format=torch.channels_last), labels


class Restricted(nn.Module):
    """A network's logits of some classes.

    ImageNet-A and -R have 200 of ImageNet's 1000 classes, and their articles (arXiv 1907.07174,
    2006.16241) choose among the logits of these.

    Args:
        network: From (N, 3, S, S) to (N, C) logits; its mode is kept.
        classes: Indices that are kept, ascending.
    """

    def __init__(self, network: nn.Module, classes: Sequence[int]) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("classes", torch.tensor(classes), persistent=False)
        self.train(network.training)  # a new module is in training mode

    def forward(self, pixels: Tensor) -> Tensor:
        """(N, K) logits of the kept classes."""
        logits: Tensor = self.network(pixels)
        return logits.index_select(1, self.get_buffer("classes"))


def places(labels: Tensor, classes: Sequence[int] | None) -> Tensor:
    """The places of (N,) labels among the kept classes; the labels, where all are kept.

    Raises:
        ValueError: If a label is not kept.
    """
    if classes is None:
        return labels
    class_indices = torch.tensor(classes)
    positions = torch.searchsorted(class_indices, labels).clamp(max=len(class_indices) - 1)
    if not torch.equal(class_indices[positions], labels):
        raise ValueError("among must hold every label's class: add the missing ones")
    return positions


def in_full(answers: Answers, classes: Sequence[int] | None) -> Answers:
    """Answers whose predictions count all of the network's classes again."""
    if classes is None:
        return answers
    return replace(answers, predicted=torch.tensor(classes, dtype=torch.int32)[answers.predicted])
