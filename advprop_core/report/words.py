"""Words that a report, its figures, the app and a CSV file have in common."""

import csv
import io
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, TypeVar

from advprop_core.language import _, english
from advprop_core.pictures.probes import describe_probe
from advprop_core.text import ball, percent, radius
from advprop_core.types import UNBOUNDED_RADII

Row = Mapping[str, Any]
"""One of ``results`` in ``results.json``, or of the like."""
Rows = Sequence[Row]
Content = Mapping[str, Any]
"""``results.json``, or one of the measures in it."""
Key = TypeVar("Key", bound=Hashable)

_CONDITION = ("kind", "attack", "norm", "epsilon", "step_size", "steps", "restarts",
              "attack_branch", "corruption", "severity", "source", "probe", "strength")  # fmt: skip
_MEASURES = ("top1", "top5", "loss", "expected_calibration_error", "confidence_when_wrong")
_ENDS = "_low", "_high"
CSV_HEADER = (
    "model", "branch", *_CONDITION, "n", "seed",
    *(f"{name}{end}" for name in _MEASURES for end in ("", *_ENDS)),
)  # fmt: skip


def grouped(rows: Iterable[Row], key: Callable[[Row], Key]) -> dict[Key, list[Row]]:
    """Rows by what they have in common, in the order in which each key first occurs."""
    groups: dict[Key, list[Row]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    return groups


def branch_of(row: Row) -> tuple[str, str]:
    """Model and branch."""
    return row["model"], row["branch"]


def of_kind(rows: Iterable[Row], *kinds: str) -> list[Row]:
    """The rows whose condition is of one of these kinds."""
    return [row for row in rows if row["condition"]["kind"] in kinds]


def _is_white_box(row: Row) -> bool:
    return bool(row["condition"]["attack_branch"] == row["branch"])


def describe(row: Row) -> str:
    """What a row's images went through: ``PGD-10, L∞ ε = 2/255``, ``fog, severity 3``."""
    condition = row["condition"]
    if condition["kind"] == "clean":
        return _("clean")
    if condition["kind"] == "corruption":
        return _(
            "{corruption}, severity {severity}",
            corruption=corruption(condition["corruption"]),
            severity=condition["severity"],
        )
    if condition["kind"] == "probe":
        return describe_probe(condition["probe"], condition["strength"])
    attack, source = describe_attack(row), condition["attack_branch"]
    if source == row["branch"]:
        return attack
    return _("{attack}, through {source}", attack=attack, source=source)


def corruption(kind: str) -> str:
    """``motion blur``."""
    return _(kind.replace("_", " "))


def columns(*rows: Row) -> dict[str, Any]:
    """What numbers of a figure are about, by the columns of its CSV: lists, or what all share.

    ``epsilon`` is in pixel units on [0, 1].
    """
    with english():
        conditions = [describe(row) if "condition" in row else "" for row in rows]
    named = {
        "network": [row["model"] for row in rows],
        "branch": [row["branch"] for row in rows],
        "condition": conditions,
        "epsilon": [row.get("condition", {}).get("epsilon", "") for row in rows],
        "n": [row.get("n", "") for row in rows],
    }
    return {name: values[0] if len({*values}) == 1 else values for name, values in named.items()}


def points(gain: float) -> str:
    """A difference of two shares in percentage points: ``+12``, ``0``, ``−3``."""
    return f"{round(100 * gain):+d}".replace("-", "−").replace("+0", "0")


def images_asked(content: Content) -> str:
    """``n = 1963 images``, or ``n = 12 to 20 images`` where models were asked about others."""
    counts = {row["n"] for row in content["results"]}
    fewest, most = min(counts), max(counts)
    if fewest == most:
        return _("n = {count} images", count=most)
    return _("n = {fewest} to {most} images", fewest=fewest, most=most)


def is_bounded(row: Row) -> bool:
    """Whether an attack's radius leaves something of the picture; else it is a check."""
    condition = row["condition"]
    return bool(condition["epsilon"] < UNBOUNDED_RADII[condition["norm"]])


def is_quoted(row: Row) -> bool:
    """An attack that a person would quote: no noise, and with a bound."""
    condition = row["condition"]
    return condition["kind"] == "attack" and condition["attack"] != "noise" and is_bounded(row)


def gradients_checked(content: Content) -> str | None:
    """That no sign of a masked gradient was seen, where it was looked for; None elsewhere."""
    white_box = [row for row in of_kind(content["results"], "attack") if _is_white_box(row)]
    noise = any(row["condition"]["attack"] == "noise" for row in white_box)
    # One long step, or noise, may well leave images right.
    walks = [
        row
        for row in white_box
        if row["condition"]["attack"] != "noise" and row["condition"]["steps"] > 1
    ]
    left = [row["top1"] for row in walks if not is_bounded(row)]
    if content.get("warnings") or not noise or not left:
        return None
    return _(
        "No sign of a masked gradient: noise fools no more images than attacks of the same "
        "radius, and with no limit on ε, at most {share} of images are still right.",
        share=percent(max(left)),
    )


def describe_attack(row: Row) -> str:
    """The attack alone, whoever's gradient it followed: ``PGD-10, L∞ ε = 2/255``."""
    condition = row["condition"]
    return f"{condition['attack']}, {ball(condition['norm'], condition['epsilon'])}"


def own_attacks(rows: Rows) -> list[Row]:
    """Without attacks through another branch, where the branch was attacked through itself too."""

    # By its words, for equal attacks of several files may differ in the last digit of a radius.
    def meeting(row: Row) -> tuple[str, ...]:
        return *branch_of(row), describe_attack(row)

    white_box = {meeting(row) for row in of_kind(rows, "attack") if _is_white_box(row)}
    return [
        row
        for row in rows
        if row["condition"]["kind"] != "attack"
        or _is_white_box(row)
        or meeting(row) not in white_box
    ]


def matrices(rows: Rows) -> list[list[Row]]:
    """Rows of one network under one attack each, where it went through other branches too."""
    attacked = of_kind(rows, "attack")
    by_attack = grouped(attacked, lambda row: (row["model"], describe_attack(row)))
    return [rows for rows in by_attack.values() if len(own_attacks(rows)) < len(rows)]


def transfers(rows: Rows) -> list[tuple[list[Row], list[Row]]]:
    """Clean rows of a network, and those under an attack through each branch at several radii."""
    attacked = [row for row in chain(*matrices(rows)) if is_bounded(row)]
    families = grouped(
        attacked, lambda row: (row["model"], row["condition"]["attack"], row["condition"]["norm"])
    )
    return [
        ([row for row in of_kind(rows, "clean") if row["model"] == model], family)
        for (model, *_attack), family in families.items()
        if len({row["condition"]["epsilon"] for row in family}) > 1
    ]


def smallest_radius(search: Row, value: float | None) -> str:
    """A smallest epsilon as people read it; what is None lies above the limit."""
    if value is None:
        return _("above {radius}", radius=radius(search["limit"], search["norm"]))
    return radius(value, search["norm"])


def as_csv(content: Content) -> str:
    """A line for each row, fractions as they are; empty where a column does not apply."""
    text = io.StringIO()
    writer = csv.DictWriter(text, CSV_HEADER, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for row in content["results"]:
        figures = by_measure(row)
        ends = {
            f"{name}{end}": value
            for name in _MEASURES
            # Results of earlier versions lack some intervals.
            for end, value in zip(_ENDS, figures.get(f"{name}_interval") or (), strict=False)
        }
        writer.writerow({**row["condition"], **figures, **ends, "seed": content["seed"]})
    return text.getvalue()


def by_measure(row: Row) -> Row:
    """A row's figures and those of its calibration, each beside ``NAME_interval``."""
    calibration = row["calibration"]
    return {
        **row,
        **calibration,
        "top1_interval": row["interval"],
        "expected_calibration_error_interval": calibration["interval"],
    }
