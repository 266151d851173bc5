"""The weights inside a foreign file: the mapping whose keys fit the network best.

Training scripts wrap a state dict in many ways: under ``state_dict``, ``model`` or
``model_state_dict``; with ``module.`` or ``model.`` before every key; beside an optimiser, a
normalising layer, counters of operations or an averaged copy. So nothing is looked up by name.
Every mapping in the file is tried with every prefix that its keys have in common, and the one
that gives most of the network's tensors is taken.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from advprop_core.models.header import CheckpointError
from advprop_core.text import join, listing

AUXILIARY = re.compile(r"\.aux_bn\.(?:(\d{1,3})\.)?")
"""The index of an auxiliary branch in a key; MixBatchNorm's files have none."""

_AVERAGED = re.compile(r"(?:^|[._])(?:ema|swa|averaged?)(?:$|[._])", re.IGNORECASE)
_DEEPEST = 5
_NORMALISING = re.compile(r"(?:^|[._])(?:(?P<mean>mean|mu)|(?P<std>std|sigma|stdev))$")
_SHOWN = 3  # names in a message


@dataclass(frozen=True)
class Network:
    """What a network needs of a file.

    Attributes:
        architecture: timm's name.
        shapes: Key to shape of each tensor that a file must hold.
        classifier: Beginning of the keys whose first dimension is the number of classes.
    """

    architecture: str
    shapes: Mapping[str, torch.Size]
    classifier: tuple[str, ...]

    def fits(self, key: str, tensor: Tensor) -> bool:
        """Whether the tensor can be the one of that key, for any number of classes."""
        shape = self.shapes[key]
        start = 1 if key.startswith(self.classifier) else 0
        return tensor.ndim == len(shape) and tensor.shape[start:] == shape[start:]


@dataclass(frozen=True)
class Weights:
    """A state dict as it was found in a file.

    Attributes:
        tensors: By the network's own key; an auxiliary branch's as ``bn1.aux_bn.0.weight``.
        location: Keys of mappings and the common prefix that lead there, as ``model.module.``.
        class_count: First dimension of the classifier.
        normalisation: (mean, std) of a normalising layer in front, where there is one; some count
            pixels in levels from 0 to 255.
        ignored: Where everything else in the file was.
    """

    tensors: dict[str, Tensor]
    location: str
    class_count: int
    normalisation: tuple[tuple[float, ...], tuple[float, ...]] | None
    ignored: tuple[str, ...]

    @property
    def are_averaged(self) -> bool:
        """Whether they are a moving average (EMA) of the trained weights, by their name."""
        return bool(_AVERAGED.search(self.location))


Mappings = list[tuple[tuple[str, ...], dict[str, Tensor]]]
"""Every mapping of a file that holds tensors: the keys that lead to it, and these tensors."""


@dataclass(frozen=True)
class Candidate:
    """One mapping of a file, without one of its prefixes.

    Attributes:
        path: Keys that lead to the mapping.
        mapping: Its tensors.
        prefix: What comes before the network's own keys.
        hits: Tensors of the network that are in it, with their shape.
    """

    path: tuple[str, ...]
    mapping: Mapping[str, Tensor]
    prefix: str
    hits: int

    @property
    def location(self) -> str:
        """Keys and prefix, as ``model.module.``."""
        return ".".join([*self.path, self.prefix])

    @property
    def keys(self) -> list[str]:
        """Those of the mapping that have the prefix, without it."""
        return [k.removeprefix(self.prefix) for k in self.mapping if k.startswith(self.prefix)]

    @property
    def rank(self) -> tuple[int, bool, int]:
        """More tensors first; of equals the averaged ones, then those with the shorter name."""
        return self.hits, bool(_AVERAGED.search(self.location)), -len(self.location)


def find_weights(content: object, network: Network, file: str) -> Weights:
    """Look through whatever a file of that name holds for the network's tensors.

    Raises:
        CheckpointError: If no mapping holds all of the network's tensors; names the nearest and
            what it lacks.
    """
    mappings = require_tensors(content, file)
    misfit = f"{file} does not fit {network.architecture}"
    best = nearest(mappings, network)
    if best is None:
        wanted, held = (listing([*keys], _SHOWN) for keys in (network.shapes, mappings[0][1]))
        raise CheckpointError(
            f"{misfit}: none of its tensors has a name and a shape of that network, such as "
            f"{wanted}; it holds {held}"
        )
    used = {key: best.prefix + key for key in best.keys if _is_wanted(key, network)}
    tensors = {_network_key(key): best.mapping[used[key]] for key in used}
    _require_all(tensors, best, network, misfit)
    layer, normalisation = _normalising_layer(best.mapping)
    beside = [key for key in best.mapping if key not in {*used.values(), *layer}]
    return Weights(
        tensors,
        best.location,
        class_count(tensors, network.classifier, misfit),
        normalisation,
        (*_beside(content, best.path), *(".".join((*best.path, key)) for key in beside)),
    )


def auxiliary_count(tensors: Mapping[str, Tensor]) -> int:
    """Number of auxiliary branches that the keys are of."""
    return len({match[1] for key in tensors if (match := AUXILIARY.search(key))})


def is_copy(tensors: Mapping[str, Tensor], index: int) -> bool:
    """Whether an auxiliary branch holds nothing but main's own values."""
    mark = f".aux_bn.{index}."
    pairs = [(tensor, key.replace(mark, ".")) for key, tensor in tensors.items() if mark in key]
    return all(main in tensors and tensor.equal(tensors[main]) for tensor, main in pairs)


def class_count(tensors: Mapping[str, Tensor], classifier: tuple[str, ...], misfit: str) -> int:
    """First dimension of the tensors whose keys begin as the classifier's do.

    Raises:
        CheckpointError: If there are none, or they differ; ``misfit`` begins the sentence.
    """
    weights = [tensor for key, tensor in tensors.items() if key.startswith(classifier)]
    # A pickle can blow a few bytes up to any shape, by a stride of 0.
    real = [t for t in weights if t.ndim and 0 < t.numel() <= t.untyped_storage().nbytes()]
    counts = {len(tensor) for tensor in real}
    if not counts or len(real) < len(weights):
        raise CheckpointError(f"{misfit}: it has no classifier")
    if len(counts) > 1:
        raise CheckpointError(f"{misfit}: its classifier is of {join([*map(str, sorted(counts))])}")
    return counts.pop()


def items_of(content: object) -> Iterator[tuple[str, object]]:
    """What a mapping or a list holds, each with its key or its place in the list."""
    if isinstance(content, Mapping):
        yield from ((str(key), value) for key, value in content.items())
    elif isinstance(content, list | tuple):
        yield from ((str(index), value) for index, value in enumerate(content))


def tensor_mappings(content: object, path: tuple[str, ...] = ()) -> Mappings:
    """Every mapping in the content that holds tensors, outer ones first."""
    mappings: Mappings = []
    if len(path) == _DEEPEST:
        return mappings
    items = list(items_of(content))
    tensors = {key: value for key, value in items if isinstance(value, Tensor)}
    if tensors and isinstance(content, Mapping):
        mappings.append((path, tensors))
    for key, value in items:
        mappings += tensor_mappings(value, (*path, key))
    return mappings


def require_tensors(content: object, file: str) -> Mappings:
    """Every mapping that holds tensors; raises CheckpointError if none does."""
    if not (mappings := tensor_mappings(content)):
        raise CheckpointError(f"{file} holds no tensors")
    return mappings


def nearest(mappings: Mappings, network: Network) -> Candidate | None:
    """The mapping and the prefix that give most of the network's tensors, if any gives one."""
    candidates = [
        Candidate(path, tensors, prefix, hits)
        for path, tensors in mappings
        for prefix, hits in _prefixes(tensors, network).items()
    ]
    return max(candidates, key=lambda candidate: candidate.rank, default=None)


def _prefixes(tensors: Mapping[str, Tensor], network: Network) -> Counter[str]:
    """What comes before the network's own keys, and for how many of them."""
    counts: Counter[str] = Counter()
    for key, tensor in tensors.items():
        parts = key.split(".")
        for start in range(len(parts)):
            network_key = ".".join(parts[start:])
            if network_key in network.shapes and network.fits(network_key, tensor):
                counts[key.removesuffix(network_key)] += 1
    return counts


def _network_key(key: str) -> str:
    """MixBatchNorm's auxiliary branch gets its index."""
    return AUXILIARY.sub(lambda match: f".aux_bn.{match[1] or 0}.", key)


def _is_wanted(key: str, network: Network) -> bool:
    """Whether the key is the network's, or an auxiliary branch's, or that of a norm's counter."""
    main_key = AUXILIARY.sub(".", key)
    counted = main_key.removesuffix("num_batches_tracked") + "running_mean"
    return main_key in network.shapes or (
        main_key.endswith(".num_batches_tracked") and counted in network.shapes
    )


def _require_all(
    tensors: Mapping[str, Tensor], best: Candidate, network: Network, misfit: str
) -> None:
    missing = [key for key in network.shapes if key not in tensors]
    lacks = [f"it has no {listing(missing, _SHOWN)}"] if missing else []
    lacks += [
        f"{key} is {tuple(tensors[key].shape)} and not {tuple(shape)}"
        for key, shape in network.shapes.items()
        if key in tensors and not network.fits(key, tensors[key])
    ][:1]
    if lacks:
        if missing and all(key.startswith(network.classifier) for key in missing):
            lacks.append("give a file that holds the classifier too")
        where = f" under {best.location!r}" if best.location else ""
        raise CheckpointError(
            f"{misfit}: nearest are the tensors{where}, with {best.hits} of its "
            f"{len(network.shapes)}; {join(lacks)}"
        )


def _normalising_layer(
    tensors: Mapping[str, Tensor],
) -> tuple[list[str], tuple[tuple[float, ...], tuple[float, ...]] | None]:
    """Keys of means and stds of three channels, and the pair of values that the layers agree on."""
    keys: list[str] = []
    values: dict[tuple[str, str | None], tuple[float, ...]] = {}
    for key, tensor in tensors.items():
        match = _NORMALISING.search(key)
        is_of_channels = tensor.numel() == 3 and tensor.is_floating_point()
        if match and is_of_channels and "running_" not in key:
            keys.append(key)
            decimals = (f"{value:.6g}" for value in tensor.flatten().tolist())  # of float32
            values[key[: match.start()], match.lastgroup] = tuple(map(float, decimals))
    pairs = {
        (mean, values[layer, "std"])
        for (layer, kind), mean in values.items()
        if kind == "mean" and (layer, "std") in values
    }
    return keys, pairs.pop() if len(pairs) == 1 else None


def _beside(content: object, path: tuple[str, ...]) -> Iterator[str]:
    """What stands beside the mappings that lead to the weights."""
    for depth, taken in enumerate(path):
        items = list(items_of(content))
        yield from (".".join((*path[:depth], key)) for key, _ in items if key != taken)
        content = next(value for key, value in items if key == taken)
