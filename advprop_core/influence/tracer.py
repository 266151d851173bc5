"""A branch's predictions, traced to the images that it, or its last layer, was trained on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from advprop_core.attribution.progress import split
from advprop_core.datasets.listed import ImageList
from advprop_core.influence.features import Extractor, FeatureCache, Features
from advprop_core.influence.head import SoftmaxHead, fit_head
from advprop_core.models.checkpoints import Checkpoint
from advprop_core.types import Progress

if TYPE_CHECKING:  # it loads captum, which the other method does not need
    from advprop_core.influence.tracing import CheckpointTrace


@dataclass(frozen=True, eq=False)
class Rest:
    """What one prediction rests on.

    Attributes:
        class_index: The class whose loss is meant.
        answer: The class with the largest probability.
        probability: Of the answer, by the layer that is traced.
        scores: (N,) float64, of each training image; positive is helpful.
        places: (N,) where each stands in the list of training images.
    """

    class_index: int
    answer: int
    probability: float
    scores: Tensor
    places: Tensor

    def helpful(self, count: int) -> list[tuple[int, float]]:
        """(place, score) of the images that lower the loss most, the first one most."""
        return self._first(count, largest=True)

    def harmful(self, count: int) -> list[tuple[int, float]]:
        """(place, score) of those that raise it most."""
        return self._first(count, largest=False)

    def _first(self, count: int, *, largest: bool) -> list[tuple[int, float]]:
        scores, rows = self.scores.topk(min(count, len(self.scores)), largest=largest)
        pairs = zip(self.places[rows].tolist(), scores.tolist(), strict=True)
        return [pair for pair in pairs if (pair[1] > 0) == largest and pair[1]]


@dataclass(frozen=True, eq=False)
class Tracer:
    """One branch with its training images.

    Attributes:
        branch: Its name.
        images: The training images.
        features: Theirs, as the method takes them.
        method: What is asked of them.
        extract: (T, 3, S, S) pixels in [0, 1] to such features.
        read: A data set to such features, from the cache where they are there.
    """

    branch: str
    images: ImageList
    features: Features
    method: SoftmaxHead | CheckpointTrace
    extract: Callable[[Tensor], Tensor]
    read: Callable[[ImageList, Progress | None], Features]

    def trace(self, pixels: Tensor, class_index: int | None = None) -> Rest:
        """What the prediction of a picture rests on.

        Args:
            pixels: (1, 3, S, S) in [0, 1].
            class_index: Whose loss is meant; by default that of the branch's own answer.
        """
        features = self.extract(pixels)
        shares = self.method.logits(features)[0].softmax(0)
        answer = int(shares.argmax())
        label = answer if class_index is None else class_index
        (scores,) = self.method.influence(features, torch.tensor([label]))
        return Rest(label, answer, float(shares[answer]), scores.double(), self.features.places)

    def suspects(self, count: int) -> list[tuple[int, float]]:
        """(place, score) of the training images with the largest influence on themselves.

        A label that is wrong can only be learnt by heart, so wrong ones come first.
        """
        scores, rows = self.method.self_influence().topk(min(count, len(self.features.places)))
        return [*zip(self.features.places[rows].tolist(), scores.tolist(), strict=True)]


def last_layer_tracer(
    checkpoint: Checkpoint,
    branch: str,
    images: ImageList,
    cache: FeatureCache,
    progress: Progress | None = None,
) -> Tracer:
    """Trace through a last layer that is fitted to the training images.

    Raises:
        InputError: If there are too few or too many classes, an image of some class cannot be
            read, or the cache holds features of something else.
    """
    read = partial(cache.features, checkpoint, branch)
    features = read(images, progress)
    head = fit_head(features.values, features.labels, len(images.classes))
    extractor = Extractor(checkpoint.model.branch(branch), checkpoint.info.input_size)
    return Tracer(branch, images, features, head, extractor, read)


def tracin_tracer(
    model_file: Path,
    branch: str,
    images: ImageList,
    cache: FeatureCache,
    progress: Progress | None = None,
) -> Tracer:
    """Trace through the checkpoints of the run that wrote a model.

    Args:
        model_file: Its ``model.safetensors``, with the checkpoints in ``epochs/`` beside it.
        branch: Which branch.
        images: With the network's own classes, in its order.
        cache: For the features at every checkpoint.
        progress: Over all checkpoints.

    Raises:
        InputError: If the run kept no checkpoints, they are of another input size, or the network
            does not end in one linear layer.
    """
    from advprop_core.influence.tracing import CheckpointTrace, layer_then, open_checkpoints

    opened = open_checkpoints(model_file)
    layers = [layer_then(checkpoint, branch) for checkpoint in opened]
    size = opened[-1].info.input_size
    extractors = [Extractor(checkpoint.model.branch(branch), size) for checkpoint in opened]

    def extract(pixels: Tensor) -> Tensor:
        return torch.stack([extractor(pixels) for extractor in extractors], 1)

    def read(listed: ImageList, progress: Progress | None) -> Features:
        listeners = split(progress, [len(listed)] * len(opened))
        stages = [
            cache.features(checkpoint, branch, listed, listener)
            for checkpoint, listener in zip(opened, listeners, strict=True)
        ]
        return replace(stages[-1], values=torch.stack([stage.values for stage in stages], 1))

    features = read(images, progress)
    method = CheckpointTrace(features.values, features.labels, layers)
    return Tracer(branch, images, features, method, extract, read)
