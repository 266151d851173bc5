"""The report of an evaluation: three files, of which the page needs no network."""

import csv
import re
from html.parser import HTMLParser

import pytest

from advprop_core import report
from advprop_core.report_page import CSV_HEADER, describe

BINS = {"low": [14 / 15], "high": [1.0], "n": [4], "confidence": [0.97], "accuracy": [0.5]}


def row(branch, condition, top1=0.5):
    calibration = {
        "expected_calibration_error": 0.47,
        "interval": [0.4, 0.5],
        "confidence_when_wrong": None,
        "bins": BINS,
    }
    return {
        "model": "a<b>.safetensors", "branch": branch, "condition": condition, "n": 4,
        "top1": top1, "top5": 1.0, "loss": 0.25, "interval": [0.3, 0.7],
        "calibration": calibration,
    }  # fmt: skip


def attacked(epsilon, source):
    return {
        "kind": "attack", "attack": "PGD-10", "norm": "linf", "epsilon": epsilon,
        "step_size": epsilon / 4, "steps": 10, "attack_branch": source,
    }  # fmt: skip


def corrupted(kind, severity):
    return {"kind": "corruption", "corruption": kind, "severity": severity}


@pytest.fixture
def content():
    rows = [row(branch, {"kind": "clean"}, 0.75) for branch in ("main", "aux")]
    rows += [row("main", attacked(e, "main")) for e in (1 / 255, 2 / 255)]
    rows += [row("aux", attacked(e, "main")) for e in (1 / 255, 2 / 255)]
    rows += [row("main", corrupted(kind, s)) for kind in ("fog", "shot_noise") for s in (1, 5)]
    error = {
        "model": "a<b>.safetensors", "branch": "main", "error": 0.5, "interval": [0.4, 0.6],
        "n": 4, "corruptions": ["fog", "shot_noise"], "severities": [1, 5],
    }  # fmt: skip
    return {
        "format": 1, "data": "photos", "n": 4, "seed": 3,
        "command": "advprop evaluate --model 'a<b>.safetensors'",
        "models": {"a<b>.safetensors": "digest"}, "results": rows, "warnings": [],
        "mean_corruption_error": {"meaning": "mean corruption error", "results": [error]},
    }  # fmt: skip


class Page(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.text = [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        if self.tags and self.tags[-1][0] not in ("script", "style"):
            self.text += data


def test_the_three_files(content, tmp_path):
    written = report.write_report(tmp_path / "new", content)
    assert [path.name for path in written] == ["results.json", "results.csv", "report.html"]
    assert sorted((tmp_path / "new").iterdir()) == sorted(written)


def test_csv_literal(content, tmp_path):
    path = report.write_report(tmp_path, content)[1]
    assert path.read_text().splitlines()[0] == (
        "model,branch,kind,attack,norm,epsilon,step_size,steps,attack_branch,corruption,severity,"
        "n,seed,top1,top1_low,top1_high,top5,loss,expected_calibration_error,"
        "expected_calibration_error_low,expected_calibration_error_high,confidence_when_wrong"
    )
    with path.open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 10
    assert tuple(rows[0]) == CSV_HEADER
    assert rows[0]["epsilon"] == rows[0]["confidence_when_wrong"] == ""
    assert float(rows[2]["epsilon"]) == 1 / 255
    assert (rows[-1]["corruption"], rows[-1]["severity"]) == ("shot_noise", "5")


def test_the_page_says_what_it_shows(content):
    page = Page(report.html(content))
    headings = [tag for tag, _ in page.tags if tag in ("h1", "h2")]
    assert headings == ["h1", *["h2"] * 5]
    said = " ".join(page.text.split())
    assert "n = 4 images of photos, seed 3" in said
    assert said.count("advprop evaluate --model 'a<b>.safetensors'") == 5  # escaped, not markup
    assert "PGD-10, L∞ ε = 1/255, through main" in said
    plots = [attrs for _, attrs in page.tags if attrs.get("class") == "plot"]
    assert len(plots) == 1 + 1 + 1 + 6  # bars, curve, heat map, reliability
    assert all(one["role"] == "img" and one["aria-label"] for one in plots)
    assert "fog, severity 1" in plots[2]["aria-label"]


def test_the_page_needs_no_network(content):
    page = Page(report.html(content))
    fetched = [a for _, attrs in page.tags for a in ("src", "href") if a in attrs]
    assert not fetched
    text = report.html(content)
    assert "plotly.js v" in text
    assert "a<b>" not in re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL)


def test_without_corruptions_and_curves_there_is_less(content):
    content["results"] = content["results"][:3]
    del content["mean_corruption_error"]
    page = Page(report.html(content))
    assert [tag for tag, _ in page.tags].count("h2") == 3


def test_warnings_come_before_the_figures(content):
    content["warnings"] = [{"text": "one step beats <many>"}]
    text = report.html(content)
    assert "one step beats &lt;many&gt;" in text
    assert text.index("Look twice") < text.index("How often is each branch right?")


def test_colour_means_branch(content):
    text = report.html(content)
    assert "#0072B2" in text
    assert "#D55E00" in text


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ({"kind": "clean"}, "clean"),
        (attacked(2 / 255, "aux"), "PGD-10, L∞ ε = 2/255"),
        (attacked(2 / 255, "main"), "PGD-10, L∞ ε = 2/255, through main"),
        (attacked(0.5, "aux") | {"norm": "l2"}, "PGD-10, L2 ε = 0.5"),
        (corrupted("fog", 3), "fog, severity 3"),
    ],
)
def test_conditions_in_words(condition, words):
    assert describe(row("aux", condition)) == words
