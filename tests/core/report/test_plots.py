"""What plotly is told: values, colours and patterns."""

import pytest

from advprop_core.evaluation.intervals import wilson_interval
from advprop_core.report import grids as grids
from advprop_core.report import plots as figures
from advprop_core.report.style import short_names


def row(model="one", branch="main", top1=0.5, **condition):
    calibration = {
        "expected_calibration_error": 0.25,
        "interval": [0.2, 0.3],
        "confidence_when_wrong": 0.9,
        "bins": {
            "low": [8 / 15, 14 / 15],
            "high": [9 / 15, 1.0],
            "n": [1, 99],
            "confidence": [0.55, 0.97],
            "accuracy": [1.0, 0.5],
        },
    }
    return {
        "model": model, "branch": branch, "condition": condition or {"kind": "clean"}, "n": 100,
        "top1": top1, "interval": [top1 - 0.1, top1 + 0.2], "calibration": calibration,
    }  # fmt: skip


def attacked(epsilon, branch="main", source=None, **fields):
    condition = {"kind": "attack", "attack": "PGD-10", "norm": "linf", "epsilon": epsilon}
    return row(branch=branch, **fields, **condition, attack_branch=source or branch)


def test_a_curve_begins_at_clean_images_and_rises_in_epsilon():
    rows = [attacked(2 / 255, top1=0.2), attacked(1 / 255, top1=0.4)]
    rows += [attacked(1 / 255, "aux", "main"), attacked(2 / 255, "aux", "main")]
    data = figures.curve([row(top1=0.7), row(branch="aux")], rows, ["two", "one"])["data"]
    main, aux = (line for line in data if "name" in line)
    assert main["x"] == pytest.approx([0, 1, 2])
    assert main["y"] == [0.7, 0.4, 0.2]
    assert (main["name"], aux["name"]) == ("one, main", "one, aux, attacked through main")
    assert (main["line"]["color"], aux["line"]["color"]) == ("#0072B2", "#D55E00")
    assert (main["line"]["dash"], aux["line"]["dash"]) == ("dash", "dash")
    assert (main["marker"]["symbol"], aux["marker"]["symbol"]) == ("square", "square-open")


def test_bands_are_the_intervals_there_and_back():
    rows = [attacked(1 / 255, top1=0.4), attacked(4 / 255, top1=0.2)]
    band, line = figures.curve([row(top1=0.7)], rows, ["one"])["data"]
    assert band["x"] == pytest.approx([0, 1, 4, 4, 1, 0])
    assert band["y"] == pytest.approx([0.9, 0.6, 0.4, 0.1, 0.3, 0.6])
    assert band["fillcolor"] == "rgba(0,114,178,0.14)"
    assert "error_y" not in line


def test_radii_of_l2_are_lengths():
    rows = [attacked(0.5)]
    rows[0]["condition"]["norm"] = "l2"
    spec = figures.curve([row()], rows, ["one"])
    assert spec["data"][1]["x"] == [0, 0.5]
    assert "length" in spec["layout"]["xaxis"]["title"]["text"]


def test_a_matrix_has_attack_branches_down_and_eval_branches_across():
    rows = [
        attacked(2 / 255, judge, source, top1=top1)
        for source, judge, top1 in (
            ("main", "main", 0.2), ("aux", "main", 0.6), ("main", "aux", 0.7), ("aux", "aux", 0.5),
        )
    ]  # fmt: skip
    (cells,) = grids.matrix(rows)["data"]
    assert cells["y"] == ["through main", "through aux"]
    assert cells["x"] == ["main predicts", "aux predicts"]
    assert cells["z"] == [[0.2, 0.7], [0.6, 0.5]]
    assert cells["text"][0][1] == "70.0 %<br>60.0 to 90.0 %"
    (part,) = grids.matrix(rows[:3])["data"]
    assert part["z"] == [[0.2, 0.7], [0.6, None]]
    assert part["text"][1][1] == ""


def test_transfers_are_told_by_colour_and_dash():
    rows = [
        attacked(epsilon, judge, source, top1=top1)
        for epsilon, scale in ((2 / 255, 0.5), (1 / 255, 1.0))
        for judge, source, top1 in (
            ("main", "main", 0.2 * scale), ("main", "aux", 0.6 * scale),
            ("aux", "main", 0.8 * scale), ("aux", "aux", 0.4 * scale),
        )
    ]  # fmt: skip
    spec = figures.transfers([row(top1=0.9), row(branch="aux", top1=0.85)], rows)
    assert [(line["name"], line["line"]["dash"]) for line in spec["data"]] == [
        ("main, attacked through itself", "solid"), ("main, attacked through aux", "dash"),
        ("aux, attacked through main", "solid"), ("aux, attacked through itself", "dash"),
    ]  # fmt: skip
    assert spec["data"][1]["x"] == pytest.approx([0, 1, 2])
    assert spec["data"][1]["y"] == pytest.approx([0.9, 0.6, 0.3])
    assert spec["data"][3]["y"] == pytest.approx([0.85, 0.4, 0.2])
    assert spec["layout"]["title"]["text"] == "one<br>PGD-10, L∞"


def test_a_heat_map_holds_errors():
    rows = [
        row(top1=top1, kind="corruption", corruption=kind, severity=severity)
        for kind, severity, top1 in (("fog", 1, 0.9), ("fog", 5, 0.4), ("shot_noise", 5, 0.25))
    ]
    spec = grids.heat_map(rows)
    (cells,) = spec["data"]
    assert spec["layout"]["height"] - spec["layout"]["margin"]["t"] >= 64 + 50  # plotly's least
    assert cells["y"] == ["fog", "shot noise"]
    assert cells["x"] == ["1", "5"]
    assert cells["z"] == [[pytest.approx(0.1), 0.6], [None, 0.75]]
    assert (cells["zmin"], cells["zmax"]) == (0, 1)


def test_dots_of_a_row_lie_side_by_side():
    shown = {"kind": "probe", "probe": "low-pass", "strength": 8.0}
    rows = [row("one"), row("one", "aux"), row("two"), row("one", top1=0.25, **shown)]
    spec = figures.dots(rows, ["one", "two"], "accuracy")
    main, aux, other = spec["data"]
    assert main["x"] == [0.5, 0.25]
    assert main["y"] == pytest.approx([-0.7 / 3, 1 - 0.7 / 3])
    assert (aux["y"], other["y"]) == ([0], [pytest.approx(0.7 / 3)])
    assert spec["layout"]["yaxis"]["ticktext"] == ["clean", "low-pass,<br>8 cycles per image"]
    assert spec["layout"]["yaxis"]["range"] == [1.5, -0.5]  # the first on top
    assert [one["marker"]["color"] for one in spec["data"]] == ["#0072B2", "#D55E00", "#0072B2"]
    assert [one["marker"]["symbol"] for one in spec["data"]] == ["circle", "circle-open", "square"]
    assert main["error_x"]["array"] == pytest.approx([0.2, 0.2])


def test_a_branch_without_shape_bias_has_no_dot():
    some = {"model": "one", "branch": "aux", "shape_bias": 0.75, "interval": [0.5, 0.875]}
    none = {"model": "one", "branch": "main", "shape_bias": None, "interval": None}
    spec = figures.shape_biases([none, some])
    (dot,) = spec["data"]
    assert (dot["x"], dot["y"]) == ([0.75], [0])
    assert (dot["error_x"]["array"], dot["error_x"]["arrayminus"]) == ([0.125], [0.25])
    assert spec["layout"]["yaxis"]["ticktext"] == ["one, aux"]
    assert spec["layout"]["shapes"][0]["x0"] == 0.5


def test_bins_with_few_images_are_pale():
    bars, diagonal = figures.reliability(row())["data"]
    assert bars["marker"]["opacity"] == [0.35, 1.0]
    assert bars["x"] == pytest.approx([8.5 / 15, 14.5 / 15])
    low, high = zip(*(wilson_interval(right, n) for right, n in ((1, 1), (49.5, 99))), strict=True)
    assert bars["error_y"]["arrayminus"] == pytest.approx([1 - low[0], 0.5 - low[1]])
    assert bars["error_y"]["array"] == pytest.approx([0, high[1] - 0.5])
    assert [text[2:] for text in bars["customdata"]] == [*zip(low, high, strict=True)]
    assert diagonal["x"] == diagonal["y"] == [0, 1]


def test_titles_hold_no_markup():
    title = figures.reliability(row("a<b>"))["layout"]["title"]["text"]
    assert title.startswith("a&lt;b&gt;, main<br>clean<br>error 25.0 %")


def test_files_have_short_names_that_differ():
    labels = {
        "runs/x/model.safetensors": "x/model",
        "/one/run/last.pth": "one/run/last",
        "two/run/last.pth": "two/run/last",
        "z/y/a.pth": "z/y/a.pth",  # without their endings these two are alike
        "z/y/a.safetensors": "z/y/a.safetensors",
        "own.safetensors": "own",
        "hf-hub:timm/resnet50.a1_in1k": "hf-hub:timm/resnet50.a1_in1k",
        "hf-hub:timm/resnet50.a2_in1k": "hf-hub:timm/resnet50.a2_in1k",
        "resnet18.a1_in1k": "resnet18.a1_in1k",
    }
    assert short_names([*labels]) == labels


def test_further_branches_have_colours_of_their_own():
    names = ("main", "aux", "aux2", "aux3")
    rows = [row(branch=name) for name in names]
    data = figures.dots(rows, ["one"], "accuracy")["data"]
    colours = [dot["marker"]["color"] for dot in data]
    assert colours == ["#0072B2", "#D55E00", "#009E73", "#CC79A7"]
