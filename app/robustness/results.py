"""Draws what was measured, part by part: a sentence above each chart."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import streamlit as st

from advprop_core.report.words import (
    gradients_checked,
    is_bounded,
    matrices,
    own_attacks,
    transfers,
)
from app.robustness import captions, gallery, words
from app.robustness.words import Row
from app.shell import messages
from app.shell.layout import in_rows
from app.shell.workbench import dark

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from app.figures.robustness import Dot
    from app.robustness.work import Outcome


def show(content: Mapping[str, Any], outcome: Outcome | None) -> None:
    """Everything that is known.

    Args:
        content: Of ``results.json``.
        outcome: Where it was measured here: the answers image by image.
    """
    rows = content["results"]
    plain = [row for row in rows if row["condition"]["kind"] in ("clean", "attack")]
    own = own_attacks(plain)
    biased = content.get("shape_bias", {}).get("results", ())
    told = words.headline(own or rows, biased)
    for sentence in (*(f"#### {one}" for one in told[:1]), *told[1:]):
        st.markdown(sentence)
    _source(content, outcome)
    for warning in content.get("warnings", ()):
        st.warning(messages.safe(warning["text"]), icon=":material/visibility_off:")
    if checked := gradients_checked(content):
        st.caption(f":material/check: {checked}")
    models = list(dict.fromkeys(row["model"] for row in rows))
    _curves(own, models)
    _matrices(plain)
    _smallest(content)
    _corruptions(content, models)
    _shape_and_texture(content, models)
    if own:
        _reliability(own)
    st.subheader("Where do the branches part ways?")
    if outcome is None:
        st.markdown(captions.NO_GALLERY)
    else:
        gallery.show(outcome)


def _source(content: Mapping[str, Any], outcome: Outcome | None) -> None:
    """How it was measured, and the files that hold it."""
    st.caption(f"{words.source(content)} {words.kept(outcome) if outcome else ''}")
    with st.expander("Make it again, or take it with you", icon=":material/download:"):
        st.code(content["command"], language="shell", wrap_lines=True)
        with st.container(horizontal=True):
            st.download_button(
                "Results (JSON)",
                lambda: json.dumps(content, indent=1, ensure_ascii=False),
                file_name="results.json",
                mime="application/json",
                on_click="ignore",
            )
            st.download_button(
                "Report (HTML)",
                lambda: _report(content),
                file_name="report.html",
                mime="text/html",
                on_click="ignore",
                help="One page with every figure and table, which opens without a network.",
            )


def _report(content: Mapping[str, Any]) -> str:
    from advprop_core.report.files import html

    return html(content)


def _chart(
    figure: go.Figure, key: str, alt: str, width: Literal["stretch"] | int = "stretch"
) -> None:
    from app.figures import style

    st.plotly_chart(
        figure,
        width=width,
        key=f"robustness.{key}",
        config=style.CONFIG,
        alt=messages.plain(alt),
    )


def _curves(rows: Sequence[Row], models: Sequence[str]) -> None:
    """A chart for each attack, and every figure as a dot."""
    from app.figures import robustness as figures

    clean = [row for row in rows if row["condition"]["kind"] == "clean"]
    families: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        condition = row["condition"]
        if condition["kind"] == "attack" and is_bounded(row):
            families.setdefault((condition["attack"], condition["norm"]), []).append(row)
    if families:
        st.subheader("How much perturbation does each branch stand?")
        several = enumerate(families.values())
        for column, (place, own) in in_rows(several, min(2, len(families)), "large"):
            with column:
                chart = figures.curves(clean, own, models, dark=dark())
                _chart(chart, f"curve.{place}", words.told([*clean, *own]))
        st.caption(captions.CURVES)
    if rows:
        st.subheader("How often is each branch right?")
        found = [_dot(row) for row in rows]
        _chart(figures.dots(found, models, "Right answers", dark=dark()), "dots", words.told(rows))


def _matrices(rows: Sequence[Row]) -> None:
    """Attacks through each branch, shown to each: against ε, and one radius at a time."""
    found, curves = matrices(rows), transfers(rows)
    if not found:
        return
    st.subheader("Whose perturbation harms whom?")
    charts = [partial(_transfer, place, *own) for place, own in enumerate(curves)]
    charts += [partial(_matrix, place, own) for place, own in enumerate(found)]
    for column, draw in in_rows(charts, 2):
        with column:
            draw()
    st.caption(f"{captions.TRANSFERS} {captions.MATRIX}" if curves else captions.MATRIX)


def _transfer(place: int, clean: Sequence[Row], attacked: Sequence[Row]) -> None:
    from app.figures import robustness as figures

    chart = figures.transfers(clean, attacked, dark=dark())
    _chart(chart, f"transfer.{place}", words.told([*clean, *attacked]))


def _matrix(place: int, rows: Sequence[Row]) -> None:
    from app.figures import robustness as figures

    _chart(figures.matrix(rows, dark=dark()), f"matrix.{place}", words.told(rows))
    st.markdown(words.harm(rows))


def _smallest(content: Mapping[str, Any]) -> None:
    """How little turns each image: a chart for each norm that was searched."""
    from app.figures import robustness as figures

    results = content.get("smallest_epsilon", {"results": []})["results"]
    if not results:
        return
    st.subheader("How little turns each image?")
    sentence = words.smallest(results)
    st.markdown(sentence)
    _chart(figures.standing(results, dark=dark()), "smallest", sentence)
    st.caption(captions.SMALLEST)


def _shape_and_texture(content: Mapping[str, Any], models: Sequence[str]) -> None:
    """What images lose on purpose, and what is gone by where outline and texture disagree."""
    from app.figures import robustness as figures

    probed = [row for row in content["results"] if row["condition"]["kind"] in ("clean", "probe")]
    if any(row["condition"]["kind"] == "probe" for row in probed):
        st.subheader("What can each branch do without?")
        found = [_dot(row) for row in probed]
        chart = figures.dots(found, models, "Right answers", dark=dark())
        _chart(chart, "probes", words.told(probed))
        st.caption(captions.PROBES)
    biases = content.get("shape_bias", {"results": []})["results"]
    if biases:
        st.subheader("Outline or texture: which does each branch go by?")
        sentence = words.biases(biases)
        st.markdown(sentence)
        _chart(figures.shape_biases(biases, dark=dark()), "bias", sentence)
        st.caption(captions.BIAS)


def _dot(row: Row) -> Dot:
    from app.figures.robustness import Dot

    group = words.describe_alone(row)
    return Dot(group, row["model"], row["branch"], row["top1"], tuple(row["interval"]))


def _corruptions(content: Mapping[str, Any], models: Sequence[str]) -> None:
    from app.figures import robustness as figures

    by_branch: dict[tuple[str, str], list[Row]] = {}
    for row in content["results"]:
        if row["condition"]["kind"] == "corruption":
            by_branch.setdefault((row["model"], row["branch"]), []).append(row)
    errors = content.get("mean_corruption_error", {"results": []})["results"]
    if not by_branch or not errors:
        return
    st.subheader("What do corruptions do?")
    rows = [row for own in by_branch.values() for row in own]
    from_files = any(row["condition"].get("source") == "files" for row in rows)
    sentence = words.corrupted(errors, from_files=from_files)
    st.markdown(sentence)
    if "imagenet_c" in content:
        st.markdown(words.articles_mce(content["imagenet_c"]["results"]))
    found = [
        figures.Dot(
            "Mean corruption error", one["model"], one["branch"], one["error"],
            tuple(one["interval"]),
        )
        for one in errors
    ]  # fmt: skip
    _chart(figures.dots(found, models, "Wrong answers", dark=dark()), "mce", sentence)
    several = enumerate(by_branch.items())
    for column, (place, ((model, branch), own)) in in_rows(several, 2):  # in three they overlap
        with column:
            chart = figures.errors(own, dark=dark())
            alt = f"Right answers of {model}, {branch}. {words.told(own)}"
            _chart(chart, f"errors.{place}", alt)
    st.caption(
        f"{captions.CORRUPTIONS} "
        f"{captions.CORRUPTED_FILES if from_files else captions.CORRUPTED_HERE}"
    )
    if len(by_branch) > 1:
        _difference(by_branch)


@st.fragment
def _difference(by_branch: Mapping[tuple[str, str], Sequence[Row]]) -> None:
    """Two of them, compared cell by cell."""
    from app.figures import robustness as figures

    st.markdown("##### Which of two stands which corruption?")
    known = list(by_branch)
    left, right = st.columns(2)
    first = left.selectbox(
        "From", known, index=len(known) - 2, format_func=", ".join, key="robustness.first"
    )
    second = right.selectbox(
        "To", known, index=len(known) - 1, format_func=", ".join, key="robustness.second"
    )
    if first == second:
        st.markdown("These are the same: choose two different ones.")
        return
    sentence = words.gain(by_branch[first], by_branch[second])
    if sentence is None:
        st.markdown("These two were not measured on the same corruptions.")
        return
    st.markdown(sentence)
    chart = figures.difference(by_branch[first], by_branch[second], dark=dark())
    _chart(chart, "difference", sentence, width=chart.layout.width)  # few columns need not be wide


@st.fragment
def _reliability(rows: Sequence[Row]) -> None:
    """Whether confidence means something, under one condition at a time."""
    from app.figures import robustness as figures

    st.subheader("Does confidence mean something?")
    titles = list(dict.fromkeys(map(words.describe_alone, rows)))
    title = st.selectbox("What images went through", titles, key="robustness.reliability")
    own = [row for row in rows if words.describe_alone(row) == title]
    sentence = words.calibrated(own)
    st.markdown(sentence)
    for column, (place, row) in in_rows(enumerate(own), 3):
        with column:
            _chart(figures.reliability(row, dark=dark()), f"reliability.{place}", sentence)
    st.caption(captions.RELIABILITY)
