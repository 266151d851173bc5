"""Draws a study: what one thing changes, over several seeds; loads no torch."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import streamlit as st

from advprop_core.evaluation import studies
from advprop_core.evaluation.studies import Gain
from advprop_core.text import points
from app.language.text import N_, _, english, join, paragraph
from app.robustness import bundled
from app.robustness.view import INNER, choose
from app.shell import chart_saving, defects, layout, runs, state
from app.shell.layout import chart
from app.shell.messages import graded, safe

Content = Mapping[str, Any]
_ADVPROP = "advprop"  # in the label of a run that the study is about
_FOUND = {
    1: N_("{who} is better, {points}"),
    -1: N_("{who} is worse, {points}"),
    0: N_("{who} shows no clear difference, {points}"),
}
_MOST = {
    1: N_("{who} is the best of {count} that are better, {points}"),
    -1: N_("{who} is the worst of {count} that are worse, {points}"),
}
_INTERVALS = N_(
    "Points are mean paired differences over seeds; bars and brackets are 95 % intervals by "
    "Student's t. They show how results vary with other seeds, not with other photos."
)


def show(content: Content) -> None:
    """The question, then one measure at a time: a sentence, a figure, and all in a table.

    :func:`advprop_core.evaluation.results_file.parse` has checked the content.
    """
    st.markdown(f"## {safe(bundled.question(content))}")
    with english():  # files say it
        chart_saving.tell(f"{content['about']}. {source(content)}")
    _question(content)
    about = _("{sentence}.", sentence=_titled(content["about"]))
    st.caption(paragraph([about, source(content), _(_INTERVALS)]))
    with st.expander(_("All figures"), icon=":material/table:"):
        st.markdown(studies.markdown(content, _titled))
    runs.offer_files(content, "study.json")


def _titled(text: str) -> str:
    """What a study says, in the reader's language where the study came with the app."""
    return safe(_(text))


def source(content: Content) -> str:
    """Where figures come from."""
    seeds = sorted({row["seed"] for row in content["results"]})
    return _(
        "n = {n} images of {data}, {count} seeds ({seeds}).",
        n=content["n"],
        data=safe(content["data"]),
        count=len(seeds),
        seeds=join([*map(str, seeds)]),
    )


def lead(content: Content) -> str:
    """The answer to the first question on the first measure."""
    runs, measure = content["questions"][0]["runs"], next(iter(content["measures"]))
    return answer(content, runs, measure)


def answer(content: Content, runs: Sequence[str], measure: str) -> str:
    """What main gains on a measure, then which other branch gains or loses most."""
    titles = content["runs"]
    gains = [gain for gain in _gains(content, runs) if gain.measure == measure]
    where = _titled(content["measures"][measure])
    where = where[:1].upper() + where[1:]
    bases = dict.fromkeys(content["bases"].get(run, run) for run in runs)
    quoted = join([_("“{title}”", title=safe(titles[base])) for base in bases])
    if not gains:
        nothing = _("{where}: there is nothing to compare against main of {bases}.")
        return nothing.format(where=where, bases=quoted)
    first = next(
        (gain for gain in gains if gain.branch == "main" and _ADVPROP in gain.run), gains[0]
    )
    sentences = [
        _(
            "{where}, against main of {bases}: {finding}.",
            where=where,
            bases=quoted,
            finding=_found(_FOUND[first.direction], first, titles),
        )
    ]
    others = [gain for gain in gains if gain is not first]
    if others:
        sentences += [
            _most(others, titles),
            _(
                "These are {count} comparisons. Even if nothing differs, about one in twenty "
                "shows a difference by chance.",
                count=len(gains),
            ),
        ]
    return paragraph(sentences)


def _most(gains: Sequence[Gain], titles: Mapping[str, str]) -> str:
    """Which of some are better by most, and which worse."""
    phrases = []
    for direction, among in _MOST.items():
        telling = [gain for gain in gains if gain.direction == direction]
        if telling:
            most = max(telling, key=lambda gain: abs(gain.points or 0))
            sentence = _FOUND[direction] if len(telling) == 1 else among
            phrases.append(_found(sentence, most, titles, count=len(telling)))
    if not phrases:
        return _("There is no other clear difference.")
    return _("Of the others, {findings}.", findings=_("; ").join(phrases))


def _found(sentence: str, gain: Gain, titles: Mapping[str, str], **values: int) -> str:
    return _(sentence, who=_who(gain, titles), points=studies.in_words(gain), **values)


def contrasts(content: Content, pairs: Iterable[Sequence[str]], measure: str) -> list[str]:
    """By how much the gain of one run is above that of another, for each pair."""
    titles, lines = content["runs"], []
    for run, other in pairs:
        difference = studies.contrast(content, run, other, measure)
        sentence = _("{run} minus {other}: {points}.")
        if not difference.direction:
            sentence = _("{run} minus {other}: {points}, no clear difference.")
        lines.append(
            sentence.format(
                run=safe(titles[run]),
                other=safe(titles[other]),
                points=studies.in_words(difference),
            )
        )
    return lines


def table(content: Content, runs: Sequence[str]) -> list[dict[str, str]]:
    """What each run gains on each measure: a row for each measure."""
    titles, gains = content["runs"], _gains(content, runs)
    return [
        {_("measure"): _titled(title)}
        | {
            _who(gain, titles): graded(points(gain.points), gain.direction)
            for gain in gains
            if gain.measure == measure and gain.points is not None
        }
        for measure, title in content["measures"].items()
    ]


def in_words(gains: Sequence[Gain], titles: Mapping[str, str]) -> str:
    """All figures of a chart, for who cannot see it."""
    return _("; ").join(
        _(
            "{run}, {branch}: {points}",
            run=titles[gain.run],
            branch=gain.branch,
            points=studies.in_words(gain),
        )
        for gain in gains
    )


@defects.fragment
def _question(content: Content) -> None:
    """A question, and the measure that it is asked on; then the answer."""
    with state.remembered(*INNER):
        left, right = st.columns(2)
        questions = {str(number): asked for number, asked in enumerate(content["questions"])}
        number = "0"
        if len(questions) > 1:
            named = {number: _titled(asked["title"]) for number, asked in questions.items()}
            number = choose(_("Question"), named, "asked", widget=left.selectbox)
            left = right
        measures = {name: _(title) for name, title in content["measures"].items()}
        measure = choose(_("Measured on"), measures, "asked_on", widget=left.selectbox)
    from app.figures import robustness as figures

    asked, titles = questions[number], content["runs"]
    gains = [gain for gain in _gains(content, asked["runs"]) if gain.measure == measure]
    st.markdown(answer(content, asked["runs"], measure))
    alt = _("{what}: {figures}", what=measures[measure], figures=in_words(gains, titles))
    heading = f"Gain of each run: {content['measures'][measure]}"
    chart(figures.gains(gains, titles), "robustness.gains", alt, heading)
    for line in contrasts(content, asked["contrasts"], measure):
        st.markdown(f"- {line}")
    st.markdown(_("### What changes on every measure?"))
    layout.table(table(content, asked["runs"]))
    st.caption(
        _(
            "Points compared with the base: ▲ better, ▼ worse, no mark if the 95 % interval "
            "contains 0. For errors, less is better."
        )
    )


def _gains(content: Content, runs: Sequence[str]) -> list[Gain]:
    """Those of runs that have a base."""
    return [gain for gain in studies.gains(content, runs) if gain.points is not None]


def _who(gain: Gain, titles: Mapping[str, str]) -> str:
    return _("**{branch}** of {model}", branch=gain.branch, model=safe(titles[gain.run]))
