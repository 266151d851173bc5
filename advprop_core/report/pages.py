"""The pages of reports; their figures are drawn in ``files``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import PurePath
from typing import Any

from advprop_core.report import tables, transfer_words
from advprop_core.report.html import (
    Draw,
    again,
    document,
    notes,
    paragraph,
    section_html,
    table_html,
)
from advprop_core.report.sections import Section, sections, with_short_names
from advprop_core.report.sentences import headline
from advprop_core.report.transfer_sections import transfer_sections
from advprop_core.report.words import gradients_checked, images_asked
from advprop_core.text import trained_blocks

HEAD_ONLY = (
    "Where the head alone is trained, features are computed once, so its images are not augmented"
)


def page(content: Mapping[str, Any], draw: Draw, script: str) -> str:
    """The page of an evaluation; ``script`` is plotly.js itself."""
    models = ", ".join(content["models"])
    asked = f"{images_asked(content)} of {escape(str(content['data']))},\nseed {content['seed']}."
    short = with_short_names(content)
    body = _body(content, sections(short), asked, tables.tables(content), draw)
    lead = f"""<h1>How robust are {escape(models)}?</h1>
<p class="small">Measured by AdvProp Lens on {escape(str(content["data"]))}:
{images_asked(content)}, seed {content["seed"]}.
<span class="main">Blue</span> is the branch main, <span class="aux">orange</span> is aux.
Whiskers, bands and brackets are 95 % intervals: Wilson's for accuracies, bootstrap for the rest.
Robust accuracy is an upper bound: a stronger attack may find more.</p>
{"".join(map(paragraph, headline(short)))}
{notes(content.get("notes", ()))}{again(str(content["command"]))}
{_warnings(content)}
{body}"""
    return document(f"{models} on {content['data']}", lead, script)


def transfer_page(content: Mapping[str, Any], draw: Draw, script: str) -> str:
    """The page of a transfer experiment; ``script`` is plotly.js itself."""
    data, training = PurePath(str(content["data"])).name, content["training"]
    first, *others = transfer_words.sources(content)
    asked = f"{content['seeds']} seeds, {content['test_images']} test images of {escape(data)}."
    shown = transfer_sections(content)
    body = _body(content, shown, asked, transfer_words.tables(content), draw)
    title = f"How well do networks learn {data}?"
    remarks = [*content["notes"], *([HEAD_ONLY] if "0" in content["trainable"] else [])]
    lead = f"""<h1>{escape(title)}</h1>
<p class="small">Measured by AdvProp Lens, as in Utrera et al. (arXiv 2007.05869): {asked}
Each network gets a new head and is trained for {training["epochs"]} epochs in batches of at most
{training["batch_size"]}, with a learning rate of {training["learning_rate"]:g}.
<span class="main">Blue</span> is the branch main, <span class="aux">orange</span> is aux.
{escape(f"Sources are compared with {first}." if others else "")}</p>
{"".join(map(paragraph, transfer_words.headline(content)))}
{notes(remarks)}{again(str(content["command"]))}
{_failed(content)}
{body}"""
    return document(title, lead, script)


def _body(
    content: Mapping[str, Any],
    shown: Iterable[Section],
    asked: str,
    figures: Iterable[tables.Table],
    draw: Draw,
) -> str:
    """The sections, each with what was asked and the command; and all figures in tables."""
    footer = f"{asked} {again(str(content['command']))}"
    body = "".join(section_html(section, footer, draw) for section in shown)
    return f"{body}\n<h2>All figures</h2>\n{''.join(map(table_html, figures))}"


def _warnings(content: Mapping[str, Any]) -> str:
    if checked := gradients_checked(content):
        return f"<p>{escape(checked)}</p>"
    return _list("Look twice", [warning["text"] for warning in content.get("warnings", ())])


def _failed(content: Mapping[str, Any]) -> str:
    return _list(
        "Cells that failed twice",
        [
            f"{row['source']}, {trained_blocks(row['trainable'])}, {row['num_images']} images, "
            f"seed {row['seed']}: {row['reason']}"
            for row in content["failed"]
        ],
    )


def _list(title: str, texts: Sequence[str]) -> str:
    lines = "".join(f"<li>{escape(text)}</li>" for text in texts)
    return f"<h2>{title}</h2><ul>{lines}</ul>" if lines else ""
