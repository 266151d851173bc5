"""What an evaluation found, in sentences; each takes rows of ``results.json``.

A branch's name stands between ``**``; :func:`with_emphasis` makes markup of it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from advprop_core.evaluation.paired import pair
from advprop_core.report.words import (
    Row,
    describe,
    grouped,
    is_quoted,
    of_kind,
    own_attacks,
    smallest_radius,
)
from advprop_core.text import NORM_TITLES, ends, join, percent, radius

_RARE = 0.05  # a p below it counts as more than chance
_AUTOATTACK = "AutoAttack"
DIFFERENT_IMAGES = "The models were tested on different images, so they are not ranked."


def with_emphasis(sentence: str, escape: Callable[[str], str], before: str, after: str) -> str:
    """A sentence fit for a page, with marks before and after the names of branches.

    All else is escaped, since a sentence may hold the names of files.
    """
    parts = re.split(r"\*\*(main|aux\d*)\*\*", sentence)
    texts = [escape(part) for part in parts]
    texts[1::2] = [f"{before}{branch}{after}" for branch in parts[1::2]]
    return "".join(texts)


def headline(content: Mapping[str, Any]) -> list[str]:
    """Who is best under the strongest attack, the others, and who is best on clean images."""
    rows = own_attacks(of_kind(content["results"], "clean", "attack"))
    if len({row["n"] for row in rows}) > 1:
        return [DIFFERENT_IMAGES]
    clean, hit = of_kind(rows, "clean"), hardest(content)
    biased = content.get("shape_bias", {}).get("results", ())
    if not hit and sum(bias["shape_bias"] is not None for bias in biased) > 1:
        return [_by_outline(biased)]
    if not hit:
        return _ranked("On clean images", "gets", clean) if clean else []
    sentences = _ranked(f"Under {_attack_of(hit[0], rows)}", "keeps", hit)
    if clean:
        shares = [f"{who(row)} {percent(row['top1'])}" for row in _best_first(clean)]
        sentences.append(f"On clean images: {join(shares)}.")
    return sentences


def hardest(content: Mapping[str, Any]) -> list[Row]:
    """Rows under the strongest attack, white box: the one under which branches keep least.

    Attacks of the first norm are compared at the largest radius that all of them have; where there
    is none, AutoAttack counts as stronger than others. None without an attack.
    """
    attacked = own_attacks([row for row in content["results"] if is_quoted(row)])
    alike = [row for row in attacked if _family(row)[1] == _family(attacked[0])[1]]
    families = [*grouped(alike, _family).values()]
    radii = [{_epsilon(row) for row in rows} for rows in families]
    shared = set.intersection(*radii) if radii else set()

    def widest(rows: Sequence[Row]) -> list[Row]:
        limit = max(shared or {_epsilon(row) for row in rows})
        return [row for row in rows if _epsilon(row) == limit]

    def rank(rows: Sequence[Row]) -> tuple[bool, float]:
        is_weaker = not shared and not _family(rows[0])[0].startswith(_AUTOATTACK)
        return is_weaker, sum(row["top1"] for row in rows) / len(rows)

    return min(map(widest, families), key=rank, default=[])


def verdict(rows: Sequence[Row]) -> str:
    """Whether the best two differ by more than chance; empty where there are no two.

    Both were asked about the same images, so what counts is on how many of these one alone is
    right. All pairs of branches count as compared, since the best two are chosen by the figures.
    """
    best, *runners_up = _best_first(rows)
    if not runners_up:
        return ""
    second = runners_up[0]
    counts = pair(best, second)
    if counts is None:
        return _without_pairs(best, second)
    pairs = math.comb(len(rows), 2)
    p = min(1.0, pairs * counts.p)
    explained = "more than chance explains" if p < _RARE else "chance alone may explain that"
    corrected = f", corrected for {pairs} pairs of branches" if pairs > 1 else ""
    return (
        f"Of the same {counts.n} images, {who(best)} alone gets {counts.only_first} right and "
        f"{who(second)} alone {counts.only_second}: {explained} "
        f"(McNemar's test, {_p(p)}{corrected})."
    )


def _without_pairs(best: Row, second: Row) -> str:
    """What can be said where it is not known which images each got right."""
    if second["interval"][1] <= best["interval"][0]:
        return ""
    return (
        "The intervals of the best two overlap, which does not say whether they differ: a test of "
        "that needs the answers to each image, and these results do not hold them."
    )


def _p(value: float) -> str:
    """``p = 0.03``; below a thousandth, that it is."""
    return "p < 0.001" if value < 0.001 else f"p = {value:.2g}"


def corruption_errors(measure: Mapping[str, Any], *, from_files: bool) -> str:
    """Mean corruption errors, the smallest first; of published files, or made by this project."""
    first = measure["results"][0]
    levels = join([*map(str, first["severities"])])
    kinds = len(first["corruptions"])
    made = "of published files" if from_files else "generated here"
    return (
        f"Mean corruption error over {kinds} kinds at severity {levels}, {made}: "
        f"{_listed(measure['results'], 'error')}."
    )


def articles_mce(measure: Mapping[str, Any]) -> str:
    """The mean corruption error as articles give it, relative to AlexNet, the smallest first."""
    listed = _listed(measure["results"], "mce")
    return f"The mCE of articles, where AlexNet has 100 %: {listed}."


def smallest_radii(measure: Mapping[str, Any]) -> str:
    """Median smallest radii, the largest first; what is never fooled counts as above the limit."""
    order = sorted(measure["results"], key=_median, reverse=True)
    medians = []
    for search in order:
        interval = " to ".join(smallest_radius(search, end) for end in search["interval"])
        wrong = ", because half are wrong when clean" if search["median"] == 0 else ""
        medians.append(
            f"{who(search)} {smallest_radius(search, search['median'])} ({interval}){wrong}"
        )
    return f"Median ε at which {order[0]['attack']} fools the branch: {join(medians)}."


def transfers(rows: Sequence[Row]) -> str:
    """The accuracy of each branch of one network under an attack through each of its branches."""
    by_branch: dict[str, list[str]] = {}
    for row in rows:
        source = row["condition"]["attack_branch"]
        through = "itself" if source == row["branch"] else source
        by_branch.setdefault(row["branch"], []).append(f"{percent(row['top1'])} through {through}")
    return f"{join([f'**{name}** keeps {join(parts)}' for name, parts in by_branch.items()])}."


def shape_biases(measure: Mapping[str, Any]) -> str:
    """Shape biases, the largest first; branches that answered by neither are left out."""
    defined = [bias for bias in measure["results"] if bias["shape_bias"] is not None]
    if not defined:
        return "No branch answered by shape or by texture."
    return f"Shape bias: {_listed(defined, 'shape_bias', largest_first=True)}."


def calibrations(rows: Sequence[Row]) -> str:
    """Calibration errors under one condition, the smallest first."""
    errors = [row | row["calibration"] for row in rows]
    listed = _listed(errors, "expected_calibration_error")
    return f"Calibration error, {describe(rows[0])}: {listed}."


def accuracies(rows: Sequence[Row]) -> str:
    """All figures of a chart, for who cannot see it."""
    return "; ".join(
        f"{row['model']}, {row['branch']}, {describe(row)}: {percent(row['top1'])}" for row in rows
    )


def who(row: Row) -> str:
    """``**aux** of shapes-advprop``, and through whom it was attacked where that matters."""
    source = row.get("condition", {}).get("attack_branch") or row["branch"]
    through = "" if source == row["branch"] else f" (attacked through {source})"
    return f"**{row['branch']}** of {row['model']}{through}"


def between(interval: Sequence[float]) -> str:
    """``85 to 98 %``."""
    low, high = ends(interval)
    return f"{low} to {high} %"


def _listed(results: Sequence[Row], name: str, *, largest_first: bool = False) -> str:
    order = sorted(results, key=lambda result: float(result[name]), reverse=largest_first)
    return join([f"{who(one)} {percent(one[name])} ({between(one['interval'])})" for one in order])


def _by_outline(biases: Sequence[Row]) -> str:
    defined = [bias for bias in biases if bias["shape_bias"] is not None]
    order = sorted(defined, key=lambda bias: -bias["shape_bias"])
    most, least = (f"{who(bias)} ({percent(bias['shape_bias'])})" for bias in (order[0], order[-1]))
    return (
        f"Where outline and texture disagree, {most} decides by the outline most often, "
        f"{least} least often."
    )


def _ranked(where: str, verb: str, rows: Sequence[Row]) -> list[str]:
    best, *runners_up = _best_first(rows)
    sentences = [
        f"{where}, {who(best)} {verb} {percent(best['top1'])} of {best['n']} images right "
        f"({between(best['interval'])})."
    ]
    if runners_up:
        shares = join([f"{who(row)} {percent(row['top1'])}" for row in runners_up])
        sentences.append(f"The others: {shares}. {verdict(rows)}".rstrip())
    return sentences


def _best_first(rows: Sequence[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: -row["top1"])


def _attack_of(hit: Row, rows: Sequence[Row]) -> str:
    """``PGD-10 at ε = 2/255 (L∞)``, and of how many attacks it is the strongest."""
    attack, norm = _family(hit)
    count = len({_family(row) for row in rows if is_quoted(row)})
    among = f", the strongest of {count} attacks," if count > 1 else ""
    return f"{attack}{among} at ε = {radius(_epsilon(hit), norm)} ({NORM_TITLES[norm]})"


def _epsilon(row: Row) -> float:
    return float(row["condition"]["epsilon"])


def _family(row: Row) -> tuple[str, str]:
    return row["condition"]["attack"], row["condition"]["norm"]


def _median(search: Row) -> float:
    return math.inf if search["median"] is None else float(search["median"])
