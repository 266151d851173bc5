"""The report of a transfer experiment: sentences, tables, plots and the page."""

import json

import pytest

from advprop_core.report.pages import write_transfer_report
from advprop_core.report.transfer_sections import transfer_sections
from advprop_core.report.transfer_words import headline, tables

SOURCES = {"net<b>": "main", "net<b>:aux": "aux"}


def point(accuracy, difference=None, half=0.01):
    return {
        "accuracy": accuracy,
        "interval": [accuracy - 0.02, accuracy + 0.02],
        "difference": difference,
        "difference_interval": None
        if difference is None
        else [difference - half, difference + half],
    }


@pytest.fixture
def content():
    rows = []
    for trainable in ("0", "all"):
        for count, gain in ((100, 0.05), (400, -0.003)):
            for source, difference in (("net<b>", None), ("net<b>:aux", gain)):
                last = point(0.5 + count / 1000 + (difference or 0), difference)
                first = point(0.3, None if difference is None else 0.0)
                group = {"source": source, "trainable": trainable, "num_images": count, "seeds": 3}
                rows.append({**group, **last, "epochs": [1, 9], "by_epoch": [first, last]})
    needed = [
        {
            "source": "net<b>:aux", "trainable": "0", "num_images": 100, "accuracy": 0.6,
            "images": {"amount": 100, "relation": "at most"},
            "epochs": {"amount": 6.4, "relation": "about"},
        }
    ]  # fmt: skip
    source = {"architecture": "x", "size": 64, "training": "natural", "digest": "d"}
    return {
        "format": 1, "kind": "transfer", "command": "advprop transfer --source 'net<b>'",
        "data": "photos", "classes": ["a", "b"], "train_images": 900, "test_images": 70,
        "seeds": 3, "num_images": [100, 400], "trainable": ["0", "all"],
        "sources": {name: source | {"branch": branch} for name, branch in SOURCES.items()},
        "training": {"epochs": 9, "batch_size": 128, "learning_rate": 0.1},
        "notes": ["one was resized"], "results": [], "accuracies": rows, "needed": needed,
        "failed": [{"source": "net<b>", "trainable": "1", "num_images": 100, "seed": 2,
                    "reason": "it died", "details": ""}],
    }  # fmt: skip


def test_the_headline_says_only_what_intervals_allow(content) -> None:
    first, *_ = headline(content)
    assert first == (
        "net<b>:aux against net<b>, head only: better with 100 (+5.0 points, +4.0 to +6.0) images; "
        "no clear difference with 400 (−0.3 points, −1.3 to +0.7) images."
    )


def test_tables_hold_every_figure(content) -> None:
    head, everything = tables(content)
    assert head.title == "Accuracy on 70 test images, head only"
    assert head.rows[1] == (
        "net<b>:aux", "natural", "100", "3", "65.0 %", "63.0 % to 67.0 %", "+5.0", "+4.0 to +6.0",
        "at most 100", "6",
    )  # fmt: skip
    assert head.rows[0][6:] == ("–", "–", "–", "–")
    assert len(everything.rows) == 4


def test_plots_show_what_the_rows_say(content) -> None:
    by_key = {section.key: section for section in transfer_sections(content)}
    assert [*by_key] == ["images", "differences", "blocks", "epochs"]
    band, line = by_key["differences"].groups[0].plots[0].spec["data"]
    assert line["y"] == pytest.approx([5, -0.3])
    assert line["name"] == "net&lt;b&gt;:aux"
    assert band["y"] == pytest.approx([6, 0.7, -1.3, 4])
    plots = [plot for group in by_key["epochs"].groups for plot in group.plots]
    assert len({plot.key for plot in plots}) == len(plots) == 4
    assert plots[0].spec["layout"]["xaxis"]["tickvals"] == [1, 9]
    assert plots[0].alt == "100 images: net<b> ends at 60 % and net<b>:aux ends at 65 %"


def test_no_two_of_nine_sources_are_drawn_alike(content) -> None:
    names = [f"net-{index}" for index in range(9)]
    content["sources"] = dict.fromkeys(names, content["sources"]["net<b>"])
    row = content["accuracies"][0]
    content["accuracies"] = [row | {"source": name} for name in names]
    images = next(transfer_sections(content)).groups[0].plots[0].spec["data"]
    lines = [line for line in images if "name" in line]
    assert len({(line["line"]["dash"], line["marker"]["symbol"]) for line in lines}) == 9


def test_one_source_alone_has_no_differences(content) -> None:
    content["sources"].pop("net<b>:aux")
    content["accuracies"] = [row for row in content["accuracies"] if row["source"] == "net<b>"]
    content["needed"] = []
    assert "differences" not in [section.key for section in transfer_sections(content)]
    assert [*headline(content)] == [
        "net<b> is right on 90.0 % of the test images with 400 training images, head only."
    ]


def test_the_page_needs_no_network_and_escapes_names(content, tmp_path) -> None:
    written = write_transfer_report(tmp_path, content)
    assert [path.name for path in written] == ["results.json", "report.html"]
    assert json.loads(written[0].read_text()) == content
    page = written[1].read_text()
    body = page[page.index("<body>") :]
    assert "net<b>" not in body
    assert "net&lt;b&gt;:aux" in body
    assert "Cells that failed twice" in body
    assert "src=" not in body


def test_many_numbers_of_images_are_told_by_their_ends() -> None:
    rows = [
        {"source": "b", "trainable": "0", "num_images": count, **point(0.5, difference)}
        for count, difference in [(100, 0.03), (200, 0.05), (400, 0.0), (800, 0.06)]
    ]
    said = lambda rows: [*headline({"sources": {"a": {}, "b": {}}, "accuracies": rows})]  # noqa: E731
    assert said(rows[:3]) == [
        "b against a, head only: better with 100 (+3.0 points, +2.0 to +4.0) and 200 "
        "(+5.0 points, +4.0 to +6.0) images; "
        "no clear difference with 400 (+0.0 points, −1.0 to +1.0) images."
    ]
    assert "better with 100, 200 and 800 images (+3.0 to +6.0 points)" in said(rows)[0]
    rows[2] |= point(0.5, 0.04)
    assert said(rows) == [
        "b against a, head only: better with 100 to 800 images (+3.0 to +6.0 points)."
    ]
