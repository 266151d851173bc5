"""Which of timm's architectures the tensors of a file are of.

timm has some 1400. Even without memory for its weights, one takes a tenth of a second to build. So
only those are built whose first and last layers are in the file, and only for a limited time.
"""

import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import lru_cache, partial

import timm
import torch

from advprop_core.models import timm_networks
from advprop_core.models.weights import (
    AUXILIARY,
    Mappings,
    Network,
    nearest,
    tensor_mappings,
)

MOST_SECONDS = 20.0
_SHOWN = 8


@dataclass(frozen=True)
class Match:
    """How well an architecture fits a file.

    Attributes:
        architecture: timm's name.
        hits: Tensors of the network that are in the file, with their shape.
        wanted: Tensors that the network has.
        unused: Tensors of the file, auxiliary branches aside, that the network does not have.
    """

    architecture: str
    hits: int
    wanted: int
    unused: int

    @property
    def fits(self) -> bool:
        """Whether the file holds all that the network needs."""
        return self.hits == self.wanted

    @property
    def likeness(self) -> float:
        """Tensors in both, of those in either: 1 where they are the same."""
        return self.hits / (self.wanted + self.unused)


@dataclass(frozen=True)
class Search:
    """What a search found.

    Attributes:
        matches: The best fits first, at most eight.
        looked_at: Networks that were compared with the file.
        candidates: Networks whose first and last layers are in the file; more than
            ``looked_at`` where time ran out.
    """

    matches: tuple[Match, ...]
    looked_at: int
    candidates: int

    @property
    def fitting(self) -> tuple[str, ...]:
        """The best one, and others that fit as well.

        Weights cannot tell them apart, for they differ in padding, activation and the like.
        """
        best = self.matches[0].likeness if self.matches else 0.0
        return tuple(m.architecture for m in self.matches if m.fits and m.likeness == best)


@lru_cache(maxsize=256)
def network_of(architecture: str) -> Network:
    """What a network of this architecture needs of a file.

    Raises:
        UnknownArchitecture: If timm has no such network.
    """
    config = timm_networks.pretrained_config(architecture)
    with torch.device("meta"):  # no memory for its weights
        state = timm.create_model(architecture).state_dict()
    shapes = {
        key: tensor.shape
        for key, tensor in state.items()
        if not key.endswith("num_batches_tracked")  # older files lack it; eval mode ignores it
    }
    return Network(architecture, shapes, timm_networks.beginnings(config.classifier))


def near_matches(
    content: object,
    seconds: float = MOST_SECONDS,
    progress: Callable[[float], None] = lambda share: None,
) -> Search:
    """Compare a file with timm's networks, those with short names first.

    Args:
        content: Whatever the file holds.
        seconds: After so many it ends with what it has.
        progress: Called with the share that is done; may raise to stop.
    """
    start = time.monotonic()
    matches: list[Match] = []
    mappings = tensor_mappings(content)
    waiting = list(_candidates(mappings))
    count = len(waiting)
    while waiting and (spent := time.monotonic() - start) <= seconds:
        # It ends when all are compared or time is up, whichever is nearer.
        progress(max(len(matches) / count, spent / seconds))
        matches.append(match(mappings, waiting.pop(0)))
        if matches[-1].fits:  # its variants are likely to fit as well, and should not be missed
            waiting.sort(key=partial(_is_no_variant, matches[-1].architecture))
    ranked = sorted(matches, key=lambda match: -match.likeness)  # stable: of equals short names
    best = tuple(match for match in ranked if match.hits)[:_SHOWN]
    return Search(best, len(matches), count)


def match(mappings: Mappings, architecture: str) -> Match:
    """How well one architecture fits what a file holds.

    Raises:
        UnknownArchitecture: If timm has no such network.
    """
    network = network_of(architecture)
    best = nearest(mappings, network)
    unused = [
        key
        for key in (best.keys if best else ())
        if not key.endswith("num_batches_tracked")
        and not AUXILIARY.search(key)
        and key not in network.shapes
    ]
    return Match(architecture, best.hits if best else 0, len(network.shapes), len(unused))


def _candidates(mappings: Mappings) -> Iterator[str]:
    """Architectures whose first and last layers have a name that the file has, under one prefix."""
    for architecture in sorted(timm.list_models(), key=lambda name: (len(name), name)):
        config = timm.get_pretrained_cfg(architecture)
        layers = [config.first_conv, config.classifier] if config else []
        ends = [f"{names[0]}weight" for names in map(timm_networks.beginnings, layers) if names]
        if len(ends) == 2 and any(_have(tensors, *ends) for _, tensors in mappings):
            yield architecture


def _is_no_variant(architecture: str, name: str) -> bool:
    """Whether a name lacks a part of the other; ``tf_efficientnet_b0`` has all of that without."""
    return not {*architecture.split("_")} <= {*name.split("_")}


def _have(keys: Collection[str], first: str, last: str) -> bool:
    prefixes = (key.removesuffix(last) for key in keys if key.endswith(last))
    return any(prefix + first in keys for prefix in prefixes)
