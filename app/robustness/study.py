"""Draws a study: what one thing changes, over several seeds; loads no torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from advprop_core.evaluation import studies
from advprop_core.evaluation.studies import Gain
from advprop_core.text import join
from app.robustness.results import offer_files
from app.shell.layout import chart, in_rows
from app.shell.messages import safe
from app.shell.workbench import dark

Content = Mapping[str, Any]


def show(content: Content) -> None:
    """The answer in words, then question by question in charts.

    :func:`advprop_core.evaluation.results_file.parse` has checked the content.
    """
    st.subheader(safe(content["title"]))
    st.markdown(f"{safe(content['about'])}.")
    st.caption(source(content))
    offer_files(content, "study.json")
    for number, question in enumerate(content["questions"]):
        _question(content, question, number)
    st.caption(
        "Points are mean paired differences in accuracy over seeds; bars are 95 % intervals by "
        "Student's t. They say what other seeds would give, not what other photos would."
    )
    with st.expander("All figures", icon=":material/table:"):
        st.markdown(studies.markdown(content, safe))


def source(content: Content) -> str:
    """Where figures come from."""
    seeds = sorted({row["seed"] for row in content["results"]})
    return (
        f"n = {content['n']} images of {safe(content['data'])}, {len(seeds)} seeds "
        f"({join([*map(str, seeds)])})."
    )


def answer(content: Content, question: Mapping[str, Any]) -> str:
    """What runs gain, measure by measure, and whose gain is larger on the first."""
    titles = content["runs"]
    gains = [gain for gain in studies.gains(content, question["runs"]) if gain.points is not None]
    bases = dict.fromkeys(content["bases"].get(run, run) for run in question["runs"])
    lines = [f"Against the main branch of {join([safe(titles[base]) for base in bases])}:", ""]
    for measure, title in content["measures"].items():
        measured = [gain for gain in gains if gain.measure == measure]
        lines.append(f"- {safe(title)}: {_differing(measured, titles)}.")
    first, where = next(iter(content["measures"].items()))
    for run, other in question["contrasts"]:
        difference = studies.contrast(content, run, other, first)
        none = "" if _shows(difference) else ", which shows no difference"
        lines.append(
            f"- {safe(titles[run])} minus {safe(titles[other])}, {safe(where)}: "
            f"{studies.in_words(difference)}{none}."
        )
    return "\n".join(lines)


def _question(content: Content, question: Mapping[str, Any], number: int) -> None:
    from app.figures import robustness as figures

    st.markdown(f"#### {safe(question['title'])}")
    sentence = answer(content, question)
    st.markdown(sentence)
    gains = [gain for gain in studies.gains(content, question["runs"]) if gain.points is not None]
    measures = enumerate(content["measures"].items())
    for column, (row, (measure, title)) in in_rows(measures, 2):
        measured = [gain for gain in gains if gain.measure == measure]
        figure = figures.gains(measured, content["runs"], title, dark=dark())
        alt = f"{title}. {in_words(measured, content['runs'])}"
        with column:
            chart(figure, f"robustness.gains.{number}.{row}", alt)


def in_words(gains: Sequence[Gain], titles: Mapping[str, str]) -> str:
    """All figures of a chart, for who cannot see it."""
    return "; ".join(
        f"{titles[gain.run]}, {gain.branch}: {studies.in_words(gain)}" for gain in gains
    )


def _differing(gains: Sequence[Gain], titles: Mapping[str, str]) -> str:
    """The gains whose intervals leave 0 out; of the others that no difference shows."""
    shown = [gain for gain in gains if _shows(gain)]
    if not shown:
        return "no difference shows"
    names = join(
        [
            f"**{gain.branch}** of {safe(titles[gain.run])} {studies.in_words(gain)}"
            for gain in shown
        ]
    )
    return names if len(shown) == len(gains) else f"{names}; for the others no difference shows"


def _shows(gain: Gain) -> bool:
    """Whether there is a difference: the interval does not hold 0."""
    assert gain.interval is not None
    low, high = gain.interval
    return not low <= 0 <= high
