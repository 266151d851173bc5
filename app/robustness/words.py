"""Words of the Robustness page; loads no torch. Each takes rows of ``results.json``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from advprop_core import text
from advprop_core.attacks.named import AUTOATTACK
from advprop_core.evaluation.conditions import Condition
from advprop_core.report.sentences import who
from advprop_core.report.words import Row, corruption, describe, images_asked, points
from advprop_core.text import NORM_TITLES, percent, radius
from app.language.text import N_, _, join, paragraph
from app.robustness.measurement import RunRequest
from app.shell.messages import safe, unbroken

if TYPE_CHECKING:
    from advprop_core.evaluation.disagreement import Case
    from app.robustness.work import Outcome


HEAT = N_("Share of wrong answers by corruption (row) and severity (column).")
DIFFERENCE = N_(
    "Points of accuracy that the branch gains (green, +) or loses (violet, −) against the other, "
    "by corruption (row) and severity (column)."
)
CALIBRATION = N_(
    "The calibration error is the mean distance between confidence and accuracy. The smallest is "
    "at the top. *Sure when wrong* is the mean confidence of wrong answers."
)


def plan(request: RunRequest, pictures: str) -> str:
    """What a run will measure."""
    parts = [_("clean"), *_attacks(request)]
    if request.severities:
        levels = join([*map(str, request.severities)])
        parts.append(_("under 15 corruptions at severity {levels}", levels=levels))
    if request.probed:
        parts.append(_("under probes"))
    if (search := request.search) is not None:
        smallest = _("for the smallest ε up to {limit} that fools each branch ({attack})")
        limit = radius(search.epsilon, search.norm)
        parts.append(smallest.format(limit=limit, attack=search.name))
    return _(
        "{models} on up to {count} images ({pictures}): {parts}.",
        models=join([safe(name) for name in request.models]),
        count=request.images,
        pictures=pictures.lower(),
        parts=join(parts),
    )


def _attacks(request: RunRequest) -> list[str]:
    """What a run will attack with, and how its gradients are checked."""
    if not request.kinds:
        return []
    names = dict.fromkeys(attack.name for attack in request.attacks)
    attacked = _(
        "under {attacks} at ε = {radii} ({norm})",
        attacks=join([*names]),
        radii=join([radius(epsilon, request.norm) for epsilon in request.radii]),
        norm=NORM_TITLES[request.norm],
    )
    if request.restarts > 1:
        restarted = _("{attacks} with {count} restarts of PGD")
        attacked = restarted.format(attacks=attacked, count=request.restarts)
    if request.through_each:
        attacked = _("{attacks} through each branch", attacks=attacked)
    if not request.sanity:
        return [attacked]
    return [attacked, _("under noise and with no limit on ε, to check the gradients")]


def besides(request: RunRequest) -> str:
    """A phrase around what passes cost, for what they do not tell."""
    if AUTOATTACK not in request.kinds:
        return _("{sentence}.")
    return _(
        "{sentence}, and those of AutoAttack: some seconds for each image that it does not fool."
    )


def corruption_gains(first: Sequence[Row], second: Sequence[Row]) -> dict[tuple[str, int], float]:
    """(corruption, severity) to how much more often the second is right, where both are known."""
    before, after = (
        {
            (row["condition"]["corruption"], row["condition"]["severity"]): row["top1"]
            for row in rows
        }
        for rows in (first, second)
    )
    return {cell: after[cell] - share for cell, share in before.items() if cell in after}


def gain(gains: Mapping[tuple[str, int], float], first: str, second: str) -> str:
    """Where the second of two branches is right more often than the first, and where less."""
    most, least = (
        _(
            "{corruption}, severity {severity} ({points})",
            corruption=corruption(kind),
            severity=severity,
            points=points(gains[kind, severity]),
        )
        for kind, severity in (max(gains, key=gains.__getitem__), min(gains, key=gains.__getitem__))
    )
    return _(
        "{second} against {first}: {mean} points on average, from {least} to {most}.",
        second=second,
        first=first,
        mean=text.points(sum(gains.values()) / len(gains)),
        least=least,
        most=most,
    )


def errors(rows: Sequence[Row]) -> str:
    """How often one branch is wrong on corrupted images, and where most."""
    worst = min(rows, key=lambda row: float(row["top1"]))
    mean = sum(1 - row["top1"] for row in rows) / len(rows)
    return _(
        "{who} is wrong on {mean} of corrupted images, most often at {condition} ({share}).",
        who=who(worst),
        mean=percent(mean),
        condition=describe(worst),
        share=percent(1 - worst["top1"]),
    )


def standings(attack: str) -> str:
    """How to read the figure of all branches."""
    if not attack:
        return _("Rings: clean images; thin lines: 95 % intervals.")
    return _(
        "Rings: clean images; dots: under {attack}, through the branch itself; thin lines: 95 % "
        "intervals.",
        attack=attack,
    )


def measured(content: Mapping[str, Any]) -> str:
    """Which networks the figures are of, and on what they were measured."""
    models = dict.fromkeys(row["model"] for row in content["results"])
    return _(
        "Measured: {models} on {data}.",
        models=join([safe(name) for name in models]),
        data=safe(content["data"]),
    )


def source(content: Mapping[str, Any]) -> str:
    """Where figures come from, and what to know of it."""
    images = _(
        "{images} of {data}, seed {seed}.",
        images=images_asked(content),
        data=safe(content["data"]),
        seed=content["seed"],
    )
    notes = [safe(note[0].upper() + note[1:]) for note in content.get("notes", ())]
    return paragraph([images, *(f"{note}." for note in notes)])


def reused(outcome: Outcome) -> str:
    """What of a run earlier runs had measured."""
    if outcome.found_before is None:
        return _("Figures cannot be saved for later runs: the cache folder cannot be written.")
    if not any(outcome.found_before):
        return _("Figures are saved for later runs.")
    complete, partial = outcome.found_before
    sentence = _("{complete} of {count} figures come from earlier runs.")
    if partial:
        sentence = _(
            "{complete} of {count} figures come from earlier runs, and some images of {partial} "
            "more."
        )
    return sentence.format(complete=complete, count=outcome.figures, partial=partial)


def condition(images_went_through: Condition) -> str:
    """What images went through."""
    described = images_went_through.to_json()
    if described["kind"] == "attack":
        described["attack_branch"] = "main"  # whose gradient it was is not said
    return describe({"branch": "main", "condition": described})


def gallery(condition_shown: Condition, branches: Sequence[str], n: int) -> str:
    """How the images that follow were chosen."""
    if len(branches) < 2:
        return _("Of {n} images, those with the most confident wrong answer first.", n=n)
    first = _("Of {n} images, those with the most confident answers first. Images are shown clean.")
    sentences = [first.format(n=n)]
    if condition_shown.attack is not None:
        sentences.append(
            _("Each branch is attacked through itself, so each branch sees another perturbation.")
        )
    if condition_shown.kind != "clean":
        sentences.append(
            _(
                "*Only … survives*: every branch is right on the clean image, but only this "
                "branch is still right on the changed one."
            )
        )
    return paragraph(sentences)


def case(case: Case, names: Sequence[str]) -> str:
    """An image's true class, and what each branch says of it."""
    lines = [names[case.label]]
    for opinion in case.opinions:
        mark = ":material/check:" if opinion.right else ":material/close:"
        sure = unbroken(percent(opinion.confidence))
        lines.append(f"{mark} **{opinion.branch}** {names[opinion.class_index]} {sure}")
    return "  \n".join(lines)


def case_alt(case: Case, names: Sequence[str]) -> str:
    """The same for who cannot see it."""
    opinions = [
        _(
            "{branch} says {name} {share}",
            branch=opinion.branch,
            name=names[opinion.class_index],
            share=percent(opinion.confidence),
        )
        for opinion in case.opinions
    ]
    return _("An image of {name}: {opinions}", name=names[case.label], opinions=join(opinions))
