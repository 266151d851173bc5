"""Pages that need no network: their frame, sections and tables, whatever they report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape

from advprop_core.report.sections import Group, Plot, Section
from advprop_core.report.sentences import with_emphasis
from advprop_core.report.tables import TEXTS, Table

Draw = Callable[[Plot], str]
"""Makes HTML of a plot."""

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


def document(title: str, body: str, script: str) -> str:
    """A whole page; ``body`` is HTML, and ``script`` is plotly.js itself."""
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
{body}
</main>
</body>
</html>
"""


def section_html(section: Section, footer: str, draw: Draw) -> str:
    """A section with its plots; ``footer`` is HTML behind its caption."""
    groups = "".join(_group(group, draw) for group in section.groups)
    return f"""<section>
<h2>{escape(section.title)}</h2>
<figure>{groups}
<figcaption>{escape(section.caption)} {footer}</figcaption></figure>
</section>
"""


def _group(group: Group, draw: Draw) -> str:
    wide = "".join(_plot(plot, draw) for plot in group.plots if plot.is_wide)
    narrow = [_plot(plot, draw) for plot in group.plots if not plot.is_wide]
    grid = "".join(narrow)
    if len(narrow) > 1:
        grid = f'<div class="grid">{grid}</div>'
    return f"{paragraph(group.text)}{wide}{grid}"


def _plot(plot: Plot, draw: Draw) -> str:
    # The words stand on a wrapper: plotly clears the labels of its own element.
    alt = escape(with_emphasis(plot.alt, str, "", ""))
    shown = f'<div class="plot" role="img" aria-label="{alt}">{draw(plot)}</div>'
    return f"<div>{shown}{paragraph(plot.note)}</div>" if plot.note else shown


def paragraph(text: str) -> str:
    """A text as HTML, with the names of branches in their colours; nothing for an empty one."""
    return f"<p>{with_emphasis(text, escape, '<strong>', '</strong>')}</p>" if text else ""


def again(command: str) -> str:
    """The command, folded away."""
    return f"<details><summary>Make it again</summary><code>{escape(command)}</code></details>"


def notes(texts: Sequence[str]) -> str:
    """What should be known of the figures, a small paragraph each."""
    return "".join(f'<p class="small">{escape(text)}.</p>\n' for text in texts)


def table_html(table: Table) -> str:
    """A table below its heading, or folded away, and above the meaning of its figures."""
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
