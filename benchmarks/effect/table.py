"""The table of a comparison: means over seeds, and paired differences to the base."""

from __future__ import annotations

import json
from pathlib import Path

from advprop_core import studies
from advprop_core.studies import Content


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
                    f"{studies.told(found)}"
                )
    return lines
