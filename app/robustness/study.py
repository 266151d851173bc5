"""Draws a study: what one thing changes, over several seeds; loads no torch."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from advprop_core import studies
from advprop_core.studies import Gain
from app.layout import in_rows
from app.messages import join, plain, safe
from app.robustness import texts
from app.workbench import dark

Content = Mapping[str, Any]


def show(content: Content) -> None:
    """The answer in words, then question by question in charts.

    Args:
        content: Without a fault, as :func:`app.robustness.opened.parse` gives it.
    """
    st.subheader(safe(content["title"]))
    st.markdown(f"{safe(content['about'])}.")
    st.caption(source(content))
    _files(content)
    for number, question in enumerate(content["questions"]):
        _question(content, question, number)
    st.caption(texts.STUDY)
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
    """What runs gain on the first measure, and whose gain is larger."""
    measure, where = next(iter(content["measures"].items()))
    titles = content["runs"]
    told = [
        f"**{one.branch}** of {safe(titles[one.run])} {_said(one)}"
        for one in studies.gains(content, question["runs"])
        if one.measure == measure and one.points is not None
    ]
    text = f"Against the main branch of {_bases(content, question)}, {safe(where)}: {join(told)}."
    for run, other in question["contrasts"]:
        difference = studies.contrast(content, run, other, measure)
        text += (
            f" {safe(titles[run])} gains more than {safe(titles[other])} by "
            f"{studies.told(difference)}{_verdict(difference)}."
        )
    return text


def _question(content: Content, question: Mapping[str, Any], number: int) -> None:
    from app.figures import robustness as figures
    from app.figures import style

    st.markdown(f"#### {safe(question['title'])}")
    sentence = answer(content, question)
    st.markdown(sentence)
    found = [one for one in studies.gains(content, question["runs"]) if one.points is not None]
    measures = enumerate(content["measures"].items())
    for column, (place, (measure, title)) in in_rows(measures, 2):
        own = [one for one in found if one.measure == measure]
        column.plotly_chart(
            figures.gains(own, content["runs"], title, dark=dark()),
            width="stretch",
            key=f"robustness.gains.{number}.{place}",
            config=style.CONFIG,
            alt=plain(f"{title}. {told(own, content['runs'])}"),
        )


def told(found: Sequence[Gain], titles: Mapping[str, str]) -> str:
    """All figures of a chart, for who cannot see it."""
    return "; ".join(f"{titles[one.run]}, {one.branch}: {studies.told(one)}" for one in found)


def _files(content: Content) -> None:
    with st.expander("Make it again, or take it with you", icon=":material/download:"):
        st.code(content["command"], language="shell", wrap_lines=True)
        st.download_button(
            "Results (JSON)",
            lambda: json.dumps(content, indent=1, ensure_ascii=False),
            file_name="study.json",
            mime="application/json",
            on_click="ignore",
        )


def _bases(content: Content, question: Mapping[str, Any]) -> str:
    bases = dict.fromkeys(content["bases"].get(run, run) for run in question["runs"])
    return join([safe(content["runs"][base]) for base in bases])


def _said(one: Gain) -> str:
    return f"{studies.told(one)}{_verdict(one)}"


def _verdict(one: Gain) -> str:
    """Said where it is easily overlooked: the interval holds 0."""
    assert one.interval is not None
    low, high = one.interval
    return ", which shows no difference" if low <= 0 <= high else ""
