"""A bundle's comparison, made again: the same numbers, or what differs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from advprop_core.compare.bundles.network import Source
from advprop_core.compare.bundles.numbers import TOLERANCES, Kind, pairs
from advprop_core.compare.bundles.read import Bundle
from advprop_core.compare.bundles.write import machine
from advprop_core.errors import AdvPropError
from advprop_core.files import versions
from advprop_core.pictures.decoding import decode, to_pixels
from advprop_core.text import legible

_SHORT = 12  # letters of a digest


@dataclass(frozen=True)
class Replay:
    """What came of making it again.

    Attributes:
        differences: What is not as it was, a sentence each; none where the numbers are the same.
        causes: What may explain a difference and is none by itself: versions, machine, file.
        gaps: The largest difference of each kind of number, see
            :data:`~advprop_core.compare.bundles.numbers.TOLERANCES`; none where it could not be
            made.
    """

    differences: tuple[str, ...]
    causes: tuple[str, ...]
    gaps: Mapping[Kind, float]

    @property
    def is_same(self) -> bool:
        """Whether the numbers are the same, bit for bit or within rounding."""
        return not self.differences

    @property
    def is_exact(self) -> bool:
        """Whether they are, bit for bit."""
        return self.is_same and not any(self.gaps.values())


def replay(
    bundle: Bundle, source: Source, progress: Callable[[float], None] | None = None
) -> Replay:
    """Make a bundle's comparison again from its own picture, and compare.

    ``progress`` is called with the share that is done.

    Raises:
        ImageError: If the bundle's picture cannot be read.
        InputError: If the network is the bundle's own and cannot do what the manifest says.
    """
    network = source.to_json()
    differences = [f"{name} was changed since it was saved" for name in bundle.changed]
    differences += (other := _other_network(bundle.network, network))
    causes = tuple(_causes(bundle, network))
    pixels = to_pixels(decode(bundle.picture), source.info.input_size)
    try:
        comparison = bundle.experiment.run(source.model, pixels, progress)
    except AdvPropError as error:
        if not other:
            raise
        differences.append(f"this network cannot be asked the same: {error}")
        return Replay(tuple(differences), causes, {})
    compared = list(pairs(bundle.arrays, bundle.maps, comparison))
    differences += [pair.difference for pair in compared if pair.difference]
    before, after = bundle.manifest.get("maps_refused"), comparison.maps_refused
    if bool(before) != bool(after):
        differences.append(f"maps refused: {'yes' if before else 'no'} saved, {after or 'no'} now")
    gaps = dict.fromkeys(TOLERANCES, 0.0)
    for pair in compared:
        gaps[pair.kind] = max(gaps[pair.kind], pair.gap)
    return Replay(tuple(differences), causes, gaps)


def _other_network(saved: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    if saved.get("weights_sha256") == now["weights_sha256"]:
        return []
    before, after = (str(network.get("weights_sha256"))[:_SHORT] for network in (saved, now))
    return [f"the network is another one: sha256 of its weights {before}… saved, {after}… now"]


def _causes(bundle: Bundle, network: Mapping[str, Any]) -> list[str]:
    """What is not as it was when the bundle was saved, and may change numbers."""
    sentences = []
    for saved, now in (
        (bundle.manifest["versions"], versions()),
        (bundle.manifest["machine"], machine()),
    ):
        sentences += [
            f"{name}: {legible(str(saved.get(name)))[:60]} saved, {value} now"
            for name, value in now.items()
            if saved.get(name) != value
        ]
    is_other_file = bundle.network.get("file_sha256") != network["file_sha256"]
    if is_other_file and not _other_network(bundle.network, network):
        sentences.append("the network's file is another one, with the same weights")
    return sentences
