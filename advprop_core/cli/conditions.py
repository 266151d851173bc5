"""What ``advprop evaluate`` shows to branches, from the text of its options."""

from collections.abc import Iterable, Sequence
from typing import Annotated

from advprop_core.attacks.named import (
    AUTOATTACK,
    GRADIENT_ATTACKS,
    attack_grid,
    read_radii,
    read_radius,
)
from advprop_core.cli import values
from advprop_core.cli.fields import Name, Number, option_set
from advprop_core.cli.options import AttackOptions
from advprop_core.errors import InputError
from advprop_core.evaluation.conditions import Condition
from advprop_core.pictures.corruptions import CORRUPTIONS, SEVERITIES, CorruptionConfig
from advprop_core.pictures.probes import PROBES, ProbeConfig
from advprop_core.types import AttackConfig

_ATTACKS = (*GRADIENT_ATTACKS, AUTOATTACK)


@option_set
class ConditionOptions(AttackOptions):
    """Attacks, corruptions and probes; each ``read_`` raises InputError for what cannot be."""

    attack: Annotated[list[str] | None, "KIND"] = None  # type: ignore[assignment]
    """pgd (random start), i-fgsm (no random start), fgsm (one step of size epsilon) or autoattack
    (arXiv 2003.01690: four attacks, several hundred times as much work as pgd). For several, repeat
    the option or use commas. Clean images are always measured."""
    epsilon: Annotated[list[str] | None, "E"] = None  # type: ignore[assignment]
    """Radii of the attacks in pixel units on [0, 1], such as 2/255,4/255; one condition each. By
    default 4/255 for linf and 1 for l2."""
    restarts: Number | None = None
    """Random starts of pgd: an image counts as robust only if every start fails. By default 1."""
    attack_branch: Name | None = None
    """Branch whose gradient makes the perturbation; `each` takes every branch in turn and evaluates
    all branches on it. By default each branch is attacked through itself (white box)."""
    sanity: bool = False
    """Also measure noise of each radius and PGD with no limit on epsilon, and warn if they show a
    masked gradient. The other checks of gradients always run."""
    smallest_epsilon: Annotated[str | None, "LIMIT"] = None
    """Also search, image by image, for the smallest epsilon at which PGD fools each branch, up to
    LIMIT, such as 16/255. It takes about as long as ten attacks. It uses --norm and --steps."""
    corruptions: Annotated[list[str] | None, "NAMES"] = None
    """all (the 15 kinds of ImageNet-C), or names such as fog,snow. Its four extra kinds are
    speckle_noise, gaussian_blur, spatter and saturate. The command makes the corruptions at 224
    pixels and resizes them to the network's input. From imagenet-c:DIR and cifar10-c:DIR it reads
    the corrupted files instead, by default those of the 15 kinds."""
    severity: Annotated[list[str] | None, "S"] = None
    """Severities of corruptions, such as 1,3,5. By default all 5."""
    probe: Annotated[list[str] | None, "KINDS"] = None
    """Probes, each of which removes one cue from the images: all, or patch-shuffle (removes
    outlines), grey (colour), edges (everything except lines), low-pass (detail), high-pass (coarse
    structure). KIND=STRENGTH sets one strength, as in patch-shuffle=3,low-pass=6: the number of
    patches along each side for patch-shuffle, otherwise the cut-off in cycles per image. Probes are
    made at the network's own size."""

    def read_attacks(self) -> list[Condition]:
        """Every attack at every radius, and what ``sanity`` adds."""
        from advprop_core.evaluation.suite import attack_conditions

        named = values.split_list(self.attack)
        kinds = [values.read_choice(kind, _ATTACKS, "--attack") for kind in named]
        # Without an attack, the steps are those of the search for the smallest radius.
        steps = () if self.smallest_epsilon is not None else (self.step_size, self.steps)
        others = (self.epsilon, *steps, self.restarts, self.attack_branch, self.sanity or None)
        if not kinds:
            if any(value not in (None, []) for value in others):
                raise InputError(
                    "--epsilon, --step-size, --steps, --restarts, --attack-branch and --sanity "
                    "need an attack: name it too, such as --attack pgd"
                )
            return []
        norm = self.read_norm()
        radii = read_radii(self.epsilon or [values.DEFAULT_RADII[norm]], norm, "--epsilon")
        step = values.read_step_size(self.step_size)
        attacks = attack_grid(kinds, norm, radii, steps=self.steps, step_size=step, seed=self.seed)
        if self.restarts is not None and "pgd" not in kinds:
            raise InputError(
                "--restarts is for pgd, which starts at random: name it in --attack too"
            )
        return attack_conditions(
            attacks,
            self.attack_branch,
            restarts=1 if self.restarts is None else self.restarts,
            sanity=self.sanity,
            seed=self.seed,
        )

    def read_smallest(self) -> AttackConfig | None:
        """PGD at the largest radius that is tried, or None where no search is asked for."""
        if self.smallest_epsilon is None:
            return None
        norm = self.read_norm()
        limit = read_radius(self.smallest_epsilon, norm, "--smallest-epsilon")
        if limit <= 0:
            raise InputError("--smallest-epsilon must be above 0: it is the largest radius to try")
        return self.gradient_attack("pgd", norm, limit)

    def read_corruptions(self) -> list[Condition]:
        """Every corruption at every severity, to be made here."""
        names = values.split_list(self.corruptions)
        if self.severity and not names:
            raise InputError(
                "--severity needs corruptions: name them too, such as --corruptions all"
            )
        kinds = dict.fromkeys(_with_all(names, CORRUPTIONS))
        levels = self._severities() or SEVERITIES
        try:
            configs = [
                CorruptionConfig(kind, level, self.seed) for kind in kinds for level in levels
            ]
        except InputError as error:
            raise InputError(f"--corruptions takes all, or names. {error}") from None
        return [Condition(corruption=config) for config in configs]

    def read_stored(self, stored: Sequence[tuple[str, int]]) -> list[Condition]:
        """The corruptions to read from files that hold these kinds and severities.

        By default they are the article's 15 kinds that are there.
        """
        stored_kinds = list(dict.fromkeys(kind for kind, _ in stored))
        of_article = [kind for kind in stored_kinds if kind in CORRUPTIONS] or stored_kinds
        kinds = dict.fromkeys(_with_all(values.split_list(self.corruptions) or ["all"], of_article))
        stored_levels = sorted({level for _, level in stored})
        levels = self._severities() or stored_levels
        wanted = [(kind, level) for kind in kinds for level in levels]
        if absent := [f"{kind}/{level}" for kind, level in wanted if (kind, level) not in stored]:
            raise InputError(
                f"the files hold no {', '.join(absent[:5])}; they hold "
                f"{', '.join(stored_kinds)} at severities {', '.join(map(str, stored_levels))}"
            )
        return [Condition(corruption=CorruptionConfig(*pair), stored=True) for pair in wanted]

    def read_probes(self) -> list[Condition]:
        """Every probe: ``low-pass`` at its usual strengths, ``low-pass=6`` at one."""
        texts = _with_all(values.split_list(self.probe), PROBES)
        try:
            configs = [config for text in texts for config in _read_probe(text, self.seed)]
        except InputError as error:
            raise InputError(
                f"--probe takes all, or kinds such as grey,low-pass or low-pass=8. {error}"
            ) from None
        return [Condition(probe=config) for config in dict.fromkeys(configs)]

    def _severities(self) -> list[int]:
        levels = [*map(str, SEVERITIES)]
        texts = values.split_list(self.severity)
        return [int(values.read_choice(text, levels, "--severity")) for text in texts]


def _with_all(names: Sequence[str], everything: Iterable[str]) -> list[str]:
    return [each for name in names for each in (everything if name == "all" else (name,))]


def _read_probe(text: str, seed: int) -> list[ProbeConfig]:
    kind, equals, strength = text.partition("=")
    if not equals:
        return [ProbeConfig(kind, usual, seed) for usual in PROBES.get(kind, (None,))]
    try:
        number = float(strength)
    except ValueError:
        raise InputError(f"strength must be a number, got {text!r}.") from None
    return [ProbeConfig(kind, number, seed)]
