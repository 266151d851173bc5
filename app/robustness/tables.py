"""Tables of the Robustness page: a row for each branch; loads no torch."""

from collections.abc import Mapping, Sequence
from statistics import fmean as mean
from typing import Any

from advprop_core.report.sentences import between
from advprop_core.report.words import Row, corruption, describe, grouped
from advprop_core.text import percent
from app.language.text import _
from app.shell.messages import safe, unbroken

_NONE = "–"


def accuracies(rows: Sequence[Row]) -> list[dict[str, str]]:
    """How often each branch is right, a column for each condition; the best of one is bold.

    Without intervals, so that it has room on a phone: see :func:`widest`.
    """
    conditions = list(dict.fromkeys(map(describe, rows)))
    best = {title: max(r["top1"] for r in rows if describe(r) == title) for title in conditions}
    lines = []
    for (model, branch), branch_rows in grouped(rows, who).items():
        line = {_("network"): safe(model), _("branch"): branch, **dict.fromkeys(conditions, _NONE)}
        for row in branch_rows:
            accuracy, title = unbroken(percent(row["top1"])), describe(row)
            line[title] = f"**{accuracy}**" if row["top1"] == best[title] else accuracy
        lines.append(line)
    return lines


def widest(rows: Sequence[Row]) -> str:
    """How far intervals reach, and what is bold."""
    reach = max(abs(end - row["top1"]) for row in rows for end in row["interval"])
    return _(
        "Share of right answers; 95 % intervals reach at most {points:.1f} points to either side. "
        "The best of a column is bold.",
        points=100 * reach,
    )


def errors(
    measure: Mapping[str, Any], by_branch: Mapping[tuple[str, str], Sequence[Row]]
) -> list[dict[str, str]]:
    """Mean corruption errors, the smallest first, and which kind harms each branch most."""
    lines = []
    for result in sorted(measure["results"], key=lambda result: float(result["error"])):
        kinds = grouped(by_branch[who(result)], lambda row: row["condition"]["corruption"])
        wrong = {kind: 1 - mean(row["top1"] for row in rows) for kind, rows in kinds.items()}
        worst = max(wrong, key=wrong.__getitem__)
        lines.append(
            {
                _("network"): safe(result["model"]),
                _("branch"): result["branch"],
                _("wrong answers"): _with_ends(result["error"], result["interval"]),
                _("most at"): _(
                    "{corruption}, {share}",
                    corruption=corruption(worst),
                    share=percent(wrong[worst]),
                ),
            }
        )
    return lines


def calibrations(rows: Sequence[Row]) -> list[dict[str, str]]:
    """Calibration errors under one condition, the smallest first."""
    lines = []
    for row in sorted(rows, key=lambda row: row["calibration"]["expected_calibration_error"]):
        measured = row["calibration"]
        sure = measured["confidence_when_wrong"]
        error = _with_ends(measured["expected_calibration_error"], measured["interval"])
        lines.append(
            {
                _("network"): safe(row["model"]),
                _("branch"): row["branch"],
                _("calibration error"): error,
                _("sure when wrong"): _NONE if sure is None else percent(sure),
            }
        )
    return lines


def _with_ends(error: float, interval: Sequence[float]) -> str:
    return _("{share} ({interval})", share=percent(error), interval=between(interval))


def who(row: Row) -> tuple[str, str]:
    """Model and branch."""
    return row["model"], row["branch"]
