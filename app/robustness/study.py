"""Draws a study: what one thing changes, over several seeds; loads no torch."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from advprop_core import studies
from advprop_core.studies import Gain
from advprop_core.words import percent
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
        st.markdown(table(content))


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
            f" {safe(titles[run])} gains {_signed(difference.points)} points more than "
            f"{safe(titles[other])} ({_between(difference)}){_verdict(difference)}."
        )
    return text


def table(content: Content) -> str:
    """Every accuracy with its gain, as Markdown."""
    head = ["run", "branch", *map(safe, content["measures"].values())]
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    rows: dict[tuple[str, str], list[Gain]] = {}
    for one in studies.gains(content, [*content["runs"]]):
        rows.setdefault((one.run, one.branch), []).append(one)
    for (run, branch), own in rows.items():
        cells = [safe(content["runs"][run]), branch, *map(_cell, own)]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


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
    return "; ".join(
        f"{titles[one.run]}, {one.branch}: {_signed(one.points)} points ({_between(one)})"
        for one in found
    )


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
    return f"{_signed(one.points)} points ({_between(one)}){_verdict(one)}"


def _verdict(one: Gain) -> str:
    """Said where it is easily overlooked: the interval holds 0."""
    assert one.interval is not None
    low, high = one.interval
    return ", which shows no difference" if low <= 0 <= high else ""


def _between(one: Gain) -> str:
    assert one.interval is not None
    return " to ".join(map(_signed, one.interval))


def _signed(share: float | None) -> str:
    return f"{100 * (share or 0):+.1f}".replace("-", "−")


def _cell(one: Gain) -> str:
    share = percent(one.share)
    return share if one.points is None else f"{share} ({_signed(one.points)}: {_between(one)})"
