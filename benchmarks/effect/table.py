"""The table of a comparison: means over seeds, and paired differences to the base."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from statistics import mean

from advprop_core.evaluation import studies
from advprop_core.evaluation.intervals import student_interval
from advprop_core.evaluation.studies import Content


def markdown(results: Path) -> str:
    """One table for the accuracies, and a line for each comparison of two gains."""
    content = json.loads(results.read_text("utf-8"))
    return "\n".join([studies.markdown(content), "", *_contrasts(content)]).strip()


def _contrasts(content: Content) -> list[str]:
    lines = []
    for question in content["questions"]:
        for run, other in question["contrasts"]:
            for measure, title in content["measures"].items():
                found = studies.contrast(content, run, other, measure)
                lines.append(
                    f"- {content['runs'][run]} minus {content['runs'][other]}, {title}: "
                    f"{studies.in_words(found)}"
                )
    return lines


def overall(results: Sequence[Path]) -> str:
    """The gain of AdvProp's main branch over all settings of all studies, each counted once.

    A seed's gains are averaged over the settings; the interval is over the seeds.
    """
    gains: dict[tuple[str, str], dict[int, float]] = {}
    for file in results:
        content = json.loads(file.read_text("utf-8"))
        known = studies.scores(content)
        for run, base in content["bases"].items():
            for measure in ("clean", "corruption", "noise", "attack") if "advprop" in run else ():
                own, others = known[run, "main", measure], known[base, "main", measure]
                gains[measure, run] = {seed: own[seed] - others[seed] for seed in own}
    lines = []
    for measure in dict.fromkeys(measure for measure, _ in gains):
        several = [gain for (one, _), gain in gains.items() if one == measure]
        seeds = [100 * mean(gain[seed] for gain in several) for seed in several[0]]
        low, high = student_interval(seeds)
        lines.append(
            f"- {measure}: {mean(seeds):+.1f} points ({low:+.1f} to {high:+.1f}), "
            f"{len(several)} settings, {len(seeds)} seeds"
        )
    return "\n".join(lines).replace("(-", "(−").replace(" -", " −")
