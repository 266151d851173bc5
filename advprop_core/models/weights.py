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
_MEAN, _STD = (re.compile(rf"(?:^|[._])(?:{names})$") for names in ("mean|mu", "std|sigma|stdev"))
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
        normalisation: (mean, std) of a normalising layer in front, where there is one.
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


@dataclass(frozen=True)
class _Candidate:
    """One mapping of a file, without one of its prefixes."""

    path: tuple[str, ...]
    mapping: Mapping[str, Tensor]
    prefix: str
    hits: int

    @property
    def location(self) -> str:
        return ".".join([*self.path, self.prefix])

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
    best = _best(mappings, network)
    if best is None:
        raise _nothing_fits(mappings[0][1], network, file)
    tensors = {
        _network_key(key.removeprefix(best.prefix)): tensor
        for key, tensor in best.mapping.items()
        if key.startswith(best.prefix) and _is_wanted(key.removeprefix(best.prefix), network)
    }
    _require_all(tensors, best, network, file)
    layer = _normalising_layer(best.mapping)
    taken = {key for key in best.mapping if _network_key(key.removeprefix(best.prefix)) in tensors}
    ignored = [".".join((*best.path, key)) for key in best.mapping if key not in {*taken, *layer}]
    return Weights(
        tensors,
        best.location,
        _class_count(tensors, network, file),
        _normalisation(best.mapping, layer),
        (*_beside(content, best.path), *ignored),
    )


def usable_tensors(content: object, network: Network) -> tuple[int, int]:
    """How many of the network's tensors the content holds, and how many others are beside them.

    Counters and auxiliary branches are none of the others.
    """
    best = _best(tensor_mappings(content), network)
    if best is None:
        return 0, 0
    keys = {key.removeprefix(best.prefix) for key in best.mapping if key.startswith(best.prefix)}
    others = [
        key
        for key in keys
        if not key.endswith("num_batches_tracked")
        and not AUXILIARY.search(key)
        and key not in network.shapes
    ]
    return best.hits, len(others)


def auxiliary_count(tensors: Mapping[str, Tensor]) -> int:
    """Number of auxiliary branches that the keys are of."""
    return len({match[1] for key in tensors if (match := AUXILIARY.search(key))})


def is_copy(tensors: Mapping[str, Tensor], index: int) -> bool:
    """Whether an auxiliary branch holds nothing but main's own values."""
    mark = f".aux_bn.{index}."
    pairs = [(tensor, key.replace(mark, ".")) for key, tensor in tensors.items() if mark in key]
    return all(main in tensors and tensor.equal(tensors[main]) for tensor, main in pairs)


def _class_count(tensors: Mapping[str, Tensor], network: Network, file: str) -> int:
    weights = [tensors[key] for key in tensors if key.startswith(network.classifier)]
    # A pickle can blow a few bytes up to any shape, by a stride of 0.
    if not weights or any(t.numel() > t.untyped_storage().nbytes() for t in weights):
        raise CheckpointError(f"{file} does not fit {network.architecture}: it has no classifier")
    counts = {len(tensor) for tensor in weights if tensor.ndim}
    if len(counts) != 1 or 0 in counts:
        raise CheckpointError(f"{file} has classifiers of {sorted(counts)} classes")
    return counts.pop()


def items_of(content: object) -> Iterator[tuple[str, object]]:
    """What a mapping or a list holds, each with its key or its place in the list."""
    if isinstance(content, Mapping):
        yield from ((str(key), value) for key, value in content.items())
    elif isinstance(content, list | tuple):
        yield from ((str(index), value) for index, value in enumerate(content))


def _mappings(
    content: object, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Mapping[object, object]]]:
    """Every mapping in the content, outer ones first, with the keys that lead to it."""
    if len(path) == _DEEPEST:
        return
    if isinstance(content, Mapping):
        yield path, content
    for key, value in items_of(content):
        yield from _mappings(value, (*path, key))


def tensor_mappings(content: object) -> list[tuple[tuple[str, ...], dict[str, Tensor]]]:
    """Every mapping in the content that holds tensors: the keys that lead to it, and these."""
    return [(path, tensors) for path, m in _mappings(content) if (tensors := _tensors_of(m))]


def require_tensors(content: object, file: str) -> list[tuple[tuple[str, ...], dict[str, Tensor]]]:
    """Every mapping that holds tensors; raises CheckpointError if none does."""
    if not (mappings := tensor_mappings(content)):
        raise CheckpointError(f"{file} holds no tensors")
    return mappings


def _tensors_of(mapping: Mapping[object, object]) -> dict[str, Tensor]:
    return {str(key): value for key, value in mapping.items() if isinstance(value, Tensor)}


def _best(
    mappings: list[tuple[tuple[str, ...], dict[str, Tensor]]], network: Network
) -> _Candidate | None:
    """The mapping and the prefix that give most of the network's tensors, if any gives one."""
    candidates = [
        _Candidate(path, tensors, prefix, hits)
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
    tensors: Mapping[str, Tensor], best: _Candidate, network: Network, file: str
) -> None:
    missing = [key for key in network.shapes if key not in tensors]
    other = [
        key for key in tensors if key in network.shapes and not network.fits(key, tensors[key])
    ]
    if not missing and not other:
        return
    if all(key.startswith(network.classifier) for key in (*missing, *other)):
        raise CheckpointError(
            f"{file} fits {network.architecture} but for its classifier: there is no "
            f"{join([*missing, *other])}; give a file that holds the classifier too"
        )
    where = f" under {best.location!r}" if best.location else ""
    lacks = [f"it has no {listing(missing, _SHOWN)}"] if missing else []
    lacks += [
        f"{key} is {tuple(tensors[key].shape)} and not {tuple(network.shapes[key])}"
        for key in other[:1]
    ]
    raise CheckpointError(
        f"{file} does not fit {network.architecture}: nearest are the tensors{where}, with "
        f"{best.hits} of its {len(network.shapes)}; {join(lacks)}"
    )


def _nothing_fits(tensors: Mapping[str, Tensor], network: Network, file: str) -> CheckpointError:
    wanted, held = (listing([*keys], _SHOWN) for keys in (network.shapes, tensors))
    return CheckpointError(
        f"{file} does not fit {network.architecture}: none of its tensors has a name and a shape "
        f"of that network, such as {wanted}; it holds {held}"
    )


def _normalising_layer(tensors: Mapping[str, Tensor]) -> dict[str, str]:
    """Key of each mean and std of three channels to what comes before its name."""
    return {
        key: key[: match.start()]
        for key, tensor in tensors.items()
        if (match := _MEAN.search(key) or _STD.search(key))
        and "running_" not in key
        and tensor.numel() == 3
        and tensor.is_floating_point()
    }


def _normalisation(
    tensors: Mapping[str, Tensor], layer: Mapping[str, str]
) -> tuple[tuple[float, ...], tuple[float, ...]] | None:
    """The mean and std that the layers agree on."""
    pairs = set()
    for start in dict.fromkeys(layer.values()):
        keys = [key for key in layer if layer[key] == start]
        means = [tensors[key].flatten() for key in keys if _MEAN.search(key)]
        stds = [tensors[key].flatten() for key in keys if _STD.search(key)]
        if len(means) == len(stds) == 1:
            # Some layers count pixels in levels: a mean above 1 cannot be of pixels on [0, 1].
            levels = 255 if max(means[0]) > 1 else 1
            pairs.add((_numbers(means[0] / levels), _numbers(stds[0] / levels)))
    return pairs.pop() if len(pairs) == 1 else None


def _numbers(tensor: Tensor) -> tuple[float, ...]:
    return tuple(float(f"{value:.6g}") for value in tensor.tolist())  # float32 to decimal


def _beside(content: object, path: tuple[str, ...]) -> Iterator[str]:
    """What stands beside the mappings that lead to the weights."""
    for depth, taken in enumerate(path):
        items = list(items_of(content))
        yield from (".".join((*path[:depth], key)) for key, _ in items if key != taken)
        content = next(value for key, value in items if key == taken)
