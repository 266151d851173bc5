"""The table of a comparison: means over seeds, and paired differences to the base."""

from __future__ import annotations

import json
from pathlib import Path

from advprop_core import studies
from advprop_core.studies import Content, Gain


def markdown(results: Path) -> str:
    """One table for the accuracies, and a line for each comparison of two gains."""
    content = json.loads(results.read_text())
    head = ["run", "branch", *content["measures"].values()]
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    rows: dict[tuple[str, str], list[Gain]] = {}
    for one in studies.gains(content, [*content["runs"]]):
        rows.setdefault((one.run, one.branch), []).append(one)
    for (run, branch), own in rows.items():
        cells = " | ".join(_cell(one) for one in own)
        lines.append(f"| {content['runs'][run]} | {branch} | {cells} |")
    return "\n".join([*lines, "", *_contrasts(content)])


def _cell(one: Gain) -> str:
    share = f"{100 * one.share:.1f}"
    return share if one.interval is None else f"{share} ({_points(one)})"


def _contrasts(content: Content) -> list[str]:
    return [
        f"- {content['runs'][run]} minus {content['runs'][other]}, {title}: "
        f"{_points(studies.contrast(content, run, other, measure))}"
        for question in content["questions"]
        for run, other in question["contrasts"]
        for measure, title in content["measures"].items()
    ]


def _points(one: Gain) -> str:
    assert one.interval is not None
    assert one.points is not None
    low, high = one.interval
    return f"{100 * one.points:+.1f}: {100 * low:+.1f} to {100 * high:+.1f}"
