"""What an evaluation found, in sentences; each takes rows of ``results.json``.

A branch's name stands between ``**``; :func:`with_emphasis` makes markup of it.
"""

import math
import re
from collections.abc import Callable, Sequence

from advprop_core.evaluation.paired import pair
from advprop_core.language import N_, _, join, paragraph
from advprop_core.report.words import (
    Content,
    Row,
    Rows,
    describe,
    grouped,
    is_quoted,
    of_kind,
    own_attacks,
    smallest_radius,
)
from advprop_core.text import NORM_TITLES, ends, percent, radius

_RARE = 0.05  # a p below it counts as more than chance
_AUTOATTACK = "AutoAttack"
DIFFERENT_IMAGES = N_("The models were tested on different images, so they are not ranked.")


def with_emphasis(sentence: str, escape: Callable[[str], str], before: str, after: str) -> str:
    """A sentence fit for a page, with marks before and after the names of branches.

    All else is escaped, since a sentence may hold the names of files.
    """
    parts = re.split(r"\*\*(main|aux\d*)\*\*", sentence)
    texts = [escape(part) for part in parts]
    texts[1::2] = [f"{before}{branch}{after}" for branch in parts[1::2]]
    return "".join(texts)


def headline(content: Content) -> list[str]:
    """Who is best under the strongest attack, the others, and who is best on clean images."""
    rows = own_attacks(of_kind(content["results"], "clean", "attack"))
    if len({row["n"] for row in rows}) > 1:
        return [_(DIFFERENT_IMAGES)]
    clean, hit = of_kind(rows, "clean"), hardest(content)
    biased = content.get("shape_bias", {}).get("results", ())
    if not hit and sum(bias["shape_bias"] is not None for bias in biased) > 1:
        return [_by_outline(biased)]
    if not hit:
        on_clean = _("On clean images, {who} gets {share} of {n} images right ({interval}).")
        return _ranked(on_clean, clean) if clean else []
    attacked = _("Under {attack}, {who} gets {share} of {n} images right ({interval}).")
    sentences = _ranked(attacked, hit, attack=_attack_of(hit[0], rows))
    if clean:
        sentences.append(_("On clean images: {shares}.", shares=_shares(_best_first(clean))))
    return sentences


def hardest(content: Content) -> list[Row]:
    """Rows under the strongest attack, white box: the one under which branches keep least.

    Attacks of the first norm are compared at the largest radius that all of them have; where there
    is none, AutoAttack counts as stronger than others. None without an attack.
    """
    attacked = own_attacks([row for row in content["results"] if is_quoted(row)])
    alike = [row for row in attacked if _family(row)[1] == _family(attacked[0])[1]]
    families = [*grouped(alike, _family).values()]
    radii = [{_epsilon(row) for row in rows} for rows in families]
    shared = set.intersection(*radii) if radii else set()

    def widest(rows: Rows) -> list[Row]:
        limit = max(shared or {_epsilon(row) for row in rows})
        return [row for row in rows if _epsilon(row) == limit]

    def rank(rows: Rows) -> tuple[bool, float]:
        is_weaker = not shared and not _family(rows[0])[0].startswith(_AUTOATTACK)
        return is_weaker, sum(row["top1"] for row in rows) / len(rows)

    return min(map(widest, families), key=rank, default=[])


def verdict(rows: Rows) -> str:
    """Whether the best two differ by more than chance; empty where there are no two.

    Both were asked about the same images, so what counts is on how many of these one alone is
    right. All pairs of branches count as compared, since the best two are chosen by the figures.
    """
    best, *runners_up = _best_first(rows)
    if not runners_up:
        return ""
    second = runners_up[0]
    counts = pair(best, second)
    if counts is None:  # which images each got right is not known
        if second["interval"][1] <= best["interval"][0]:
            return ""
        return _(
            "The intervals of the best two overlap. This does not show whether they differ. A test "
            "needs the answer to each image, and these results do not contain them."
        )
    pairs = math.comb(len(rows), 2)
    p = min(1.0, pairs * counts.p)
    explained = _("more than chance explains") if p < _RARE else _("chance alone may explain that")
    test = _("McNemar's test, {p}")
    if pairs > 1:
        test = _("McNemar's test, {p}, corrected for {pairs} pairs of branches")
    return _(
        "Of the same {n} images, only {best} is right on {only_best}, and only {second} is right "
        "on {only_second}: {explained} ({test}).",
        n=counts.n,
        best=who(best),
        only_best=counts.only_first,
        second=who(second),
        only_second=counts.only_second,
        explained=explained,
        test=test.format(p="p < 0.001" if p < 0.001 else f"p = {p:.2g}", pairs=pairs),
    )


def corruption_errors(measure: Content, *, from_files: bool) -> str:
    """Mean corruption errors, the smallest first; of published files, or made by this project."""
    first = measure["results"][0]
    sentence = _(
        "Mean corruption error over {kinds} kinds at severity {levels}, generated here: {errors}."
    )
    if from_files:
        sentence = _(
            "Mean corruption error over {kinds} kinds at severity {levels}, of published files: "
            "{errors}."
        )
    return sentence.format(
        kinds=len(first["corruptions"]),
        levels=join([*map(str, first["severities"])]),
        errors=_listed(measure["results"], "error"),
    )


def articles_mce(measure: Content) -> str:
    """The mean corruption error as articles give it, relative to AlexNet, the smallest first."""
    sentence = _("The mCE of articles, where AlexNet has 100 %: {errors}.")
    return sentence.format(errors=_listed(measure["results"], "mce"))


def smallest_radii(measure: Content) -> str:
    """Median smallest radii, the largest first; what is never fooled counts as above the limit."""

    def median(search: Row) -> float:
        return math.inf if search["median"] is None else float(search["median"])

    order = sorted(measure["results"], key=median, reverse=True)
    return _(
        "Median ε at which {attack} fools the branch: {medians}.",
        attack=order[0]["attack"],
        medians=join([*map(_median_in_words, order)]),
    )


def _median_in_words(search: Row) -> str:
    low, high = (smallest_radius(search, end) for end in search["interval"])
    sentence = _("{who} {radius} ({interval})")
    if search["median"] == 0:
        sentence = _("{who} {radius} ({interval}), because half are wrong when clean")
    return sentence.format(
        who=who(search),
        radius=smallest_radius(search, search["median"]),
        interval=_("{low} to {high}", low=low, high=high),
    )


def transfers(rows: Rows) -> str:
    """The accuracy of each branch of one network under an attack through each of its branches."""
    statements = []
    for branch, branch_rows in grouped(rows, lambda row: str(row["branch"])).items():
        shares = []
        for row in branch_rows:
            source, share = row["condition"]["attack_branch"], percent(row["top1"])
            through = _("{share} (attacked through {branch})", share=share, branch=source)
            if source == branch:
                through = _("{share} (attacked through itself)", share=share)
            shares.append(through)
        right = _("**{branch}** is right on {shares}", branch=branch, shares=join(shares))
        statements.append(right)
    return _("{sentence}.", sentence=join(statements))


def shape_biases(measure: Content) -> str:
    """Shape biases, the largest first; branches that answered by neither are left out."""
    defined = [bias for bias in measure["results"] if bias["shape_bias"] is not None]
    if not defined:
        return _("No branch answered by shape or by texture.")
    biases = _listed(defined, "shape_bias", largest_first=True)
    return _("Shape bias: {biases}.", biases=biases)


def calibrations(rows: Rows) -> str:
    """Calibration errors under one condition, the smallest first."""
    errors = [row | row["calibration"] for row in rows]
    return _(
        "Calibration error, {condition}: {errors}.",
        condition=describe(rows[0]),
        errors=_listed(errors, "expected_calibration_error"),
    )


def accuracies(rows: Rows) -> str:
    """All figures of a chart, for who cannot see it."""
    sentence = _("{model}, {branch}, {condition}: {share}")
    return _("; ").join(
        sentence.format(
            model=row["model"],
            branch=row["branch"],
            condition=describe(row),
            share=percent(row["top1"]),
        )
        for row in rows
    )


def who(row: Row) -> str:
    """``**aux** of shapes-advprop``, and through whom it was attacked where that matters."""
    source = row.get("condition", {}).get("attack_branch") or row["branch"]
    sentence = _("**{branch}** of {model}")
    if source != row["branch"]:
        sentence = _("**{branch}** of {model} (attacked through {source})")
    return sentence.format(branch=row["branch"], model=row["model"], source=source)


def between(interval: Sequence[float]) -> str:
    """``85 to 98 %``."""
    low, high = ends(interval)
    return _("{low} to {high} %", low=low, high=high)


def _listed(results: Rows, name: str, *, largest_first: bool = False) -> str:
    order = sorted(results, key=lambda result: float(result[name]), reverse=largest_first)
    sentence = _("{who} {share} ({interval})")
    return join(
        [
            sentence.format(
                who=who(result),
                share=percent(result[name]),
                interval=between(result["interval"]),
            )
            for result in order
        ]
    )


def _by_outline(biases: Rows) -> str:
    defined = [bias for bias in biases if bias["shape_bias"] is not None]
    order = sorted(defined, key=lambda bias: -bias["shape_bias"])
    most, least = (
        _("{who} ({share})", who=who(bias), share=percent(bias["shape_bias"]))
        for bias in (order[0], order[-1])
    )
    return _(
        "Where outline and texture disagree, {most} decides by the outline most often, {least} "
        "least often.",
        most=most,
        least=least,
    )


def _ranked(sentence: str, rows: Rows, **words: str) -> list[str]:
    """The best in this sentence, then the others."""
    best, *runners_up = _best_first(rows)
    sentences = [
        sentence.format(
            who=who(best),
            share=percent(best["top1"]),
            n=best["n"],
            interval=between(best["interval"]),
            **words,
        )
    ]
    if runners_up:
        runners_up_shares = _("The others: {shares}.", shares=_shares(runners_up))
        sentences.append(paragraph([runners_up_shares, *filter(None, [verdict(rows)])]))
    return sentences


def _shares(rows: Rows) -> str:
    return join([f"{who(row)} {percent(row['top1'])}" for row in rows])


def _best_first(rows: Rows) -> list[Row]:
    return sorted(rows, key=lambda row: -row["top1"])


def _attack_of(hit: Row, rows: Rows) -> str:
    """``PGD-10 at ε = 2/255 (L∞)``, and of how many attacks it is the strongest."""
    attack, norm = _family(hit)
    count = len({_family(row) for row in rows if is_quoted(row)})
    sentence = _("{attack} at ε = {radius} ({norm})")
    if count > 1:
        sentence = _("{attack}, the strongest of {count} attacks, at ε = {radius} ({norm})")
    return sentence.format(
        attack=attack, count=count, radius=radius(_epsilon(hit), norm), norm=NORM_TITLES[norm]
    )


def _epsilon(row: Row) -> float:
    return float(row["condition"]["epsilon"])


def _family(row: Row) -> tuple[str, str]:
    return row["condition"]["attack"], row["condition"]["norm"]
