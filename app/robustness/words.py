"""Words of the Robustness page; loads no torch. Each takes rows of ``results.json``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import unescape
from typing import TYPE_CHECKING, Any

from advprop_core.report.sentences import who, with_emphasis
from advprop_core.report.words import Row, describe, images_asked, points
from advprop_core.text import NORM_TITLES, join, percent, radius
from app.shell.messages import safe

if TYPE_CHECKING:
    from advprop_core.evaluation.conditions import Condition
    from advprop_core.evaluation.disagreement import Case, Opinion
    from app.robustness.measurement import RunRequest
    from app.robustness.work import Outcome


HEAT = "Share of wrong answers by corruption (row) and severity (column)."
DIFFERENCE = (
    "Points of accuracy that the branch gains (green, +) or loses (violet, −) against the other, "
    "by corruption (row) and severity (column)."
)
CALIBRATION = (
    "The calibration error is the mean distance between confidence and accuracy; the smallest is "
    "on top. *Sure when wrong* is the mean confidence of wrong answers."
)


def plan(request: RunRequest, pictures: str) -> str:
    """What a run will measure."""
    parts = ["clean"]
    if request.kinds:
        names = dict.fromkeys(attack.name for attack in request.attacks)
        radii = [radius(epsilon, request.norm) for epsilon in request.radii]
        parts.append(f"under {join([*names])} at ε = {join(radii)} ({NORM_TITLES[request.norm]})")
        if request.restarts > 1:
            parts[-1] += f" with {request.restarts} restarts of PGD"
        if request.through_each:
            parts[-1] += " through each branch"
        if request.sanity:
            parts.append("under noise and with no limit on ε, to check the gradients")
    if request.severities:
        levels = join([*map(str, request.severities)])
        parts.append(f"under 15 corruptions at severity {levels}")
    if request.probed:
        parts.append("under probes")
    if (search := request.search) is not None:
        limit = radius(search.epsilon, search.norm)
        parts.append(f"for the smallest ε up to {limit} that fools each branch ({search.name})")
    models = join([safe(name) for name in request.models])
    return f"{models} on up to {request.images} images ({pictures.lower()}): {join(parts)}."


def emphasised(sentence: str) -> str:
    """A sentence of the report as Markdown; what files are called is none."""
    return with_emphasis(sentence, safe, "**", "**")


def corruption_gains(first: Sequence[Row], second: Sequence[Row]) -> dict[tuple[str, int], float]:
    """(corruption, severity) to how much more often the second is right, where both are known."""
    before, after = (
        {(c["corruption"], c["severity"]): row["top1"] for row in rows for c in [row["condition"]]}
        for rows in (first, second)
    )
    return {cell: after[cell] - share for cell, share in before.items() if cell in after}


def gain(gains: Mapping[tuple[str, int], float], first: str, second: str) -> str:
    """Where the second of two branches is right more often than the first, and where less."""
    mean = 100 * sum(gains.values()) / len(gains)
    most, least = (
        f"{kind.replace('_', ' ')}, severity {severity} ({points(gains[kind, severity])})"
        for kind, severity in (max(gains, key=gains.__getitem__), min(gains, key=gains.__getitem__))
    )
    return (
        f"{second} is right {abs(mean):.1f} points {'less' if mean < 0 else 'more'} often than "
        f"{first} on average; the difference is largest at {most}, smallest at {least}."
    )


def errors(rows: Sequence[Row]) -> str:
    """How often one branch is wrong on corrupted images, and where most."""
    worst = min(rows, key=lambda row: float(row["top1"]))
    mean = sum(1 - row["top1"] for row in rows) / len(rows)
    return (
        f"{who(worst)} is wrong on {percent(mean)} of corrupted images, most often at "
        f"{describe(worst)} ({percent(1 - worst['top1'])})."
    )


def standings(attack: str) -> str:
    """How to read the figure of all branches."""
    under = f"; dots: under {attack}, through the branch itself" if attack else ""
    return f"Rings: clean images{under}; thin lines: 95 % intervals."


def plot_title(spec: Mapping[str, Any]) -> str:
    """A figure's own title, on one line."""
    return unescape(str(spec["layout"]["title"]["text"]).replace("<br>", ": ", 1))


def measured(content: Mapping[str, Any]) -> str:
    """Which networks the figures are of, and on what they were measured."""
    models = dict.fromkeys(row["model"] for row in content["results"])
    return f"Measured: {join([safe(name) for name in models])} on {safe(content['data'])}."


def source(content: Mapping[str, Any]) -> str:
    """Where figures come from, and what to know of it."""
    images = f"{images_asked(content)} of {safe(content['data'])}, seed {content['seed']}."
    notes = [safe(note[0].upper() + note[1:]) for note in content.get("notes", ())]
    return " ".join([images, *(f"{note}." for note in notes)])


def reused(outcome: Outcome) -> str:
    """What of a run earlier runs had measured."""
    if outcome.found_before is None:
        return "Figures cannot be saved for later runs: the cache folder cannot be written."
    if not any(outcome.found_before):
        return "Figures are saved for later runs."
    complete, partial = outcome.found_before
    more = f", and some images of {partial} more" if partial else ""
    return f"{complete} of {outcome.figures} figures come from earlier runs{more}."


def condition(images_went_through: Condition) -> str:
    """What images went through."""
    described = images_went_through.to_json()
    if described["kind"] == "attack":
        described["attack_branch"] = "main"  # whose gradient it was is not said
    return describe({"branch": "main", "condition": described})


def gallery(condition_shown: Condition, branches: Sequence[str], n: int) -> str:
    """How the images that follow were chosen."""
    if len(branches) < 2:
        return f"Of {n} images, those with the most confident wrong answer first."
    caption = f"Of {n} images, those with the most confident answers first. Images are shown clean."
    if condition_shown.attack is not None:
        caption += " Each branch is attacked through itself, so perturbations differ."
    if condition_shown.kind != "clean":
        caption += (
            " *Only … survives*: images every branch gets right when clean, and only this one "
            "still gets right."
        )
    return caption


def case(case: Case, names: Sequence[str]) -> str:
    """An image's true class, and what each branch says of it."""
    opinions = "  \n".join(_opinion(opinion, names) for opinion in case.opinions)
    return f"{names[case.label]}  \n{opinions}"


def case_alt(case: Case, names: Sequence[str]) -> str:
    """The same for who cannot see it."""
    opinions = [
        f"{o.branch} says {names[o.class_index]} {percent(o.confidence)}" for o in case.opinions
    ]
    return f"An image of {names[case.label]}: {join(opinions)}"


def _opinion(opinion: Opinion, names: Sequence[str]) -> str:
    mark = ":material/check:" if opinion.right else ":material/close:"
    sure = percent(opinion.confidence).replace(" ", "\u00a0")
    return f"{mark} **{opinion.branch}** {names[opinion.class_index]} {sure}"
