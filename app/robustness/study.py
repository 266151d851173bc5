"""Draws a study: what one thing changes, over several seeds; loads no torch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import streamlit as st

from advprop_core.evaluation import studies
from advprop_core.evaluation.studies import Gain
from advprop_core.text import join
from app.robustness import bundled, choosing
from app.robustness.files import offer_files
from app.shell import chart_saving, defects
from app.shell.layout import chart
from app.shell.messages import graded, safe
from app.shell.workbench import dark

Content = Mapping[str, Any]
_ADVPROP = "advprop"  # in the label of a run that the study is about
_HOW = {1: "is better, {}", -1: "is worse, {}", 0: "shows no difference, {}"}
_INTERVALS = (
    "Points are mean paired differences over seeds; bars and brackets are 95 % intervals by "
    "Student's t. They say what other seeds would give, not what other photos would."
)


def show(content: Content) -> None:
    """The question, then one measure at a time: a sentence, a figure, and all in a table.

    :func:`advprop_core.evaluation.results_file.parse` has checked the content.
    """
    st.markdown(f"## {safe(bundled.question(content))}")
    chart_saving.tell(f"{content['about']}. {source(content)}")
    _question(content)
    st.caption(f"{safe(content['about'])}. {source(content)} {_INTERVALS}")
    with st.expander("All figures", icon=":material/table:"):
        st.markdown(studies.markdown(content, safe))
    offer_files(content, "study.json")


def source(content: Content) -> str:
    """Where figures come from."""
    seeds = sorted({row["seed"] for row in content["results"]})
    return (
        f"n = {content['n']} images of {safe(content['data'])}, {len(seeds)} seeds "
        f"({join([*map(str, seeds)])})."
    )


def lead(content: Content) -> str:
    """The answer to the first question on the first measure."""
    runs, measure = content["questions"][0]["runs"], next(iter(content["measures"]))
    return answer(content, runs, measure)


def answer(content: Content, runs: Sequence[str], measure: str) -> str:
    """What main gains on a measure, then which other branch gains or loses most."""
    titles = content["runs"]
    gains = [gain for gain in _gains(content, runs) if gain.measure == measure]
    where = safe(content["measures"][measure][:1].upper() + content["measures"][measure][1:])
    bases = dict.fromkeys(content["bases"].get(run, run) for run in runs)
    against = f"against main of {join([f'“{safe(titles[base])}”' for base in bases])}"
    if not gains:
        return f"{where}: there is nothing to compare {against}."
    first = next(
        (gain for gain in gains if gain.branch == "main" and _ADVPROP in gain.run), gains[0]
    )
    how = _HOW[first.direction].format(studies.in_words(first))
    sentences = [f"{where}, {against}: {_who(first, titles)} {how}."]
    others = [gain for gain in gains if gain is not first]
    sentences += _most(others, titles)
    if others:
        sentences.append(
            f"These are {len(gains)} comparisons. Even where nothing differs, about one in twenty "
            "shows a difference by chance."
        )
    return " ".join(sentences)


def _most(gains: Sequence[Gain], titles: Mapping[str, str]) -> list[str]:
    """Which of some are better by most, and which worse."""
    phrases = []
    for direction, alone, first in ((1, "better", "best"), (-1, "worse", "worst")):
        telling = [gain for gain in gains if gain.direction == direction]
        if telling:
            most = max(telling, key=lambda gain: abs(gain.points or 0))
            how = alone if len(telling) == 1 else f"the {first} of {len(telling)} that are {alone}"
            phrases.append(f"{_who(most, titles)} is {how}, {studies.in_words(most)}")
    if not gains:
        return []
    return [f"Of the others, {'; '.join(phrases)}." if phrases else "No other difference shows."]


def contrasts(content: Content, pairs: Iterable[Sequence[str]], measure: str) -> list[str]:
    """By how much the gain of one run is above that of another, for each pair."""
    titles, lines = content["runs"], []
    for run, other in pairs:
        difference = studies.contrast(content, run, other, measure)
        none = "" if difference.direction else ", which shows no difference"
        lines.append(
            f"{safe(titles[run])} minus {safe(titles[other])}: "
            f"{studies.in_words(difference)}{none}."
        )
    return lines


def table(content: Content, runs: Sequence[str]) -> list[dict[str, str]]:
    """What each run gains on each measure: a row for each measure."""
    titles, gains = content["runs"], _gains(content, runs)
    return [
        {"measure": safe(title)}
        | {
            _who(gain, titles): graded(_points(gain), gain.direction)
            for gain in gains
            if gain.measure == measure
        }
        for measure, title in content["measures"].items()
    ]


def in_words(gains: Sequence[Gain], titles: Mapping[str, str]) -> str:
    """All figures of a chart, for who cannot see it."""
    return "; ".join(
        f"{titles[gain.run]}, {gain.branch}: {studies.in_words(gain)}" for gain in gains
    )


@defects.fragment
def _question(content: Content) -> None:
    with choosing.remembered():
        number, measure = _chosen(content)
    _answer(content, content["questions"][number], measure)


def _chosen(content: Content) -> tuple[int, str]:
    """The number of a question, and the measure that it is asked on."""
    left, right = st.columns(2)
    titles = {str(n): safe(asked["title"]) for n, asked in enumerate(content["questions"])}
    number = 0
    if len(titles) > 1:
        number = int(choosing.choose("Question", titles, "asked", place=left))
        left = right
    return number, choosing.choose("Measured on", content["measures"], "asked_on", place=left)


def _answer(content: Content, question: Mapping[str, Any], measure: str) -> None:
    from app.figures import robustness as figures

    runs, measures = question["runs"], content["measures"]
    gains = [gain for gain in _gains(content, runs) if gain.measure == measure]
    st.markdown(answer(content, runs, measure))
    alt = f"{measures[measure]}. {in_words(gains, content['runs'])}"
    heading = f"Gain of each run: {measures[measure]}"
    chart(figures.gains(gains, content["runs"], dark=dark()), "robustness.gains", alt, heading)
    for line in contrasts(content, question["contrasts"], measure):
        st.markdown(f"- {line}")
    st.markdown("### What changes on every measure?")
    st.table(table(content, runs), border="horizontal", hide_index=True)
    st.caption(
        "Points against the base: ▲ better, ▼ worse, no mark where the 95 % interval holds 0. An "
        "error that falls is better."
    )


def _gains(content: Content, runs: Sequence[str]) -> list[Gain]:
    """Those of runs that have a base."""
    return [gain for gain in studies.gains(content, runs) if gain.points is not None]


def _who(gain: Gain, titles: Mapping[str, str]) -> str:
    return f"**{gain.branch}** of {safe(titles[gain.run])}"


def _points(gain: Gain) -> str:
    """``+0.9``, for intervals have no room on a phone."""
    return studies.in_words(gain).partition(" ")[0]
