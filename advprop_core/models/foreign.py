"""Model files of other programs: what they say, what a person adds, and what has to be guessed."""

import argparse
from collections.abc import Callable, Iterator, Mapping
from itertools import accumulate
from pathlib import Path
from typing import Any, TypeVar

from torch import Tensor

from advprop_core.models import timm_networks
from advprop_core.models.architectures import near_matches, network_of
from advprop_core.models.class_names import with_wnids
from advprop_core.models.dual_bn import auxiliary_name
from advprop_core.models.findings import Findings, Source
from advprop_core.models.header import CheckpointError
from advprop_core.models.settings import ModelSettings
from advprop_core.models.weights import (
    Weights,
    auxiliary_count,
    find_weights,
    is_copy,
    items_of,
    require_tensors,
)
from advprop_core.text import join
from advprop_core.types import BranchOrigin, ModelInfo

T = TypeVar("T")
_HINT_SECONDS = 5.0

# Where training scripts write such a thing: timm's, torchvision's and their neighbours. Networks
# are used here as they are evaluated, so the size of evaluation goes before that of training.
_ARCHITECTURE_KEYS = ("arch", "architecture", "model", "model_name")
_SIZE_KEYS = (
    "val_crop_size",
    "test_input_size",
    "img_size",
    "input_size",
    "image_size",
    "train_crop_size",
)
_DESCRIPTIONS = ("args", "pretrained_cfg", "config", "hyper_parameters")
_DEEPEST = 3
_CLASS_KEYS = ("classes", "class_names", "label_names", "class_to_idx", "id2label")


def read_foreign(
    content: object, settings: ModelSettings, path: Path
) -> tuple[ModelInfo, dict[str, Tensor], Findings]:
    """Find weights, architecture, size, mean, std and classes of a foreign file.

    What a person says goes before what the file says, and that before a guess.

    Returns:
        What describes it; its tensors in the layout of ``DualBNModel.state_dict``; and where each
        thing comes from.

    Raises:
        CheckpointError: If the architecture is not known, or the file does not fit it.
        InputError: If the person names another number of classes than the file has.
        UnknownArchitecture: If timm has no such network.
    """
    require_tensors(content, path.name)
    description = _Description(content)
    if (architecture := settings.architecture or description.architecture) is None:
        raise CheckpointError(_no_architecture(content, path))
    network = network_of(architecture)
    weights = find_weights(content, network, path.name)
    if not any(key.endswith(".running_mean") for key in network.shapes):
        raise CheckpointError(
            f"{path.name} fits {architecture}, which has no BatchNorm and so no branches: give a "
            "network with BatchNorm, such as resnet18"
        )
    info, sources = _describe(architecture, weights, settings, description, path)
    sources["architecture"] = "given" if settings.architecture else "read"
    ignored = tuple(name for name in weights.ignored if name not in description.read)
    return info, weights.tensors, Findings(sources, weights.location, weights.are_averaged, ignored)


def written_architecture(content: object) -> str | None:
    """What a foreign file calls its network, if that is a name of timm's."""
    return _Description(content).architecture


def _no_architecture(content: object, path: Path) -> str:
    fitting = near_matches(content, _HINT_SECONDS).fitting
    hint = f". Its tensors fit {join(fitting, 'or')}" if fitting else ""
    return (
        f"{path.name} does not say its architecture: give timm's name of the network "
        f"(on the command line: --arch {fitting[0] if fitting else 'resnet18'}){hint}"
    )


class _Description:
    """What a file says beside its weights.

    Attributes:
        read: Where in the file something was found, as :attr:`Weights.ignored` names it.
    """

    def __init__(self, content: object) -> None:
        self._mappings = list(_descriptions(content))
        self.read: set[str] = set()

    @property
    def architecture(self) -> str | None:
        return self.find(_ARCHITECTURE_KEYS, _as_architecture)

    def find(self, keys: tuple[str, ...], parse: Callable[[object], T | None]) -> T | None:
        """The first value under one of the keys that can be read, or None."""
        for path, mapping in self._mappings:
            for key in keys:
                if (value := parse(mapping.get(key))) is not None:
                    # As `args`, `args.pretrained_cfg` and `args.pretrained_cfg.mean`.
                    self.read |= set(accumulate((*path, key), "{}.{}".format))
                    return value
        return None


def _descriptions(
    content: object, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any]]]:
    """The mappings in which scripts describe a network: the file's own, args, a configuration."""
    content = vars(content) if isinstance(content, argparse.Namespace) else content
    if isinstance(content, Mapping):
        yield path, content
    elif path or not isinstance(content, list | tuple):
        return
    parts = dict(items_of(content))
    for key in _DESCRIPTIONS if isinstance(content, Mapping) else parts:
        if key in parts and len(path) < _DEEPEST:  # not deeper: a pickle may hold itself
            yield from _descriptions(parts[key], (*path, key))


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


def _as_names(value: object, count: int) -> tuple[str, ...] | None:
    """Class names in a list, in ``{name: index}`` or in ``{index: name}``, if there are so many."""
    if isinstance(value, Mapping):
        are_names = all(isinstance(entry, str) for entry in value.values())
        names = value if are_names else {index: name for name, index in value.items()}
        by_index = {str(index): name for index, name in names.items()}
        value = [by_index.get(str(index)) for index in range(len(value))]
    if not isinstance(value, tuple | list) or len(value) != count:
        return None
    return tuple(value) if all(isinstance(name, str) for name in value) else None


def _describe(
    architecture: str,
    weights: Weights,
    settings: ModelSettings,
    description: _Description,
    path: Path,
) -> tuple[ModelInfo, dict[str, Source]]:
    config, count = timm_networks.pretrained_config(architecture), weights.class_count
    if settings.classes is not None and len(settings.classes) != count:
        raise CheckpointError(
            f"{path.name} has {count} classes, but {len(settings.classes)} names are given: give "
            "one name for each class, in the order of the network's answers"
        )
    sources: dict[str, Source] = {}

    def settled(name: str, given: Any, written: Any, guess: Any) -> Any:
        values: dict[Source, Any] = {"given": given, "read": written, "guessed": guess}
        sources[name] = next(source for source, value in values.items() if value is not None)
        return values[sources[name]]

    written_mean, written_std = _normalisation(weights, description)
    written_size = description.find(_SIZE_KEYS, _as_size)
    written_names = description.find(_CLASS_KEYS, lambda value: _as_names(value, count))
    names = settled("classes", settings.classes, written_names, ())
    classes = with_wnids(names) or timm_networks.default_classes(count)
    ids, readable = zip(*classes, strict=True)
    origins: dict[str, BranchOrigin] = {"main": "trained", "aux": "copied"}
    auxiliaries: dict[str, BranchOrigin] = {
        auxiliary_name(index): "copied" if is_copy(weights.tensors, index) else "trained"
        for index in range(auxiliary_count(weights.tensors))
    }
    info = ModelInfo(
        architecture=architecture,
        class_ids=ids,
        class_names=readable,
        input_size=settled("size", settings.size, written_size, config.input_size[-1]),
        mean=settled("mean", settings.mean, written_mean, tuple(config.mean)),
        std=settled("std", settings.std, written_std, tuple(config.std)),
        branches=origins | auxiliaries,
        name=path.stem,
        recipe={"source": f"imported from {path.name}"},
    )
    return info, sources


def _normalisation(
    weights: Weights, description: _Description
) -> tuple[tuple[float, ...] | None, tuple[float, ...] | None]:
    mean, std = weights.normalisation or (
        description.find((key,), _as_channels) for key in ("mean", "std")
    )
    if mean and std and max(mean) > 1:  # of pixels in levels from 0 to 255
        mean, std = (tuple(float(f"{v / 255:.6g}") for v in values) for values in (mean, std))
    return mean, std
