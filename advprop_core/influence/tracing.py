"""Gradients traced over the checkpoints of a training run, by captum.

TracIn (Pruthi et al., arXiv 2002.08484): a training image helped a test image where their gradients
pointed the same way while the network was being trained. Only the last layer's gradient is taken,
as in the article's appendix F; captum's ``TracInCPFast`` does that exactly. It runs here on cached
features, so that no image goes through the network again.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from captum.influence import TracInCPFast
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from advprop_core.errors import InputError
from advprop_core.models.bundle import open_file
from advprop_core.models.checkpoints import RATE, Checkpoint, epoch_files
from advprop_core.models.header import read_info

_BATCH = 4096


LayerThen = tuple[Tensor, float]
"""The last layer as it was at a checkpoint: its weights (C, D + 1), of which the last column is the
bias, and the learning rate of the step before it."""


class CheckpointTrace:
    """Influence over the checkpoints of a run.

    Args:
        features: (N, P, D) of the training images at P checkpoints.
        labels: (N,) int64 class indices.
        layers: The last layer at each checkpoint, oldest first.
    """

    def __init__(self, features: Tensor, labels: Tensor, layers: Sequence[LayerThen]) -> None:
        self.labels = labels
        self._layer = _LastLayers(layers)
        self._trace = TracInCPFast(
            self._layer,
            self._layer.linear,
            DataLoader(TensorDataset(features, labels), batch_size=_BATCH),
            [*range(len(layers))],
            _LastLayers.take,
            nn.CrossEntropyLoss(reduction="sum"),
        )

    def logits(self, features: Tensor) -> Tensor:
        """(T, P, D) features to (T, C) of the last checkpoint."""
        with torch.no_grad():
            _LastLayers.take(self._layer, len(self._layer.layers) - 1)
            logits: Tensor = self._layer(features)
        return logits

    def influence(self, features: Tensor, labels: Tensor) -> Tensor:
        """How far the training images moved the losses of test images.

        Args:
            features: (T, P, D) of test images.
            labels: (T,) class whose loss is meant.

        Returns:
            (T, N): over checkpoints, the sum of learning rate times product of gradients. Positive
            is helpful. Only the order and the ratios mean something.
        """
        with torch.enable_grad():
            scores: Tensor = self._trace.influence((features, labels))
        return scores.detach()

    def self_influence(self) -> Tensor:
        """(N,) the same of each training image on its own loss."""
        with torch.enable_grad():
            scores: Tensor = self._trace.self_influence()
        return scores.detach()


class _LastLayers(nn.Module):
    """(N, P, D) features to (N, C) logits at the checkpoint that was taken last."""

    def __init__(self, layers: Sequence[LayerThen]) -> None:
        super().__init__()
        self.layers = layers
        classes, width = layers[0][0].shape
        # captum leaves a bias out of the gradient: as the weight of an input of 1 it is in.
        self.linear = nn.Linear(width, classes, bias=False)
        self._position = 0

    def take(self, position: int) -> float:
        """Become the layer of a checkpoint; returns its learning rate, as captum asks."""
        self._position = position
        weight, learning_rate = self.layers[position]
        with torch.no_grad():
            self.linear.weight.copy_(weight)
        return learning_rate

    def forward(self, features: Tensor) -> Tensor:
        at_checkpoint = features[:, self._position]
        logits: Tensor = self.linear(F.pad(at_checkpoint, (0, 1), value=1.0))
        return logits


def open_checkpoints(model_file: Path) -> list[Checkpoint]:
    """The checkpoints of the run that wrote a model, oldest first.

    Raises:
        InputError: If the run kept none, or one is of a network of another input size.
    """
    size = read_info(model_file).input_size
    files = epoch_files(model_file.parent)
    if not files:
        raise InputError(
            f"{model_file} has no checkpoints of its run beside it: train with `advprop train "
            "--keep-epochs --out DIR` and give DIR/model.safetensors, or use --method last-layer"
        )
    opened = [open_file(path) for path in files]
    for path, checkpoint in zip(files, opened, strict=True):
        if RATE not in checkpoint.info.recipe:
            raise InputError(
                f"{path} does not say its learning rate: give a run of `advprop train "
                "--keep-epochs`"
            )
        if (other := checkpoint.info.input_size) != size:
            raise InputError(
                f"{path} takes images of {other} pixels, but {model_file.name} of {size}: it "
                "belongs to another run, so remove it"
            )
    return opened


def layer_then(checkpoint: Checkpoint, branch: str) -> LayerThen:
    """The last layer of a checkpoint.

    Raises:
        InputError: If the network does not end in one linear layer.
    """
    network: Any = checkpoint.model.branch(branch).network
    layer = network.get_classifier()
    if not isinstance(layer, nn.Linear):
        raise InputError(
            f"{checkpoint.info.architecture} does not end in one linear layer, and tracing needs "
            "its gradient: use --method last-layer"
        )
    weight = layer.weight.detach()
    bias = weight.new_zeros(len(weight)) if layer.bias is None else layer.bias.detach()
    return torch.cat([weight, bias[:, None]], 1), float(checkpoint.info.recipe[RATE])
