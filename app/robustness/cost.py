"""What a run takes, told before it begins: passes of an image through a network; loads no torch."""

from collections.abc import Mapping
from types import MappingProxyType

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


def in_words(
    request: RunRequest,
    infos: Mapping[str, ModelInfo],
    speeds: Mapping[str, float] = MappingProxyType({}),
) -> str:
    """What a run costs, as far as that can be told before it.

    ``speeds`` is network to the seconds of a pass, or empty where it is not known.
    """
    counts = passes(request, infos)
    total = sum(counts.values())
    rounded = int(round(total, 2 - len(str(total))))  # more than two digits would be untrue
    shown = f"{rounded:,}".replace(",", "\u202f")
    cost = _("At most about {count} passes of an image through a network")
    if speeds:
        cost = _(
            "At most about {count} passes of an image through a network, {time} on this machine"
        )
    seconds = sum(count * speeds[name] for name, count in counts.items()) if speeds else 0
    cost = cost.format(count=shown, time=_duration(seconds))
    sentence = _("{sentence}.")
    if AUTOATTACK in request.kinds:
        sentence = _(
            "{sentence}, and those of AutoAttack: some seconds for each image that it does not "
            "fool."
        )
    return sentence.format(sentence=cost)


def _duration(seconds: float) -> str:
    """``about 3 minutes``; what is short is said to be so."""
    if seconds < 10:
        return _("a few seconds")
    if seconds < 90:
        return _("about {count} seconds").format(count=10 * round(seconds / 10))
    if seconds < 90 * 60:
        return _("about {count} minutes").format(count=round(seconds / 60))
    return _("about {count} hours").format(count=round(seconds / 3600))


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
