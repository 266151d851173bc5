"""The page of an evaluation's report; its figures are drawn in ``files``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from advprop_core.report.html import (
    Draw,
    again,
    document,
    notes,
    paragraph,
    section_html,
    table_html,
)
from advprop_core.report.sections import Section, with_short_names
from advprop_core.report.sentences import headline
from advprop_core.report.tables import tables
from advprop_core.report.words import gradients_checked, images_asked


def page(content: Mapping[str, Any], sections: Sequence[Section], draw: Draw, script: str) -> str:
    """The whole page; ``script`` is plotly.js itself."""
    models = ", ".join(content["models"])
    repeat = again(str(content["command"]))
    footer = (
        f"{images_asked(content)} of {escape(str(content['data']))},\n"
        f"seed {content['seed']}. {repeat}"
    )
    body = "".join(section_html(section, footer, draw) for section in sections)
    lead = f"""<h1>How robust are {escape(models)}?</h1>
<p class="small">Measured by AdvProp Lens on {escape(str(content["data"]))}:
{images_asked(content)}, seed {content["seed"]}.
<span class="main">Blue</span> is the branch main, <span class="aux">orange</span> is aux.
Whiskers, bands and brackets are 95 % intervals: Wilson's for accuracies, bootstrap for the rest.
Robust accuracy is an upper bound: a stronger attack may find more.</p>
{"".join(map(paragraph, headline(with_short_names(content))))}
{notes(content.get("notes", ()))}{repeat}
{_warnings(content)}
{body}
<h2>All figures</h2>
{"".join(map(table_html, tables(content)))}"""
    return document(f"{models} on {content['data']}", lead, script)


def _warnings(content: Mapping[str, Any]) -> str:
    lines = "".join(
        f"<li>{escape(warning['text'])}</li>" for warning in content.get("warnings", ())
    )
    if checked := gradients_checked(content):
        return f"<p>{escape(checked)}</p>"
    return f"<h2>Look twice</h2><ul>{lines}</ul>" if lines else ""
