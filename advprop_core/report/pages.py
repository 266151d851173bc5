"""Reports as files: ``results.json``, ``results.csv``, and a page that needs no network.

The only file of the library that imports plotly, and only when a page is made.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path, PurePath

from advprop_core.files import write_whole
from advprop_core.report import tables, transfer_words
from advprop_core.report.sections import Group, Plot, Section, sections, with_short_names
from advprop_core.report.sentences import headline, with_emphasis
from advprop_core.report.style import LOCALES
from advprop_core.report.transfer_sections import transfer_sections
from advprop_core.report.words import Content, as_csv, gradients_checked, images_asked
from advprop_core.text import trained_blocks

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
_HEAD_ONLY = (
    "Where the head alone is trained, features are computed once, so its images are not augmented"
)


def write_report(folder: Path, content: Content) -> tuple[Path, ...]:
    """Write the files of a report into a folder, each whole or not at all; returns their paths.

    The content is that of :func:`~advprop_core.evaluation.summary.summarise`.
    """
    return _write(folder, content, {"results.csv": as_csv(content), "report.html": page(content)})


def write_transfer_report(folder: Path, content: Content) -> tuple[Path, ...]:
    """Write ``results.json`` and the page of a transfer experiment, each whole or not at all.

    The content is that of :func:`~advprop_core.transfer.results_file.summarise`.
    """
    return _write(folder, content, {"report.html": transfer_page(content)})


def _write(folder: Path, content: Content, texts: Mapping[str, str]) -> tuple[Path, ...]:
    results = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
    files = {"results.json": results, **texts}
    for name, text in files.items():
        write_whole(folder / name, text)
    return tuple(folder / name for name in files)


def page(content: Content) -> str:
    """The page of an evaluation."""
    models = ", ".join(content["models"])
    sample = f"{images_asked(content)} of {escape(str(content['data']))},\nseed {content['seed']}."
    short = with_short_names(content)
    body = _body(content, sections(short), sample, tables.tables(content))
    warnings = _list("Look twice", [warning["text"] for warning in content.get("warnings", ())])
    if checked := gradients_checked(content):
        warnings = f"<p>{escape(checked)}</p>"
    lead = f"""<h1>How robust are {escape(models)}?</h1>
<p class="small">Measured by AdvProp Lens on {escape(str(content["data"]))}:
{images_asked(content)}, seed {content["seed"]}.
<span class="main">Blue</span> is the branch main, <span class="aux">orange</span> is aux.
Whiskers, bands and brackets are 95 % intervals: Wilson's for accuracies, bootstrap for the rest.
Robust accuracy is an upper bound: a stronger attack may find more.</p>
{"".join(map(_paragraph, headline(short)))}
{_notes(content.get("notes", ()))}{_again(str(content["command"]))}
{warnings}
{body}"""
    return _document(f"{models} on {content['data']}", lead)


def transfer_page(content: Content) -> str:
    """The page of a transfer experiment."""
    data, training = PurePath(str(content["data"])).name, content["training"]
    first, *others = transfer_words.sources(content)
    sample = f"{content['seeds']} seeds, {content['test_images']} test images of {escape(data)}."
    sections = transfer_sections(content)
    body = _body(content, sections, sample, transfer_words.tables(content))
    title = f"How well do networks learn {data}?"
    remarks = [*content["notes"], *([_HEAD_ONLY] if "0" in content["trainable"] else [])]
    failed = [
        f"{row['source']}, {trained_blocks(row['trainable'])}, {row['num_images']} images, "
        f"seed {row['seed']}: {row['reason']}"
        for row in content["failed"]
    ]
    lead = f"""<h1>{escape(title)}</h1>
<p class="small">Measured by AdvProp Lens, as in Utrera et al. (arXiv 2007.05869): {sample}
Each network gets a new head and is trained for {training["epochs"]} epochs in batches of at most
{training["batch_size"]}, with a learning rate of {training["learning_rate"]:g}.
<span class="main">Blue</span> is the branch main, <span class="aux">orange</span> is aux.
{escape(f"Sources are compared with {first}." if others else "")}</p>
{"".join(map(_paragraph, transfer_words.headline(content)))}
{_notes(remarks)}{_again(str(content["command"]))}
{_list("Cells that failed twice", failed)}
{body}"""
    return _document(title, lead)


def _body(
    content: Content,
    sections: Iterable[Section],
    sample: str,
    figures: Iterable[tables.Table],
) -> str:
    """The sections, each with what was asked and the command; and all figures in tables."""
    footer = f"{sample} {_again(str(content['command']))}"
    body = "".join(_section(section, footer) for section in sections)
    return f"{body}\n<h2>All figures</h2>\n{''.join(map(_table, figures))}"


def _list(title: str, texts: Sequence[str]) -> str:
    lines = "".join(f"<li>{escape(text)}</li>" for text in texts)
    return f"<h2>{title}</h2><ul>{lines}</ul>" if lines else ""


def _document(title: str, body: str) -> str:
    """A whole page, with plotly.js inside; ``body`` is HTML."""
    from plotly.offline import get_plotlyjs

    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<style>{_STYLE}</style>
<script>{get_plotlyjs()}</script>
</head>
<body>
<main>
{body}
</main>
</body>
</html>
"""


def _section(section: Section, footer: str) -> str:
    """A section with its plots; ``footer`` is HTML behind its caption."""
    groups = "".join(_group(group) for group in section.groups)
    return f"""<section>
<h2>{escape(section.title)}</h2>
<figure>{groups}
<figcaption>{escape(section.caption)} {footer}</figcaption></figure>
</section>
"""


def _group(group: Group) -> str:
    wide = "".join(_plot(plot) for plot in group.plots if plot.is_wide)
    narrow = [_plot(plot) for plot in group.plots if not plot.is_wide]
    grid = "".join(narrow)
    if len(narrow) > 1:
        grid = f'<div class="grid">{grid}</div>'
    return f"{_paragraph(group.text)}{wide}{grid}"


def _plot(plot: Plot) -> str:
    from plotly.graph_objects import Figure

    drawing = Figure(plot.spec).to_html(
        full_html=False,
        include_plotlyjs=False,
        div_id=plot.key.replace(".", "-"),
        config={"displayModeBar": False, "responsive": True, "locales": LOCALES},
    )
    # The words stand on a wrapper: plotly clears the labels of its own element.
    alt = escape(with_emphasis(plot.alt, str, "", ""))
    labelled = f'<div class="plot" role="img" aria-label="{alt}">{drawing}</div>'
    return f"<div>{labelled}{_paragraph(plot.note)}</div>" if plot.note else labelled


def _paragraph(text: str) -> str:
    """A text as HTML, with the names of branches in their colours; nothing for an empty one."""
    return f"<p>{with_emphasis(text, escape, '<strong>', '</strong>')}</p>" if text else ""


def _again(command: str) -> str:
    """The command, folded away."""
    return f"<details><summary>Make it again</summary><code>{escape(command)}</code></details>"


def _notes(texts: Sequence[str]) -> str:
    """What should be known of the figures, a small paragraph each."""
    return "".join(f'<p class="small">{escape(text)}.</p>\n' for text in texts)


def _table(table: tables.Table) -> str:
    """A table below its heading, or folded away, and above the meaning of its figures."""
    kinds = [' class="text"' if column in tables.TEXTS else "" for column in table.columns]
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
    drawings = (
        '<div class="scroll" tabindex="0" role="region" aria-label="Table of figures"><table>'
        f"<thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table></div>"
    )
    if table.is_long:
        return f"<details><summary>{escape(table.title)}</summary>{drawings}</details>"
    meanings = "".join(
        f'<p class="small">{escape(text[0].upper() + text[1:])}.</p>' for text in table.meanings
    )
    return f"<h3>{escape(table.title)}</h3>{drawings}{meanings}"
