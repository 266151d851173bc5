"""What a run takes: passes of an image through a network; loads no torch."""

from collections.abc import Mapping

from advprop_core.attacks.named import AUTOATTACK
from advprop_core.types import AttackConfig, ModelInfo
from app.language.text import _
from app.robustness.measurement import RunRequest

_SEARCHES = 10  # attacks that a search for the smallest radius takes, about
_CHECK_STEPS = 20  # of PGD without a limit, see evaluation/masking.py


def passes(request: RunRequest, infos: Mapping[str, ModelInfo]) -> dict[str, int]:
    """Network to at most about so many, forwards or backwards; AutoAttack's cannot be foretold.

    It may be fewer: restarts leave out images that are fooled, and what earlier runs measured is
    not measured again.
    """
    counts = {name: len(infos[name].branches) for name in request.models}
    return {
        name: request.images * count * _for_each_branch(request, count)
        for name, count in counts.items()
    }


def besides(request: RunRequest) -> str:
    """A phrase around what passes cost, for what they do not tell."""
    if AUTOATTACK not in request.kinds:
        return _("{sentence}.")
    return _(
        "{sentence}, and those of AutoAttack: some seconds for each image that it does not fool."
    )


def _for_each_branch(request: RunRequest, branches: int) -> int:
    """Passes of one image through one of the branches of a network."""
    attacks = [config for config in request.attacks if isinstance(config, AttackConfig)]
    count = 1 + len(request.corruptions) + len(request.probes)
    count += sum(_of_attack(config, request.restarts) for config in attacks)
    if request.through_each:  # what was made through one branch is shown to the others too
        count += len(attacks) * (branches - 1)
    if request.search is not None:
        count += _SEARCHES * _of_attack(request.search)
    if request.sanity:
        count += len(request.radii) + 2 * _CHECK_STEPS + 1
    return count


def _of_attack(config: AttackConfig, restarts: int = 1) -> int:
    """Each step goes forwards and backwards; the answer takes one pass more."""
    starts = restarts if config.random_start else 1
    return starts * (2 * config.steps + 1)
