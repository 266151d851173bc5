"""Results files that somebody gives."""

import json

import pytest

from advprop_core.evaluation.results_file import parse
from advprop_core.models import bundle
from advprop_core.report.pages import page
from tests.core.evaluation.rows import attacked, corrupted, make_content, make_row

BUNDLED = [
    path
    for path in sorted((bundle.bundle_dir() / "assets" / "results").glob("*.json"))
    if path.stem not in ("norm-halves", "added-auxiliaries", "shapes-objects")
    and not path.stem.startswith("transfer")
]


def as_bytes(content):
    return json.dumps(content).encode()


def test_results_come_back_as_they_are():
    error = {"model": "one", "branch": "aux2", "error": 0.2, "interval": [0.1, 0.3], "n": 20}
    rows = [
        make_row(),
        attacked("one", "aux", 0.5, 2 / 255),
        corrupted("one", "aux2", 0.5, "fog", 1),
    ]
    whole = make_content(
        rows,
        warnings=[{"model": "one", "branch": "main", "sign": "x", "text": "Look."}],
        mean_corruption_error={
            "meaning": "…", "results": [error | {"corruptions": ["fog"], "severities": [1]}],
        },
    )  # fmt: skip
    assert parse("results.json", as_bytes(whole)) == whole


def test_rows_of_another_kind_are_left_out():
    found = parse("r.json", as_bytes(make_content([make_row(), make_row(kind="weather")])))
    assert [one["condition"]["kind"] for one in found["results"]] == ["clean"]
    with pytest.raises(ValueError, match="nothing that this version shows"):
        parse("r.json", as_bytes(make_content([make_row(kind="weather")])))


BIAS = {
    "model": "one", "branch": "main", "shape_bias": 0.6, "interval": [0.5, 0.7], "n": 10,
    "shape": 0.3, "texture": 0.2, "neither": 0.5,
}  # fmt: skip
SEARCH = {
    "model": "one", "branch": "aux", "attack": "PGD-10", "norm": "linf", "limit": 0.06, "n": 2,
    "median": None, "interval": [0.01, None], "epsilons": [0.01, None], "wrong": 0.0, "never": 0.5,
}  # fmt: skip


def test_probes_shape_biases_and_smallest_radii_come_back():
    rows = [make_row(), make_row(kind="probe", probe="grey", strength=None)]
    none = BIAS | {"branch": "aux", "shape_bias": None, "interval": None}
    whole = make_content(
        rows, shape_bias={"results": [BIAS, none]}, smallest_epsilon={"results": [SEARCH]}
    )
    assert parse("results.json", as_bytes(whole)) == whole


@pytest.mark.parametrize(
    ("name", "entry", "fault"),
    [
        ("shape_bias", BIAS | {"shape_bias": 2}, "shape_bias must be at most 1, got 2"),
        ("shape_bias", BIAS | {"interval": [0.5]}, r"interval\[1\] is missing"),
        ("shape_bias", BIAS | {"branch": "<b>"}, "branch must match"),
        ("shape_bias", BIAS | {"n": 0}, "n must be at least 1, got 0"),
        ("shape_bias", BIAS | {"neither": None}, "neither must be a"),
        ("shape_bias", BIAS | {"neither_interval": [0.5]}, r"neither_interval\[1\] is missing"),
        ("smallest_epsilon", SEARCH | {"never": None}, "never must be a"),
        ("smallest_epsilon", SEARCH | {"never_interval": 0.5}, "never_interval must be a"),
        (
            "smallest_epsilon",
            SEARCH | {"never_interval": [0.5, 1.5]},
            r"never_interval\[1\] must",
        ),
        (
            "smallest_epsilon",
            SEARCH | {"n": 3},
            ": must have one of epsilons",
        ),
        ("smallest_epsilon", SEARCH | {"norm": "l1"}, "norm must be 'linf' or 'l2'"),
        ("smallest_epsilon", SEARCH | {"limit": float("inf")}, "limit must be a finite number"),
        ("smallest_epsilon", SEARCH | {"median": float("nan")}, "median must be a finite number"),
        (
            "smallest_epsilon",
            SEARCH | {"epsilons": ["x", None]},
            r"epsilons\[0\] must be",
        ),
    ],
)
def test_what_is_damaged_of_them_is_said(name, entry, fault):
    with pytest.raises(ValueError, match=rf"r\.json is damaged: {name}\.results\[0\]\.?{fault}"):
        parse("r.json", as_bytes(make_content([make_row()], **{name: {"results": [entry]}})))


@pytest.mark.parametrize(
    "data", [b"", b"\xff\xfe", b"[1]", b'{"results": []}', b"{" * 9, b"[" * 100_000]
)
def test_what_is_no_results_file_is_refused(data):
    with pytest.raises(ValueError, match=r"photo\.json holds no results"):
        parse("photo.json", data)


def test_a_meaning_that_is_no_text_is_damaged():
    whole = make_content([make_row()], shape_bias={"meaning": 3, "results": [BIAS]})
    with pytest.raises(ValueError, match=r"shape_bias\.meaning must be a string, got 3"):
        parse("r.json", as_bytes(whole))


@pytest.mark.parametrize("path", BUNDLED, ids=lambda path: path.stem)
def test_bundled_results_and_those_of_earlier_versions_have_a_report(path):
    content = parse(path.name, path.read_bytes())
    if content.get("kind") != "study":
        report = page(content)
        assert "95 % interval" in report
        assert report.count("<tr>") > len(content["results"])


def test_intervals_that_are_not_known_are_left_open():
    one = make_row() | {"top5_interval": None, "loss_interval": None}
    whole = make_content(
        [one], shape_bias={"results": [BIAS]}, smallest_epsilon={"results": [SEARCH]}
    )
    assert "–" in page(parse("r.json", as_bytes(whole)))


def test_another_format_is_named():
    with pytest.raises(ValueError, match="in format 2, this version reads format 1"):
        parse("r.json", as_bytes(make_content([make_row()], format=2)))


def spoil(place, value):
    def change(content):
        inside = content
        for step in place[:-1]:
            inside = inside[step]
        inside[place[-1]] = value

    return change


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        (["n"], "20", "n must be an integer, got '20'"),
        (["command"], None, "command must be a string"),
        (["notes"], ["fine", 3], r"notes\[1\] must be a string, got 3"),
        (["results"], [], "results must have at least 1 item"),
        (["results"], [3], r"results\[0\]"),
        (["results", 0, "branch"], "clean", r"results\[0\]"),
        (["results", 0, "top1"], 50, r"results\[0\]"),
        (["results", 0, "top1"], "half", r"results\[0\]"),
        (["results", 0, "n"], 0, r"results\[0\]"),
        (["results", 0, "interval"], [0.1], r"results\[0\]"),
        (["results", 0, "condition"], {"kind": "attack"}, r"results\[0\]"),
        (["results", 0, "condition"], "clean", r"results\[0\]"),
        (
            ["results", 0, "condition"],
            {"kind": "corruption", "corruption": "![x](http://e)", "severity": 1},
            r"results\[0\]",
        ),
        (
            ["imagenet_c"],
            {"results": [{"model": "one", "branch": "main", "mce": "x"}]},
            "imagenet_c",
        ),
        (
            ["results", 0, "condition"],
            {"kind": "clean", "epsilon": float("inf")},
            "epsilon is not a field here",
        ),
        (["results", 0, "loss_interval"], [0.1], r"results\[0\]"),
        (["results", 0, "top5_interval"], [0.5, 3], r"results\[0\]"),
        (
            ["results", 0, "calibration", "confidence_when_wrong_interval"],
            ["a", "b"],
            r"results\[0\]",
        ),
        (["results", 0, "calibration", "bins"], {}, r"results\[0\]"),
        (["results", 0, "calibration", "bins", "n"], [0], r"results\[0\]"),
        (["results", 0, "calibration", "bins", "accuracy"], [1.5], r"results\[0\]"),
        (["results", 0, "calibration", "bins", "accuracy"], [0.1, 0.2], r"results\[0\]"),
        (["results", 0, "interval"], [0.9, 0.1], "must run from low to high, got 0.9 to 0.1"),
        (["results", 0, "loss_interval"], [2.0, 1.0], "must run from low to high"),
        (["results", 0, "loss"], float("nan"), "loss must be a finite number"),
        (["results", 0, "n"], -3, "n must be at least 1, got -3"),
        (["results", 0, "n"], True, "n must be an integer"),
        (["warnings"], ["x"], r"warnings\[0\]"),
        (["mean_corruption_error"], {"results": [{"model": "one"}]}, "mean_corruption_error"),
    ],
)
def test_what_is_damaged_is_named(place, value, said):
    whole = json.loads(as_bytes(make_content([make_row()])))
    spoil(place, value)(whole)
    with pytest.raises(ValueError, match=f"is damaged: .*{said}"):
        parse("r.json", as_bytes(whole))


def test_corruptions_without_their_mean_error_are_damaged():
    whole = make_content([corrupted("one", "main", 0.5, "fog", 1)])
    with pytest.raises(ValueError, match="the mean corruption error of one is missing"):
        parse("r.json", as_bytes(whole))


@pytest.mark.parametrize("steps", ["ten", 1.5, -1, None])
def test_steps_are_a_count(steps):
    row = attacked("one", "main", 0.5, 2 / 255, steps=steps)
    with pytest.raises(ValueError, match=r"results\[0\].condition.attack.steps must be"):
        parse("r.json", as_bytes(make_content([row])))


def test_two_results_of_one_condition_are_refused():
    rows = [attacked("one", "main", top1, 2 / 255) for top1 in (0.5, 0.6)]
    with pytest.raises(ValueError, match="two results are of one, main under the same condition"):
        parse("r.json", as_bytes(make_content(rows)))
    with pytest.raises(ValueError, match="two results are of one, main"):
        parse("r.json", as_bytes(make_content([make_row()], shape_bias={"results": [BIAS] * 2})))


def test_smallest_radii_run_from_low_to_what_lies_above_the_limit():
    wrong = SEARCH | {"interval": [None, 0.01]}
    with pytest.raises(ValueError, match="must run from low to high, got inf to 0.01"):
        parse("r.json", as_bytes(make_content([make_row()], smallest_epsilon={"results": [wrong]})))
