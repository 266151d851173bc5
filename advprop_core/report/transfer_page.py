"""The page of a transfer experiment's report."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from pathlib import PurePath
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
from advprop_core.report.transfer_sections import transfer_sections
from advprop_core.report.transfer_words import headline, sources, tables
from advprop_core.text import trained_blocks

HEAD_ONLY = (
    "Where the head alone is trained, features are computed once, so its images are not augmented"
)


def transfer_page(content: Mapping[str, Any], draw: Draw, script: str) -> str:
    """The whole page; ``script`` is plotly.js itself."""
    data, training = PurePath(str(content["data"])).name, content["training"]
    first, *others = sources(content)
    repeat = again(str(content["command"]))
    asked = f"{content['seeds']} seeds, {content['test_images']} test images of {escape(data)}."
    body = "".join(
        section_html(section, f"{asked} {repeat}", draw) for section in transfer_sections(content)
    )
    title = f"How well do networks learn {data}?"
    said = [*content["notes"]]
    if "0" in content["trainable"]:
        said.append(HEAD_ONLY)
    lead = f"""<h1>{escape(title)}</h1>
<p class="small">Measured by AdvProp Lens, as in Utrera et al. (arXiv 2007.05869): {asked}
Each network gets a new head and is trained for {training["epochs"]} epochs in batches of at most
{training["batch_size"]}, with a learning rate of {training["learning_rate"]:g}.
<span class="main">Blue</span> is the branch main, <span class="aux">orange</span> is aux.
{escape(f"Sources are compared with {first}." if others else "")}</p>
{"".join(map(paragraph, headline(content)))}
{notes(said)}{repeat}
{_failed(content)}
{body}
<h2>All figures</h2>
{"".join(map(table_html, tables(content)))}"""
    return document(title, lead, script)


def _failed(content: Mapping[str, Any]) -> str:
    lines = "".join(
        f"<li>{escape(row['source'])}, {trained_blocks(row['trainable'])}, "
        f"{row['num_images']} images, "
        f"seed {row['seed']}: {escape(row['reason'])}</li>"
        for row in content["failed"]
    )
    return f"<h2>Cells that failed twice</h2><ul>{lines}</ul>" if lines else ""
