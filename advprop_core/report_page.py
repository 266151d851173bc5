"""The words, tables and frame of an evaluation's report; its figures are drawn in ``report``."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from advprop_core.probes import describe_probe
from advprop_core.types import format_epsilon
from advprop_core.words import NORM_TITLES

Row = Mapping[str, Any]

_CONDITION = ("kind", "attack", "norm", "epsilon", "step_size", "steps", "attack_branch",
              "corruption", "severity", "source", "probe", "strength")  # fmt: skip
CSV_HEADER = (
    "model", "branch", *_CONDITION, "n", "seed", "top1", "top1_low", "top1_high", "top5", "loss",
    "expected_calibration_error", "expected_calibration_error_low",
    "expected_calibration_error_high", "confidence_when_wrong",
)  # fmt: skip

_STYLE = """
:root { color-scheme: light; }
body { font: 16px/1.5 system-ui, sans-serif; color: #1F2933; margin: 0 auto; padding: 1rem;
  max-width: 74rem; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 1rem 0 .25rem; }
h2 { font-size: 1.2rem; margin: 2.5rem 0 .25rem; }
p { max-width: 44rem; margin: .4rem 0; }
figure { margin: .5rem 0 0; }
figcaption, .small { font-size: .85rem; color: #52606D; }
.grid { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(17rem, 1fr)); }
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


@dataclass(frozen=True)
class Section:
    """A question, what answers it in words, and its figures.

    Attributes:
        title: The heading.
        text: What the figures show, in a sentence or two.
        plots: HTML of each figure, with the words a person hears instead of it.
    """

    title: str
    text: str
    plots: tuple[tuple[str, str], ...]


def describe(row: Row) -> str:
    """What a row's images went through: ``PGD-10, L∞ ε = 2/255``, ``fog, severity 3``."""
    condition = row["condition"]
    if condition["kind"] == "clean":
        return "clean"
    if condition["kind"] == "corruption":
        return f"{condition['corruption']}, severity {condition['severity']}"
    if condition["kind"] == "probe":
        return describe_probe(condition["probe"], condition["strength"])
    radius = describe_radius(condition["norm"], condition["epsilon"])
    source = condition["attack_branch"]
    through = "" if source == row["branch"] else f", through {source}"
    return f"{condition['attack']}, {NORM_TITLES[condition['norm']]} ε = {radius}{through}"


def describe_radius(norm: str, epsilon: float) -> str:
    """In 255ths for linf, where people think in levels of a pixel."""
    return format_epsilon(epsilon) if norm == "linf" else f"{epsilon:.3g}"


def as_csv(content: Mapping[str, Any]) -> str:
    """A line for each row, fractions as they are; empty where a column does not apply."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(CSV_HEADER)
    for row in content["results"]:
        calibration = row["calibration"]
        writer.writerow(
            [
                row["model"],
                row["branch"],
                *(row["condition"].get(key) for key in _CONDITION),
                row["n"],
                content["seed"],
                row["top1"],
                *row["interval"],
                row["top5"],
                row["loss"],
                calibration["expected_calibration_error"],
                *calibration["interval"],
                calibration["confidence_when_wrong"],
            ]
        )
    return text.getvalue()


def page(content: Mapping[str, Any], sections: Sequence[Section], script: str) -> str:
    """The whole page.

    Args:
        content: Of ``results.json``.
        sections: In the order of the page.
        script: plotly.js itself, so that the page needs no network.
    """
    models = ", ".join(content["models"])
    title = f"{models} on {content['data']}"
    body = "".join(_section(one, content) for one in sections)
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
n = {content["n"]} images, seed {content["seed"]}.
<span class="main">Blue</span> is the branch main, <span class="aux">orange</span> is aux.
Bars and brackets are 95 % intervals: Wilson's for accuracies, bootstrap for the rest.
Robust accuracy is an upper bound: a stronger attack may find more.</p>
{_notes(content)}{_again(content)}
{_warnings(content)}
{body}
<h2>All figures</h2>
{_tables(content)}
</main>
</body>
</html>
"""


def _section(section: Section, content: Mapping[str, Any]) -> str:
    # The words stand on a wrapper: plotly clears the labels of its own element.
    plots = "".join(
        f'<div class="plot" role="img" aria-label="{escape(alt)}">{plot}</div>'
        for plot, alt in section.plots
    )
    arranged = f'<div class="grid">{plots}</div>' if len(section.plots) > 1 else plots
    return f"""<section>
<h2>{escape(section.title)}</h2>
<p>{escape(section.text)}</p>
<figure>{arranged}
<figcaption>n = {content["n"]} images of {escape(str(content["data"]))}, seed {content["seed"]}.
{_again(content)}</figcaption></figure>
</section>
"""


def _again(content: Mapping[str, Any]) -> str:
    command = escape(str(content["command"]))
    return f"<details><summary>Make it again</summary><code>{command}</code></details>"


def _notes(content: Mapping[str, Any]) -> str:
    """How the data were read, where there is something to say of it."""
    return "".join(f'<p class="small">{escape(one)}.</p>\n' for one in content.get("notes", ()))


def _warnings(content: Mapping[str, Any]) -> str:
    lines = "".join(f"<li>{escape(one['text'])}</li>" for one in content.get("warnings", ()))
    return f"<h2>Look twice</h2><ul>{lines}</ul>" if lines else ""


def _tables(content: Mapping[str, Any]) -> str:
    rows = content["results"]
    plain = [row for row in rows if row["condition"]["kind"] in ("clean", "attack")]
    probed = [row for row in rows if row["condition"]["kind"] == "probe"]
    corrupted = [row for row in rows if row["condition"]["kind"] == "corruption"]
    tables = _table(plain) if plain else ""
    if corrupted:
        errors = content["mean_corruption_error"]
        tables += (
            f"<h3>Mean corruption error</h3>{_errors(errors['results'])}"
            f'<p class="small">{escape(_sentence(errors["meaning"]))}</p>'
            f"{_published(content)}"
            "<details><summary>Every corruption and severity</summary>"
            f"{_table(corrupted)}</details>"
        )
    if probed:
        tables += f"<h3>What probes leave</h3>{_table(probed)}"
    if smallest := content.get("smallest_epsilon"):
        tables += (
            f"<h3>Smallest epsilon</h3>{_smallest(smallest['results'])}"
            f'<p class="small">{escape(_sentence(smallest["meaning"]))}</p>'
        )
    if biases := content.get("shape_bias"):
        tables += (
            f"<h3>Shape bias</h3>{_biases(biases['results'])}"
            f'<p class="small">{escape(_sentence(biases["meaning"]))}</p>'
        )
    return tables


def _published(content: Mapping[str, Any]) -> str:
    """The mCE of articles, where it is defined."""
    if (found := content.get("imagenet_c")) is None:
        return ""
    head = (
        '<th scope="col" class="text">model</th><th scope="col" class="text">branch</th>'
        '<th scope="col">mCE</th><th scope="col">95 % interval</th>'
        '<th scope="col">relative mCE</th><th scope="col">95 % interval</th><th scope="col">n</th>'
    )
    lines = "".join(
        f'<tr><td class="text">{escape(one["model"])}</td><td class="text">{one["branch"]}</td>'
        f"<td>{one['mce']:.1%}</td><td>{_between(one['interval'])}</td>"
        f"<td>{format(one['relative_mce'], '.1%') if 'relative_mce' in one else '–'}</td>"
        f"<td>{_between(one['relative_interval']) if 'relative_mce' in one else '–'}</td>"
        f"<td>{one['n']}</td></tr>"
        for one in found["results"]
    )
    meaning = escape(_sentence(found["meaning"]))
    return f'<h3>mCE</h3>{_framed(head, lines)}<p class="small">{meaning}</p>'


def _table(rows: Sequence[Row]) -> str:
    head = "".join(
        f'<th scope="col"{kind}>{name}</th>'
        for name, kind in (
            ("model", ' class="text"'),
            ("branch", ' class="text"'),
            ("images", ' class="text"'),
            *((name, "") for name in ("n", "top-1", "95 % interval", "top-5", "loss",
              "calibration error", "95 % interval", "confidence when wrong")),
        )
    )  # fmt: skip
    lines = "".join(f"<tr>{''.join(_cells(row))}</tr>" for row in rows)
    return _framed(head, lines)


def _cells(row: Row) -> Iterator[str]:
    calibration = row["calibration"]
    wrong = calibration["confidence_when_wrong"]
    for text in (row["model"], row["branch"], describe(row)):
        yield f'<td class="text">{escape(str(text))}</td>'
    for number in (
        str(row["n"]),
        f"{row['top1']:.1%}",
        _between(row["interval"]),
        f"{row['top5']:.1%}",
        f"{row['loss']:.3f}",
        f"{calibration['expected_calibration_error']:.1%}",
        _between(calibration["interval"]),
        "–" if wrong is None else f"{wrong:.1%}",
    ):
        yield f"<td>{number}</td>"


def _errors(errors: Sequence[Row]) -> str:
    head = (
        '<th scope="col" class="text">model</th><th scope="col" class="text">branch</th>'
        '<th scope="col">error</th><th scope="col">95 % interval</th><th scope="col">n</th>'
        '<th scope="col">kinds</th><th scope="col">severities</th>'
    )
    lines = "".join(
        f'<tr><td class="text">{escape(one["model"])}</td><td class="text">{one["branch"]}</td>'
        f"<td>{one['error']:.1%}</td><td>{_between(one['interval'])}</td><td>{one['n']}</td>"
        f"<td>{len(one['corruptions'])}</td><td>{', '.join(map(str, one['severities']))}</td></tr>"
        for one in errors
    )
    return _framed(head, lines)


def _biases(biases: Sequence[Row]) -> str:
    head = (
        '<th scope="col" class="text">model</th><th scope="col" class="text">branch</th>'
        '<th scope="col">shape bias</th><th scope="col">95 % interval</th><th scope="col">n</th>'
        '<th scope="col">by shape</th><th scope="col">by texture</th>'
        '<th scope="col">by neither</th>'
    )
    lines = "".join(
        f'<tr><td class="text">{escape(one["model"])}</td><td class="text">{one["branch"]}</td>'
        f"<td>{'–' if one['shape_bias'] is None else format(one['shape_bias'], '.1%')}</td>"
        f"<td>{_between(one['interval']) if one['interval'] else '–'}</td><td>{one['n']}</td>"
        f"<td>{one['shape']:.1%}</td><td>{one['texture']:.1%}</td><td>{one['neither']:.1%}</td></tr>"
        for one in biases
    )
    return _framed(head, lines)


def _smallest(results: Sequence[Row]) -> str:
    head = (
        '<th scope="col" class="text">model</th><th scope="col" class="text">branch</th>'
        '<th scope="col" class="text">attack</th><th scope="col">median</th>'
        '<th scope="col">95 % interval</th><th scope="col">n</th>'
        '<th scope="col">wrong before</th><th scope="col">never turned</th>'
    )
    lines = "".join(
        f'<tr><td class="text">{escape(one["model"])}</td><td class="text">{one["branch"]}</td>'
        f'<td class="text">{one["attack"]}, {NORM_TITLES[one["norm"]]}</td>'
        f"<td>{smallest_radius(one, one['median'])}</td>"
        f"<td>{' to '.join(smallest_radius(one, end) for end in one['interval'])}</td>"
        f"<td>{one['n']}</td><td>{one['wrong']:.1%}</td><td>{one['never']:.1%}</td></tr>"
        for one in results
    )
    return _framed(head, lines)


def smallest_radius(one: Row, value: float | None) -> str:
    """A smallest epsilon as people read it; what is None lies above the limit."""
    if value is None:
        return f"above {describe_radius(one['norm'], one['limit'])}"
    return f"{255 * value:.3g}/255" if one["norm"] == "linf" else f"{value:.3g}"


def _framed(head: str, lines: str) -> str:
    return (
        '<div class="scroll" tabindex="0" role="region" aria-label="Table of figures"><table>'
        f"<thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table></div>"
    )


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def _between(interval: Sequence[float]) -> str:
    low, high = interval
    return f"{low:.1%} to {high:.1%}"
