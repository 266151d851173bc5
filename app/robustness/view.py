"""What a person has chosen on the Robustness page, and the choices inside its tabs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import streamlit as st

from advprop_core.attacks.named import AUTOATTACK
from app.language.text import N_
from app.shell import links, state
from app.shell.state import key
from app.shell.view import ATTACKS, NORMS, View, one_of, some_of, tab_of, within

PARTS = (
    N_("Attacks"), N_("Corruptions"), N_("Confidence"), N_("Shape"), N_("Disagreement"),
    N_("Studies"),
)  # fmt: skip
"""Tabs with more of a result, where it has something for them."""
INNER = ("transfer", "corrupted_branch", "compared_with", "confidence_under", "pictured", "asked",
         "asked_on", "gallery_network", "gallery_condition", "gallery_group")  # fmt: skip
"""Fields of what is chosen inside the tabs; see :func:`app.shell.state.remembered`."""


@dataclass(frozen=True)
class RobustnessView(View):
    """What is measured, and whose results are shown.

    Attributes:
        tested: Networks that are measured; empty until the page is opened.
        data: What they are measured on; a key of :data:`app.robustness.measurement.DATA`, or empty
            for the first that the networks know.
        images: Number of images.
        attacks: Kinds of attack.
        ball: Their norm.
        radii: Their radii, as people write them.
        attack_steps: Steps of attacks that take several.
        restarts: Random starts of PGD.
        through_each: Whether attacks go through each branch in turn.
        sanity: Whether it is checked that gradients are not masked.
        searched: Whether the smallest radius that fools each image is searched for.
        probed: Whether images are shown without outlines, colour and the like.
        corrupted: Whether corruptions are measured.
        severities: Which of theirs.
        results: ``run``, ``file`` or the name of bundled results; empty for the first there is.
        part: Which tab is open; one of :data:`PARTS`.
        transfer: Which matrix, or curve, of attacks through other branches.
        corrupted_branch: Whose answers to corruptions are drawn.
        compared_with: Against whom; ``nobody`` for wrong answers alone.
        confidence_under: What images went through, where confidence is looked at.
        pictured: Branches in figures that take few.
        asked: Number of a study's question.
        asked_on: The measure of the answer.
        gallery_network: Whose branches disagree.
        gallery_condition: About images that went through what.
        gallery_group: Which of these images.
    """

    tested: tuple[str, ...] = ()
    data: str = ""
    images: int = within(64, 10, 2000)
    attacks: tuple[str, ...] = some_of(("pgd",), {**ATTACKS, AUTOATTACK: "AutoAttack"})
    ball: str = one_of("linf", NORMS)
    radii: str = "1/255, 2/255, 4/255"
    attack_steps: int = within(10, 1, 100)
    restarts: int = within(1, 1, 20)
    through_each: bool = False
    sanity: bool = False
    searched: bool = False
    probed: bool = False
    corrupted: bool = False
    severities: tuple[str, ...] = some_of(("1", "3", "5"), ("1", "2", "3", "4", "5"))
    results: str = ""
    part: str = tab_of(PARTS)
    transfer: str = ""
    corrupted_branch: str = ""
    compared_with: str = ""
    confidence_under: str = ""
    pictured: tuple[str, ...] = ()
    asked: str = ""
    asked_on: str = ""
    gallery_network: str = ""
    gallery_condition: str = ""
    gallery_group: str = ""


def choose(
    label: str,
    titles: Mapping[str, str],
    field: str,
    *,
    default: str = "",
    widget: Callable[..., str | None] = st.selectbox,
) -> str:
    """One of several inside a tab, which the link remembers as it does the controls.

    Which there are depends on the results that are shown. A field that is empty stands for the
    default, so that a link holds only what a person chose.

    Args:
        label: Of the widget.
        titles: Name to what a person reads; at least one.
        field: Of the page's view.
        default: What is shown while nothing was chosen; the first by default.
        widget: Shows them; a list by default.

    Returns:
        Its name.
    """
    first = default or next(iter(titles))
    asked, linked = st.session_state[key(field)], st.session_state["linked"]
    if asked == first:
        st.session_state[key(field)] = ""
    # What is not on offer is replaced; where the link asked for it, that is said.
    is_linked = linked.results in ("", st.session_state[key("results")])
    is_linked = is_linked and getattr(linked, field) == asked
    state.keep_within(field, ["", *titles], links.complaint(field, asked) if is_linked else "")
    chosen = widget(
        label,
        ["" if name == first else name for name in titles],
        format_func=lambda name: titles[name or first],
        key=key(field),
    )
    return chosen or first
