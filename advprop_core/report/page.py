"""The frame of an evaluation's report; its figures are drawn in ``report``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

from advprop_core.report.sections import Group, Plot, Section, with_short_names
from advprop_core.report.sentences import headline, with_emphasis
from advprop_core.report.tables import TEXTS, Table, tables
from advprop_core.report.words import gradients_checked, images_asked

_STYLE = """
:root { color-scheme: light; }
body { font: 16px/1.5 system-ui, sans-serif; color: #1F2933; margin: 0 auto; padding: 1rem;
  max-width: 74rem; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 1rem 0 .25rem; }
h2 { font-size: 1.2rem; margin: 2.5rem 0 .25rem; }
p { max-width: 44rem; margin: .4rem 0; }
figure { margin: .5rem 0 0; }
figcaption, .small { font-size: .85rem; color: #52606D; }
.grid { display: grid; gap: 1rem;
  grid-template-columns: repeat(auto-fill, minmax(min(22rem, 100%), 1fr)); }
.plot { min-width: 0; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .85rem; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .7rem .3rem 0; text-align: right; white-space: nowrap;
  border-bottom: 1px solid #E4E7EB; }
th.text, td.text { text-align: left; }
thead th { border-bottom: 2px solid #9AA5B1; }
code { font-size: .8rem; overflow-wrap: anywhere; background: #F5F7FA; padding: .1rem .3rem; }
summary { cursor: pointer; }
.main { color: #0072B2; font-weight: 600; } .aux { color: #B34E00; font-weight: 600; }
"""


def page(
    content: Mapping[str, Any],
    sections: Sequence[Section],
    draw: Callable[[Plot], str],
    script: str,
) -> str:
    """The whole page; ``draw`` makes HTML of a plot, and ``script`` is plotly.js itself."""
    models = ", ".join(content["models"])
    title = f"{models} on {content['data']}"
    body = "".join(_section(section, content, draw) for section in sections)
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<style>{_STYLE}</style>
<script>{script}</script>
</head>
<body>
<main>
<h1>How robust are {escape(models)}?</h1>
<p class="small">Measured by AdvProp Lens on {escape(str(content["data"]))}:
{images_asked(content)}, seed {content["seed"]}.
<span class="main">Blue</span> is the branch main, <span class="aux">orange</span> is aux.
Whiskers, bands and brackets are 95 % intervals: Wilson's for accuracies, bootstrap for the rest.
Robust accuracy is an upper bound: a stronger attack may find more.</p>
{"".join(map(_paragraph, headline(with_short_names(content))))}
{_notes(content)}{_again(content)}
{_warnings(content)}
{body}
<h2>All figures</h2>
{"".join(map(_table, tables(content)))}
</main>
</body>
</html>
"""


def _section(section: Section, content: Mapping[str, Any], draw: Callable[[Plot], str]) -> str:
    groups = "".join(_group(group, draw) for group in section.groups)
    return f"""<section>
<h2>{escape(section.title)}</h2>
<figure>{groups}
<figcaption>{escape(section.caption)} {images_asked(content)} of {escape(str(content["data"]))},
seed {content["seed"]}. {_again(content)}</figcaption></figure>
</section>
"""


def _group(group: Group, draw: Callable[[Plot], str]) -> str:
    wide = "".join(_plot(plot, draw) for plot in group.plots if plot.is_wide)
    narrow = [_plot(plot, draw) for plot in group.plots if not plot.is_wide]
    grid = "".join(narrow)
    if len(narrow) > 1:
        grid = f'<div class="grid">{grid}</div>'
    return f"{_paragraph(group.text)}{wide}{grid}"


def _plot(plot: Plot, draw: Callable[[Plot], str]) -> str:
    # The words stand on a wrapper: plotly clears the labels of its own element.
    alt = escape(with_emphasis(plot.alt, str, "", ""))
    shown = f'<div class="plot" role="img" aria-label="{alt}">{draw(plot)}</div>'
    return f"<div>{shown}{_paragraph(plot.note)}</div>" if plot.note else shown


def _paragraph(text: str) -> str:
    return f"<p>{with_emphasis(text, escape, '<strong>', '</strong>')}</p>" if text else ""


def _again(content: Mapping[str, Any]) -> str:
    command = escape(str(content["command"]))
    return f"<details><summary>Make it again</summary><code>{command}</code></details>"


def _notes(content: Mapping[str, Any]) -> str:
    """How the data were read, where there is something to say of it."""
    return "".join(f'<p class="small">{escape(note)}.</p>\n' for note in content.get("notes", ()))


def _warnings(content: Mapping[str, Any]) -> str:
    lines = "".join(
        f"<li>{escape(warning['text'])}</li>" for warning in content.get("warnings", ())
    )
    if checked := gradients_checked(content):
        return f"<p>{escape(checked)}</p>"
    return f"<h2>Look twice</h2><ul>{lines}</ul>" if lines else ""


def _table(table: Table) -> str:
    """Below its heading, or folded away, and above the meaning of its figures."""
    kinds = [' class="text"' if column in TEXTS else "" for column in table.columns]
    head = "".join(
        f'<th scope="col"{kind}>{escape(column)}</th>'
        for column, kind in zip(table.columns, kinds, strict=True)
    )
    lines = "".join(
        "<tr>"
        + "".join(f"<td{kind}>{escape(text)}</td>" for text, kind in zip(row, kinds, strict=True))
        + "</tr>"
        for row in table.rows
    )
    shown = (
        '<div class="scroll" tabindex="0" role="region" aria-label="Table of figures"><table>'
        f"<thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table></div>"
    )
    if table.is_long:
        return f"<details><summary>{escape(table.title)}</summary>{shown}</details>"
    meanings = "".join(
        f'<p class="small">{escape(text[0].upper() + text[1:])}.</p>' for text in table.meanings
    )
    return f"<h3>{escape(table.title)}</h3>{shown}{meanings}"
