"""Model files of other programs: what they say, what a person adds, and what has to be guessed."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from advprop_core.models import timm_networks
from advprop_core.models.dual_bn import auxiliary_name
from advprop_core.models.header import CheckpointError
from advprop_core.models.settings import ModelSettings
from advprop_core.models.weights import AUXILIARY, Network, Weights, find_weights
from advprop_core.text import join
from advprop_core.types import BranchOrigin, ModelInfo

_SHOWN = 3  # names of what was ignored

# Where training scripts write such a thing: timm's, torchvision's and their neighbours.
_ARCHITECTURE_KEYS = ("arch", "architecture", "model", "model_name")
_SIZE_KEYS = ("img_size", "input_size", "image_size", "train_crop_size")


@dataclass(frozen=True)
class ForeignModel:
    """A foreign file, understood.

    Attributes:
        info: What describes it.
        tensors: In the layout of ``DualBNModel.state_dict``.
        notes: What was guessed or ignored, a sentence each.
    """

    info: ModelInfo
    tensors: dict[str, Tensor]
    notes: tuple[str, ...]


def read_foreign(content: object, settings: ModelSettings, path: Path) -> ForeignModel:
    """Find weights, architecture, size, mean, std and classes of a foreign file.

    What a person says goes before what the file says, and that before a guess.

    Args:
        content: Whatever the file holds.
        settings: What the person says.
        path: Of the file.

    Raises:
        CheckpointError: If the architecture is not known, or the file does not fit it.
        InputError: If the person names another number of classes than the file has.
        UnknownArchitecture: If timm has no such network.
    """
    said = _Said.of(content)
    architecture = settings.architecture or said.architecture
    if architecture is None:
        raise CheckpointError(
            f"{path.name} does not say its architecture: give timm's name of the network "
            "(on the command line: --arch resnet18)"
        )
    weights = find_weights(content, _network(architecture), path.name)
    guesses: list[str] = []
    info = _describe(architecture, weights, settings, said, path, guesses)
    return ForeignModel(info, weights.tensors, tuple(_notes(guesses, weights, path)))


def _network(architecture: str) -> Network:
    config = timm_networks.pretrained_config(architecture)
    classifier = config.classifier
    names = (classifier,) if isinstance(classifier, str) else tuple(classifier or ())
    network = timm_networks.create_plain(architecture)
    shapes = {
        key: tensor.shape
        for key, tensor in network.state_dict().items()
        if not key.endswith("num_batches_tracked")  # older files lack it; eval mode ignores it
    }
    return Network(architecture, shapes, tuple(f"{name}." for name in names))


@dataclass(frozen=True)
class _Said:
    """What a file says beside its weights."""

    architecture: str | None = None
    size: int | None = None
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    class_names: tuple[str, ...] | None = None

    @classmethod
    def of(cls, content: object) -> _Said:
        places = list(_descriptions(content))
        return cls(
            architecture=_first(places, _ARCHITECTURE_KEYS, _as_architecture),
            size=_first(places, _SIZE_KEYS, _as_size),
            mean=_first(places, ("mean",), _as_channels),
            std=_first(places, ("std",), _as_channels),
            class_names=_first(places, ("classes", "class_names", "label_names"), _as_names),
        )


def _descriptions(content: object) -> Iterator[Mapping[str, Any]]:
    """The mappings in which scripts describe a network: the file's own, args, a configuration."""
    if not isinstance(content, Mapping):
        return
    yield content
    for key in ("args", "pretrained_cfg", "config", "hyper_parameters"):
        value = content.get(key)
        value = vars(value) if isinstance(value, argparse.Namespace) else value
        if isinstance(value, Mapping):
            yield value
            nested = value.get("pretrained_cfg")
            if isinstance(nested, Mapping):
                yield nested


def _first(places: list[Mapping[str, Any]], keys: tuple[str, ...], read: Any) -> Any:
    values = (read(place.get(key)) for place in places for key in keys)
    return next((value for value in values if value is not None), None)


def _as_architecture(value: object) -> str | None:
    # A colon would name a source to fetch, which a stranger's file must not choose.
    plain = isinstance(value, str) and ":" not in value
    return str(value) if plain and timm_networks.is_known(str(value)) else None


def _as_size(value: object) -> int | None:
    side = value[-1] if isinstance(value, tuple | list) and value else value
    return side if isinstance(side, int) and not isinstance(side, bool) and side > 0 else None


def _as_channels(value: object) -> tuple[float, ...] | None:
    if not isinstance(value, tuple | list) or len(value) != 3:
        return None
    return tuple(map(float, value)) if all(isinstance(v, int | float) for v in value) else None


def _as_names(value: object) -> tuple[str, ...] | None:
    if not isinstance(value, tuple | list) or not all(isinstance(name, str) for name in value):
        return None
    return tuple(value) or None


def _describe(
    architecture: str,
    weights: Weights,
    settings: ModelSettings,
    said: _Said,
    path: Path,
    guesses: list[str],
) -> ModelInfo:
    config = timm_networks.pretrained_config(architecture)
    layer_mean, layer_std = weights.normalisation or (None, None)

    def settled(name: str, option: str, given: Any, read: Any, guess: Any) -> Any:
        if given is not None or read is not None:
            return read if given is None else given
        guesses.append(f"{name} {_written(guess)} ({option})")
        return guess

    size = settled("size", "--size", settings.size, said.size, config.input_size[-1])
    mean = settled("mean", "--mean", settings.mean, layer_mean or said.mean, tuple(config.mean))
    std = settled("std", "--std", settings.std, layer_std or said.std, tuple(config.std))
    count = weights.class_count
    identities = _classes(settings, said, count, path, guesses)
    auxiliaries = {match[1] for key in weights.tensors if (match := AUXILIARY.search(key))}
    origins: dict[str, BranchOrigin] = {"main": "trained", "aux": "copied"}
    origins |= {auxiliary_name(index): "trained" for index in range(len(auxiliaries))}
    return ModelInfo(
        architecture=architecture,
        class_ids=tuple(identity for identity, _ in identities),
        class_names=tuple(name for _, name in identities),
        input_size=size,
        mean=mean,
        std=std,
        branches=origins,
        name=path.stem,
        recipe={"source": f"imported from {path.name}"},
    )


def _classes(
    settings: ModelSettings, said: _Said, count: int, path: Path, guesses: list[str]
) -> tuple[tuple[str, str], ...]:
    if settings.classes is not None and len(settings.classes) != count:
        raise CheckpointError(
            f"--classes names {len(settings.classes)} classes, but {path.name} has {count}"
        )
    read = said.class_names if said.class_names and len(said.class_names) == count else None
    names = settings.classes or read
    if names is not None:
        return tuple((name, name) for name in names)
    kind = "those of ImageNet" if count == 1000 else f"class 0 to class {count - 1}"
    guesses.append(f"classes {kind} (--classes)")
    return timm_networks.default_classes(count)


def _notes(guesses: list[str], weights: Weights, path: Path) -> Iterator[str]:
    if guesses:
        yield f"{path.name} does not say everything. Guessed: {join(guesses)}."
    if weights.are_averaged:
        yield f"The averaged (EMA) weights of {path.name} are used, from {weights.place!r}."
    if weights.ignored:
        shown = list(weights.ignored[:_SHOWN])
        more = len(weights.ignored) - len(shown)
        names = join([*shown, f"{more} more"] if more else shown)
        yield f"Ignored in {path.name}: {names}."


def _written(value: object) -> str:
    return ",".join(f"{v:g}" for v in value) if isinstance(value, tuple) else str(value)
