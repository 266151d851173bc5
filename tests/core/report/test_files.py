"""The report of an evaluation: three files, of which the page needs no network."""

import csv
import re
from html.parser import HTMLParser

import pytest

from advprop_core.report import pages, words
from advprop_core.report import plots as figures
from advprop_core.report.words import CSV_HEADER, describe

BINS = {"low": [14 / 15], "high": [1.0], "n": [4], "confidence": [0.97], "accuracy": [0.5]}


def row(branch, condition, top1=0.5):
    calibration = {
        "expected_calibration_error": 0.47,
        "interval": [0.4, 0.5],
        "confidence_when_wrong": None,
        "confidence_when_wrong_interval": None,
        "bins": BINS,
    }
    return {
        "model": "a<b>.safetensors", "branch": branch, "condition": condition, "n": 4,
        "top1": top1, "top5": 1.0, "loss": 0.25, "interval": [0.3, 0.7],
        "top5_interval": [0.51, 1.0], "loss_interval": [0.1, 0.4],
        "calibration": calibration,
    }  # fmt: skip


def attacked(epsilon, source):
    return {
        "kind": "attack", "attack": "PGD-10", "norm": "linf", "epsilon": epsilon,
        "step_size": epsilon / 4, "steps": 10, "attack_branch": source,
    }  # fmt: skip


def corrupted(kind, severity):
    return {"kind": "corruption", "corruption": kind, "severity": severity}


def probed(kind, strength):
    return {"kind": "probe", "probe": kind, "strength": strength}


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


def test_results_of_earlier_versions_are_shown_without_the_intervals_they_lack(content):
    for one in content["results"]:
        del one["top5_interval"], one["loss_interval"]
        del one["calibration"]["confidence_when_wrong_interval"]
    cells = "50.0 %30.0 % to 70.0 %100.0 %–0.250–47.0 %40.0 % to 50.0 %––"
    assert cells in " ".join(Page(pages.page(content)).text.split())


def test_transfers_stand_in_a_matrix_and_not_among_the_white_box_figures(content):
    content["results"] += [row("aux", attacked(e, "aux"), 0.25) for e in (1 / 255, 2 / 255)]
    text = Page(pages.page(content)).text
    assert "Whose perturbation harms whom?" in text
    assert "aux is right on 50 % (attacked through main) and 25 % (attacked" in text
    plain = [one for one in content["results"] if one["condition"]["kind"] != "corruption"]
    own = words.own_attacks(plain)
    assert [(one["branch"], describe(one)) for one in own if one not in plain[:2]] == [
        ("main", "PGD-10, L∞ ε = 1/255"), ("main", "PGD-10, L∞ ε = 2/255"),
        ("aux", "PGD-10, L∞ ε = 1/255"), ("aux", "PGD-10, L∞ ε = 2/255"),
    ]  # fmt: skip
    assert [len(one) for one in words.matrices(plain)] == [3, 3]
    ((clean, lines),) = words.transfers(plain)
    assert (len(clean), len(lines)) == (2, 6)
    assert "In the curves, colour is the branch that predicts" in text
    one = [each for each in plain if each["condition"].get("epsilon") != 1 / 255]
    assert not words.transfers(one)  # no line with a single radius
    unbounded = [row("main", attacked(1.0, source)) for source in ("main", "aux")]
    assert not words.transfers([*one, *unbounded])


def test_a_transfer_alone_is_shown_with_the_rest(content):
    plain = [one for one in content["results"] if one["condition"]["kind"] != "corruption"]
    assert words.own_attacks(plain) == plain
    assert not words.matrices(plain)
    assert "Whose perturbation" not in Page(pages.page(content)).text


def test_the_best_under_an_attack_is_among_all_that_met_it(content):
    last = attacked(2 / 255, "aux")
    content["results"] = [row("main", last, 0.8), row("aux", last, 0.5)]
    where = "Under PGD-10 at ε = 2/255 (L∞), "
    said = Page(pages.page(content)).text
    assert f"{where}main of a<b> (attacked through aux) gets 80 % of 4 images right" in said
    content["results"][0] = row("main", attacked(2 / 255, "main"), 0.4)
    assert f"{where}aux of a<b> gets 50 % of 4 images right" in Page(pages.page(content)).text


def test_what_is_right_with_no_limit_is_of_walks_through_the_branch_itself(content):
    wide = attacked(1.0, "main") | {"attack": "PGD-20", "steps": 20}
    step = wide | {"attack": "FGSM", "steps": 1}
    noise = attacked(2 / 255, "main") | {"attack": "noise", "steps": 0}
    content["results"] += [row("main", noise, 0.9), row("main", wide, 0.0), row("main", step, 0.6)]
    content["results"] += [row("aux", wide, 0.4), row("main", noise | {"epsilon": 1.0}, 0.5)]
    assert str(words.gradients_checked(content)).endswith("at most 0 % of images are still right.")
    content["results"] = [row("main", noise, 0.9), row("aux", wide, 0.4)]
    assert words.gradients_checked(content) is None


def test_files_of_one_name_have_bars_of_their_own(content):
    paths = ["one/run/model.safetensors", "two/run/model.safetensors"]
    content["models"] = dict.fromkeys(paths, "digest")
    content["results"] = [row("main", {"kind": "clean"}) | {"model": path} for path in paths]
    del content["mean_corruption_error"]
    text = pages.page(content)
    assert "one/run/model" in text
    assert "two/run/model" in text
    assert paths[0] in Page(text).text  # whole where there is room


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
    written = pages.write_report(tmp_path / "new", content)
    assert [path.name for path in written] == ["results.json", "results.csv", "report.html"]
    assert sorted((tmp_path / "new").iterdir()) == sorted(written)


def test_csv_literal(content, tmp_path):
    path = pages.write_report(tmp_path, content)[1]
    assert path.read_text().splitlines()[0] == (
        "model,branch,kind,attack,norm,epsilon,step_size,steps,restarts,attack_branch,corruption,"
        "severity,source,probe,strength,"
        "n,seed,top1,top1_low,top1_high,top5,top5_low,top5_high,loss,loss_low,loss_high,"
        "expected_calibration_error,expected_calibration_error_low,"
        "expected_calibration_error_high,confidence_when_wrong,confidence_when_wrong_low,"
        "confidence_when_wrong_high"
    )
    with path.open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 10
    assert tuple(rows[0]) == CSV_HEADER
    assert rows[0]["epsilon"] == rows[0]["confidence_when_wrong"] == ""
    assert rows[0]["confidence_when_wrong_low"] == rows[0]["confidence_when_wrong_high"] == ""
    assert [rows[0][f"top5{end}"] for end in ("", "_low", "_high")] == ["1.0", "0.51", "1.0"]
    assert [rows[0][f"loss{end}"] for end in ("", "_low", "_high")] == ["0.25", "0.1", "0.4"]
    assert float(rows[2]["epsilon"]) == 1 / 255
    assert (rows[-1]["corruption"], rows[-1]["severity"]) == ("shot_noise", "5")


def test_the_page_says_what_it_shows(content):
    page = Page(pages.page(content))
    headings = [tag for tag, _ in page.tags if tag in ("h1", "h2")]
    assert headings == ["h1", *["h2"] * 5]
    said = " ".join(page.text.split())
    assert "n = 4 images of photos, seed 3" in said
    assert said.count("advprop evaluate --model 'a<b>.safetensors'") == 5  # escaped, not markup
    assert "PGD-10, L∞ ε = 1/255, through main" in said
    plots = [attrs for _, attrs in page.tags if attrs.get("class") == "plot"]
    assert len(plots) == 1 + 1 + 2 + 6  # curve, dots, mean errors and heat map, reliability
    assert all(one["role"] == "img" and one["aria-label"] for one in plots)
    assert "fog, severity 1" in plots[3]["aria-label"]


def test_the_page_needs_no_network(content):
    page = Page(pages.page(content))
    fetched = [a for _, attrs in page.tags for a in ("src", "href") if a in attrs]
    assert not fetched
    text = pages.page(content)
    assert "plotly.js v" in text
    assert "a<b>" not in re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL)


def test_without_corruptions_and_curves_there_is_less(content):
    content["results"] = content["results"][:3]
    del content["mean_corruption_error"]
    page = Page(pages.page(content))
    assert [tag for tag, _ in page.tags].count("h2") == 4


def test_shape_and_texture_have_sections_of_their_own(content):
    content["results"] += [
        row("main", probed("low-pass", 8.0), 0.5),
        row("main", probed("grey", None)),
    ]
    one = {
        "model": "a<b>.safetensors", "branch": "main", "shape_bias": 0.75, "interval": [0.4, 0.9],
        "n": 4, "decided": 4, "shape": 0.75, "texture": 0.25, "neither": 0.0,
        "shape_interval": [0.3, 0.95], "texture_interval": [0.05, 0.7],
        "neither_interval": [0.0, 0.49],
    }  # fmt: skip
    undecided = one | {"branch": "aux", "shape_bias": None, "interval": None, "neither": 1.0}
    content["shape_bias"] = {"meaning": "shape bias", "results": [one, undecided]}
    page = Page(pages.page(content))
    said = " ".join(page.text.split())
    assert "How accurate is each branch without outlines, colour or detail?" in said
    assert "Shape bias: main of a<b> 75 % (40 to 90 %)." in said
    table = "75.0 %40.0 % to 90.0 %475.0 %30.0 % to 95.0 %25.0 %5.0 % to 70.0 %0.0 %0.0 % to 49.0 %"
    assert table in said
    plots = [attrs["aria-label"] for _, attrs in page.tags if attrs.get("class") == "plot"]
    assert len(plots) == 10 + 2
    assert plots[4].endswith("main, low-pass, 8 cycles per image: 50 %; a<b>, main, grey: 50 %")
    assert "low-pass" not in plots[1]  # what is clean or attacked
    rows = list(csv.DictReader(words.as_csv(content).splitlines()))
    assert [(one["probe"], one["strength"]) for one in rows[-2:]] == [
        ("low-pass", "8.0"),
        ("grey", ""),
    ]


def test_warnings_come_before_the_figures(content):
    content["warnings"] = [{"text": "one step beats <many>"}]
    text = pages.page(content)
    assert "one step beats &lt;many&gt;" in text
    assert text.index("Look twice") < text.index("How much perturbation")


def test_the_smallest_epsilon_of_each_image(content):
    found = {
        "model": "a<b>.safetensors", "branch": "aux", "attack": "PGD-10", "norm": "linf",
        "limit": 8 / 255, "n": 4, "wrong": 0.25, "never": 0.5, "median": 1.5 / 255,
        "interval": [0.0, None], "epsilons": [0.0, None, 1.5 / 255, None],
        "wrong_interval": [0.05, 0.7], "never_interval": [0.15, 0.85],
    }  # fmt: skip
    content["smallest_epsilon"] = {"meaning": "smallest epsilon of all", "results": [found]}
    text = pages.page(content)
    said = " ".join(Page(text).text.split())
    assert "How small a perturbation is enough?" in said
    assert "Median ε at which PGD-10 fools the branch: aux of a<b> 1.5/255" in said
    assert "0/255 to above 8/255425.0 %5.0 % to 70.0 %50.0 %15.0 % to 85.0 %" in said
    assert "Smallest epsilon of all." in said
    (line,) = figures.standing([found])["data"]
    assert line["x"] == pytest.approx([0, 0, 1.5, 8])
    assert line["y"] == [1, 0.75, 0.5, 0.5]
    assert line["line"]["color"] == "#D55E00"


def test_colour_means_branch(content):
    text = pages.page(content)
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
        (probed("grey", None), "grey"),
        (probed("patch-shuffle", 4.0), "4 × 4 patches shuffled"),
        (probed("low-pass", 6.5), "low-pass, 6.5 cycles per image"),
    ],
)
def test_conditions_in_words(condition, words):
    assert describe(row("aux", condition)) == words
