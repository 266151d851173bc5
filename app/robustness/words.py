"""Words of the Robustness page; loads no torch. Each takes rows of ``results.json``."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from advprop_core.report.words import (
    describe,
    images_asked,
    is_quoted,
    smallest_radius,
)
from advprop_core.text import NORM_TITLES, ends, join, percent, radius
from app.shell.messages import safe

if TYPE_CHECKING:
    from advprop_core.evaluation.conditions import Condition
    from advprop_core.evaluation.disagreement import Case, Opinion
    from app.robustness.measurement import RunRequest
    from app.robustness.work import Outcome

Row = Mapping[str, Any]


def plan(request: RunRequest, pictures: str) -> str:
    """What a run will measure."""
    parts = ["clean"]
    if request.kinds:
        names = dict.fromkeys(one.name for one in request.attacks)
        radii = [radius(epsilon, request.norm) for epsilon in request.radii]
        parts.append(f"under {join([*names])} at ε = {join(radii)} ({NORM_TITLES[request.norm]})")
        if request.restarts > 1:
            parts[-1] += f" with {request.restarts} restarts of PGD"
        if request.through_each:
            parts[-1] += " through each branch"
        if request.sanity:
            parts.append("under noise and without a bound, to check the gradients")
    if request.severities:
        levels = join([*map(str, request.severities)])
        parts.append(f"under 15 corruptions at severity {levels}")
    if request.probed:
        parts.append("under probes")
    if (search := request.search) is not None:
        limit = radius(search.epsilon, search.norm)
        parts.append(f"at the smallest ε up to {limit} that turns each ({search.name})")
    models = join([safe(name) for name in request.models])
    return f"{models} on up to {request.images} images ({pictures.lower()}): {join(parts)}."


def headline(rows: Sequence[Row], biased: Sequence[Row] = ()) -> list[str]:
    """Who keeps most under the widest attack, the others, and who is best on clean images.

    Args:
        rows: Of clean and attacked images.
        biased: Shape biases. Without an attack they are what such scenes are shown for.
    """
    attacked = [row for row in rows if is_quoted(row)]
    clean = [row for row in rows if row["condition"]["kind"] == "clean"]
    if not attacked and sum(one["shape_bias"] is not None for one in biased) > 1:
        return [_by_outline(biased)]
    if not attacked:
        return _ranked("On clean images", "gets", clean) if clean else []
    first = attacked[0]["condition"]
    family = [row for row in attacked if _family(row) == (first["attack"], first["norm"])]
    widest = max(row["condition"]["epsilon"] for row in family)
    hit = [row for row in family if row["condition"]["epsilon"] == widest]
    widest_radius = radius(widest, first["norm"])
    where = f"Under {first['attack']} at ε = {widest_radius} ({NORM_TITLES[first['norm']]})"
    told = _ranked(where, "keeps", hit)
    if clean:
        everyone = sorted(clean, key=lambda row: -row["top1"])
        shares = join([f"{who(row)} {percent(row['top1'])}" for row in everyone])
        told.append(f"On clean images: {shares}.")
    return told


def _by_outline(biased: Sequence[Row]) -> str:
    told = [one for one in biased if one["shape_bias"] is not None]
    order = sorted(told, key=lambda one: -one["shape_bias"])
    most, least = (f"{who(one)} ({percent(one['shape_bias'])})" for one in (order[0], order[-1]))
    goes = f"Where outline and texture disagree, {most} goes by the outline most often"
    return f"{goes}, {least} least."


def corrupted(errors: Sequence[Row], *, from_files: bool) -> str:
    """Mean corruption errors, the smallest first; of published files, or made by this project."""
    order = sorted(errors, key=lambda one: one["error"])
    told = [f"{who(one)} {percent(one['error'])} ({between(one['interval'])})" for one in order]
    levels = join([*map(str, order[0]["severities"])])
    kinds = len(order[0]["corruptions"])
    made = "of published files" if from_files else "generated here"
    return f"Mean corruption error over {kinds} kinds at severity {levels}, {made}: {join(told)}."


def articles_mce(results: Sequence[Row]) -> str:
    """The mean corruption error as articles give it, relative to AlexNet, the smallest first."""
    order = sorted(results, key=lambda one: one["mce"])
    told = [f"{who(one)} {percent(one['mce'])} ({between(one['interval'])})" for one in order]
    return f"The articles' mCE, of which AlexNet has 100 %: {join(told)}."


def smallest(results: Sequence[Row]) -> str:
    """Median smallest radii, the largest first; what never turned counts as more than the limit."""
    order = sorted(results, key=_median, reverse=True)
    told = []
    for one in order:
        ends = " to ".join(smallest_radius(one, end) for end in one["interval"])
        before = ", for half are wrong before" if one["median"] == 0 else ""
        told.append(f"{who(one)} {smallest_radius(one, one['median'])} ({ends}){before}")
    return f"The ε at which {results[0]['attack']} has turned half of the images: {join(told)}."


def harm(rows: Sequence[Row]) -> str:
    """What each branch of one network keeps under an attack, through whichever branch it went."""
    kept: dict[str, list[str]] = {}
    for row in rows:
        source = row["condition"]["attack_branch"]
        through = "itself" if source == row["branch"] else source
        kept.setdefault(row["branch"], []).append(f"{percent(row['top1'])} through {through}")
    return f"{join([f'**{name}** keeps {join(told)}' for name, told in kept.items()])}."


def biases(results: Sequence[Row]) -> str:
    """Shape biases, the largest first; branches that answered by neither are left out."""
    told = [one for one in results if one["shape_bias"] is not None]
    order = sorted(told, key=lambda one: -one["shape_bias"])
    if not order:
        return "No branch answered by shape or by texture."
    shares = [
        f"{who(one)} {percent(one['shape_bias'])} ({between(one['interval'])})" for one in order
    ]
    return f"Shape bias: {join(shares)}."


def calibrated(rows: Sequence[Row]) -> str:
    """Calibration errors under one condition, the smallest first."""
    order = sorted(rows, key=lambda row: row["calibration"]["expected_calibration_error"])
    told = [
        f"{who(row)} {percent(row['calibration']['expected_calibration_error'])} "
        f"({between(row['calibration']['interval'])})"
        for row in order
    ]
    return f"Calibration error, {describe_alone(rows[0])}: {join(told)}."


def gain(first: Sequence[Row], second: Sequence[Row]) -> str | None:
    """Where the second is right more often than the first, and where less; None if nowhere both."""
    shares = [{_place(row): row["top1"] for row in rows} for rows in (first, second)]
    gains = {at: shares[1][at] - share for at, share in shares[0].items() if at in shares[1]}
    if not gains:
        return None
    mean = 100 * sum(gains.values()) / len(gains)
    most, least = max(gains, key=gains.__getitem__), min(gains, key=gains.__getitem__)
    return (
        f"{who(second[0])} is right {abs(mean):.1f} points {'less' if mean < 0 else 'more'} often "
        f"than {who(first[0])} on average; the gain is largest at {_said(most)} "
        f"({points(gains[most])}), smallest at {_said(least)} ({points(gains[least])})."
    )


def points(gain: float) -> str:
    """A difference of two shares in percentage points: ``+12``, ``0``, ``−3``."""
    return f"{round(100 * gain):+d}".replace("-", "−").replace("+0", "0")


def told(rows: Sequence[Row]) -> str:
    """All figures of a chart, for who cannot see it."""
    return "; ".join(
        f"{row['model']}, {row['branch']}, {describe(row)}: {percent(row['top1'])}" for row in rows
    )


def source(content: Mapping[str, Any]) -> str:
    """Where figures come from, and what to know of it."""
    told = f"{images_asked(content)} of {safe(content['data'])}, seed {content['seed']}."
    notes = [safe(note[0].upper() + note[1:]) for note in content.get("notes", ())]
    return " ".join([told, *(f"{note}." for note in notes)])


def kept(outcome: Outcome) -> str:
    """What of a run was there before."""
    if outcome.found_before is None:
        return "Figures are not kept for later runs: the cache folder cannot be written."
    if not any(outcome.found_before):
        return "Figures are kept for later runs."
    whole, parts = outcome.found_before
    said = f"{whole} of {outcome.figures} figures were kept from earlier runs"
    return said + (f", and some images of {parts} more." if parts else ".")


def who(row: Row) -> str:
    """``**aux** of shapes-advprop``, and through whom it was attacked where that matters."""
    source = row.get("condition", {}).get("attack_branch") or row["branch"]
    through = "" if source == row["branch"] else f" (attacked through {source})"
    return f"**{row['branch']}** of {safe(row['model'])}{through}"


def between(interval: Sequence[float]) -> str:
    """``85 to 98 %``."""
    low, high = ends(interval)
    return f"{low} to {high} %"


def describe_alone(row: Row) -> str:
    """What images went through, without whose gradient did it."""
    condition = row["condition"]
    if condition["kind"] == "attack":
        return describe({**row, "condition": {**condition, "attack_branch": row["branch"]}})
    return describe(row)


def condition(asked: Condition) -> str:
    """What images went through."""
    return describe_alone({"branch": "main", "condition": asked.to_json()})


def gallery(asked: Condition, branches: Sequence[str], n: int) -> str:
    """What is to be known of the images that follow."""
    if len(branches) < 2:
        return f"Of {n} images, those first of which the wrong answer is surest."
    told = f"Of {n} images, the surest answers first. Images are shown clean."
    if asked.attack is not None:
        told += (
            " Each branch is attacked through itself, so branches see different perturbations. "
            "A branch survives an image that all get right clean, and that it alone gets right now."
        )
    elif asked.corruption is not None:
        told += " A branch survives an image that all get right clean, and it alone gets right now."
    return told


def case(one: Case, names: Sequence[str]) -> str:
    """An image's true class, and what each branch says of it."""
    said = "  \n".join(_opinion(opinion, names) for opinion in one.opinions)
    return f"{names[one.label]}  \n{said}"


def case_alt(one: Case, names: Sequence[str]) -> str:
    """The same for who cannot see it."""
    said = [f"{o.branch} says {names[o.class_index]} {percent(o.confidence)}" for o in one.opinions]
    return f"An image of {names[one.label]}: {join(said)}"


def _opinion(one: Opinion, names: Sequence[str]) -> str:
    mark = ":material/check:" if one.right else ":material/close:"
    sure = percent(one.confidence).replace(" ", "\u00a0")
    return f"{mark} **{one.branch}** {names[one.class_index]} {sure}"


def _median(one: Row) -> float:
    return math.inf if one["median"] is None else float(one["median"])


def _place(row: Row) -> tuple[str, int]:
    return row["condition"]["corruption"], row["condition"]["severity"]


def _said(place: tuple[str, int]) -> str:
    return f"{safe(place[0].replace('_', ' '))}, severity {place[1]}"


def _family(row: Row) -> tuple[str, str]:
    return row["condition"]["attack"], row["condition"]["norm"]


def _ranked(where: str, verb: str, rows: Sequence[Row]) -> list[str]:
    best, *others = sorted(rows, key=lambda row: -row["top1"])
    told = [
        f"{where}, {who(best)} {verb} {percent(best['top1'])} of {best['n']} images right "
        f"({between(best['interval'])})."
    ]
    if others:
        overlap = others[0]["interval"][1] > best["interval"][0]
        few = " The intervals of the best two overlap: take more images to tell them apart."
        said = join([f"{who(row)} {percent(row['top1'])}" for row in others])
        told.append(f"The others: {said}.{few if overlap else ''}")
    return told
