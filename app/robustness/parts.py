"""What lies in the tabs below an answer: a question each, its figures and a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import unescape
from typing import TYPE_CHECKING, Any

import streamlit as st

from advprop_core.report.sections import Plot, Section, corrupted_by_branch, corrupted_how, sections
from advprop_core.report.sentences import hardest, who
from advprop_core.report.words import Row, describe, grouped, of_kind, own_attacks
from app.language.text import _, english
from app.robustness import bundled, gallery, study, tables, words
from app.robustness.view import choose
from app.shell import state
from app.shell.fields import several
from app.shell.layout import chart, report_plots, table
from app.shell.messages import emphasised

if TYPE_CHECKING:
    from app.robustness.work import Outcome

MOST_BRANCHES = 4
"""Of which a figure tells no more apart."""
Branch = tuple[str, str]
"""Model and branch."""
_NOBODY = "nobody"


@dataclass(frozen=True)
class Results:
    """What is shown.

    Attributes:
        content: Of a ``results.json``, with short names.
        outcome: The answers image by image, where they were measured here.
    """

    content: Mapping[str, Any]
    outcome: Outcome | None

    @property
    def branches(self) -> list[Branch]:
        """All of them, the most robust first."""
        rows = hardest(self.content) or self.content["results"]
        ranked = sorted(rows, key=lambda row: -float(row["top1"]))
        return list(dict.fromkeys(map(tables.who, [*ranked, *self.content["results"]])))

    def of(self, branches: Sequence[Branch]) -> dict[str, Section]:
        """Key to section, with the figures of these branches alone."""

        def among(measure: Mapping[str, Any]) -> dict[str, Any]:
            rows = [row for row in measure["results"] if tables.who(row) in branches]
            return {**measure, "results": rows}

        content = among(self.content)
        for name, measure in content.items():
            if isinstance(measure, Mapping) and "results" in measure:
                content[name] = among(measure)
        return {section.key: section for section in sections(content)}


def parts(results: Results) -> dict[str, Callable[[Results], None]]:
    """Title of a tab to what draws it, for those that have something to show."""
    keys = {section.key for section in sections(results.content)}
    # A title and link, what draws it, and the sections of which it needs one.
    asked = {
        "Attacks": (_attacks, {"curves", "transfers", "smallest"}),
        "Corruptions": (_corruptions, {"corruptions"}),
        "Confidence": (_confidence, {"reliability"}),
        "Shape": (_shape, {"bias", "probes"}),
    }
    shown = {title: draw for title, (draw, needed) in asked.items() if keys & needed}
    return {**shown, "Disagreement": _disagreement, "Studies": _studies}


def _attacks(results: Results) -> None:
    st.markdown(_("### How much perturbation does each branch withstand?"))
    shown = results.of(_chosen(results.branches))
    if "curves" in shown:
        _plots(shown["curves"].groups[0].plots, 2)
        st.caption(shown["curves"].caption)
    rows = own_attacks(of_kind(results.content["results"], "clean", "attack"))
    _table(tables.accuracies(rows), tables.widest(rows))
    if "smallest" in shown:
        _section(shown["smallest"])
    for section in sections(results.content):
        if section.key == "transfers":
            _transfers(section)


def _transfers(section: Section) -> None:
    """One matrix or curve at a time."""
    st.markdown(f"### {section.title}")
    plots = {plot.key: plot for plot in section.groups[0].plots}
    titles = {
        name: unescape(plot.spec["layout"]["title"]["text"].replace("<br>", ": ", 1))
        for name, plot in plots.items()
    }
    chosen = choose(_("Network and attack"), titles, "transfer")
    _plots([plots[chosen]], 1)
    st.caption(section.caption)


def _corruptions(results: Results) -> None:
    by_branch = corrupted_by_branch(results.content)
    st.markdown(_("### Which corruptions make each branch wrong?"))
    left, right = st.columns(2)
    branches = {_name(who): who for who in results.branches if who in by_branch}
    titles = {name: ", ".join(who) for name, who in branches.items()}
    chosen = choose(_("Branch"), titles, "corrupted_branch", widget=left.selectbox)
    first = branches[chosen]
    others = {name: title for name, title in titles.items() if name != chosen}
    # Another branch of the same network where it has one, for that is what the app is about.
    siblings = (name for name in others if branches[name][0] == first[0])
    other = choose(
        _("Compared with"),
        {_NOBODY: _("no other: wrong answers"), **others},
        "compared_with",
        default=next(siblings, _NOBODY),
        widget=right.selectbox,
    )
    second = branches.get(other)
    _heat_map(by_branch, first, second)
    errors = results.content["mean_corruption_error"]
    _table(tables.errors(errors, by_branch), _("Mean over kinds and severities, 95 % intervals."))
    st.caption(corrupted_how(by_branch))


def _heat_map(
    by_branch: Mapping[Branch, Sequence[Row]], first: Branch, second: Branch | None
) -> None:
    from app.figures import robustness as figures

    if second is None:
        figure = figures.errors(by_branch[first])
        sentence = words.errors(by_branch[first])
        heading = f"Wrong answers under corruptions: {', '.join(first)}"
    else:
        gains = words.corruption_gains(by_branch[second], by_branch[first])
        if not gains:
            st.markdown(_("These two were not measured on the same corruptions."))
            return
        figure = figures.difference(gains)
        pair = f"{', '.join(first)} against {', '.join(second)}"
        heading = f"Points of accuracy under corruptions, {pair}"
        figure["data"][0]["meta"] = {"network": pair, "n": by_branch[first][0]["n"]}
        sentence = words.gain(gains, who(by_branch[second][0]), who(by_branch[first][0]))
    st.markdown(emphasised(sentence))
    chart(figure, "robustness.heat", sentence, heading)
    st.caption(_(words.HEAT if second is None else words.DIFFERENCE))


def _confidence(results: Results) -> None:
    st.markdown(_("### Does confidence match accuracy?"))
    rows = own_attacks(of_kind(results.content["results"], "clean", "attack"))
    with english():  # as links name them
        conditions = grouped(rows, describe)
    titles = {name: describe(shown[0]) for name, shown in conditions.items()}
    name = choose(_("How images were changed"), titles, "confidence_under")
    _table(tables.calibrations(conditions[name]), _(words.CALIBRATION))
    section = results.of(_chosen(results.branches))["reliability"]
    group = next((group for group in section.groups if group.title == titles[name]), None)
    if group is not None:
        _plots(group.plots, 2)
    st.caption(section.caption)


def _shape(results: Results) -> None:
    shown = results.of(_chosen(results.branches))
    if "bias" in shown:
        _section(shown["bias"])
    if "probes" in shown:
        _section(shown["probes"])
        probes = of_kind(results.content["results"], "clean", "probe")
        _table(tables.accuracies(probes), tables.widest(probes))


def _disagreement(results: Results) -> None:
    st.markdown(_("### Where do the branches disagree?"))
    if results.outcome is None:
        st.markdown(
            _(
                "A results file holds totals only. Run a measurement here to see single images "
                "and where the branches disagree."
            )
        )
    else:
        gallery.show(results.outcome)


def _studies(results: Results) -> None:
    """What was asked over several seeds, each with its answer."""
    st.markdown(_("### What does training change, over several seeds?"))
    files = bundled.bundled()
    for name, title in bundled.questions(files).items():
        content = bundled.readable(files[name])
        if not bundled.is_study(content):
            continue
        if st.button(
            title, icon=":material/science:", on_click=state.choose, kwargs={"results": name},
            key=f"robustness.study.{name}",
        ):  # fmt: skip
            st.rerun()
        st.markdown(study.lead(content))


def _chosen(branches: Sequence[Branch]) -> list[Branch]:
    """The branches that figures show; a person chooses where there are too many to tell apart."""
    if len(branches) <= MOST_BRANCHES:
        return list(branches)
    named = {_name(who): who for who in branches}
    names = several(
        _("Branches in the figures, at most {most}", most=MOST_BRANCHES),
        {name: ", ".join(who) for name, who in named.items()},
        "pictured",
        default=[*map(_name, _telling(branches))],
        most=MOST_BRANCHES,
    )
    return [named[name] for name in names]


def _telling(branches: Sequence[Branch]) -> list[Branch]:
    """Every branch of the most robust network that has two, and what is next to them."""
    counts = Counter(model for model, _branch in branches)
    pair = next((model for model in counts if counts[model] > 1), branches[0][0])
    return sorted(branches, key=lambda branch: branch[0] != pair)[:MOST_BRANCHES]


def _section(section: Section) -> None:
    st.markdown(f"### {section.title}")
    for group in section.groups:
        if group.text and len(group.plots) == 1:
            st.markdown(emphasised(group.text))
        _plots(group.plots, section.across)
    if section.caption:
        st.caption(section.caption)


def _plots(plots: Sequence[Plot], across: int) -> None:
    report_plots(plots, across, "robustness", f"plots-{plots[0].key}" if plots else "")


def _table(lines: Sequence[Mapping[str, str]], caption: str) -> None:
    table(lines)
    st.caption(caption)


def _name(who: Branch) -> str:
    """What a link calls it: ``aux of imagenette-advprop``."""
    model, branch = who
    return f"{branch} of {model}"
