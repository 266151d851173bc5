"""Results that were measured elsewhere."""

import json

import pytest

from advprop_core.evaluation import results_file as core_content
from advprop_core.models import bundle
from advprop_core.models.digest import model_digest
from advprop_core.report.files import html
from app.robustness import files


def as_bytes(content):
    return json.dumps(content).encode()


def test_the_format_is_the_librarys():
    assert files.FORMAT == core_content.FORMAT


def test_results_come_back_as_they_are(row, attack_row, corruption_row, content):
    error = {"model": "one", "branch": "aux2", "error": 0.2, "interval": [0.1, 0.3], "n": 20}
    rows = [
        row(),
        attack_row("one", "aux", 0.5, 2 / 255),
        corruption_row("one", "aux2", 0.5, "fog", 1),
    ]
    whole = content(
        rows,
        warnings=[{"model": "one", "branch": "main", "sign": "x", "text": "Look."}],
        mean_corruption_error={
            "meaning": "…", "results": [error | {"corruptions": ["fog"], "severities": [1]}],
        },
    )  # fmt: skip
    assert files.parse("results.json", as_bytes(whole)) == whole


def test_rows_of_another_kind_are_left_out(row, content):
    found = files.parse("r.json", as_bytes(content([row(), row(kind="weather")])))
    assert [one["condition"]["kind"] for one in found["results"]] == ["clean"]
    with pytest.raises(ValueError, match="nothing that is shown here"):
        files.parse("r.json", as_bytes(content([row(kind="weather")])))


BIAS = {
    "model": "one", "branch": "main", "shape_bias": 0.6, "interval": [0.5, 0.7], "n": 10,
    "shape": 0.3, "texture": 0.2, "neither": 0.5,
}  # fmt: skip
SEARCH = {
    "model": "one", "branch": "aux", "attack": "PGD-10", "norm": "linf", "limit": 0.06, "n": 2,
    "median": None, "interval": [0.01, None], "epsilons": [0.01, None], "wrong": 0.0, "never": 0.5,
}  # fmt: skip


def test_probes_shape_biases_and_smallest_radii_come_back(row, content):
    rows = [row(), row(kind="probe", probe="grey", strength=None)]
    none = BIAS | {"shape_bias": None, "interval": None}
    whole = content(
        rows, shape_bias={"results": [BIAS, none]}, smallest_epsilon={"results": [SEARCH]}
    )
    assert files.parse("results.json", as_bytes(whole)) == whole


@pytest.mark.parametrize(
    ("name", "entry", "fault"),
    [
        ("shape_bias", BIAS | {"shape_bias": 2}, "shape biases"),
        ("shape_bias", BIAS | {"interval": [0.5]}, "shape biases"),
        ("shape_bias", BIAS | {"branch": "<b>"}, "shape biases"),
        ("shape_bias", BIAS | {"n": 0}, "shape biases"),
        ("shape_bias", BIAS | {"neither": None}, "shape biases"),
        ("shape_bias", BIAS | {"neither_interval": [0.5]}, "shape biases"),
        ("smallest_epsilon", SEARCH | {"never": None}, "smallest radii"),
        ("smallest_epsilon", SEARCH | {"never_interval": 0.5}, "smallest radii"),
        ("smallest_epsilon", SEARCH | {"never_interval": [0.5, 1.5]}, "smallest radii"),
        ("smallest_epsilon", SEARCH | {"n": 3}, "smallest radii"),
        ("smallest_epsilon", SEARCH | {"norm": "l1"}, "smallest radii"),
        ("smallest_epsilon", SEARCH | {"limit": float("inf")}, "smallest radii"),
        ("smallest_epsilon", SEARCH | {"median": float("nan")}, "smallest radii"),
        ("smallest_epsilon", SEARCH | {"epsilons": ["x", None]}, "smallest radii"),
    ],
)
def test_what_is_damaged_of_them_is_said(row, content, name, entry, fault):
    with pytest.raises(ValueError, match=f"its {fault} are not as they should be"):
        files.parse("r.json", as_bytes(content([row()], **{name: {"results": [entry]}})))


@pytest.mark.parametrize(
    "data", [b"", b"\xff\xfe", b"[1]", b'{"results": []}', b"{" * 9, b"[" * 100_000]
)
def test_what_is_no_results_file_is_refused(data):
    with pytest.raises(ValueError, match=r"`photo\.json` holds no results"):
        files.parse("photo.json", data)


def test_a_meaning_that_is_no_text_is_damaged(row, content):
    whole = content([row()], shape_bias={"meaning": 3, "results": [BIAS]})
    with pytest.raises(ValueError, match="its shape biases are not as they should be"):
        files.parse("r.json", as_bytes(whole))


@pytest.mark.parametrize("name", list(files.bundled()))
def test_bundled_results_and_those_of_earlier_versions_have_a_report(name):
    found = files.bundled()[name]
    content = files.parse(name, found.read_bytes())
    if content.get("kind") != "study":
        page = html(content)
        assert "95 % interval" in page
        assert page.count("<tr>") > len(content["results"])


def test_intervals_that_are_not_known_are_left_open(row, content):
    one = row() | {"top5_interval": None, "loss_interval": None}
    whole = content([one], shape_bias={"results": [BIAS]}, smallest_epsilon={"results": [SEARCH]})
    assert "–" in html(files.parse("r.json", as_bytes(whole)))


def test_another_format_is_named(row, content):
    with pytest.raises(ValueError, match="in format `2`, this version reads format 1"):
        files.parse("r.json", as_bytes(content([row()], format=2)))


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
        (["n"], "20", "it lacks n"),
        (["command"], None, "it lacks command"),
        (["notes"], ["fine", 3], "its notes are not as they should be"),
        (["results"], [], "it has no row"),
        (["results"], [3], "row 1"),
        (["results", 0, "branch"], "clean", "row 1"),
        (["results", 0, "top1"], 50, "row 1"),
        (["results", 0, "top1"], "half", "row 1"),
        (["results", 0, "n"], 0, "row 1"),
        (["results", 0, "interval"], [0.1], "row 1"),
        (["results", 0, "condition"], {"kind": "attack"}, "row 1"),
        (["results", 0, "condition"], "clean", "row 1"),
        (
            ["results", 0, "condition"],
            {"kind": "corruption", "corruption": "![x](http://e)", "severity": 1},
            "row 1",
        ),
        (["imagenet_c"], {"results": [{"model": "one", "branch": "main", "mce": "x"}]}, "mCE"),
        (["results", 0, "condition"], {"kind": "clean", "epsilon": float("inf")}, "row 1"),
        (["results", 0, "loss_interval"], [0.1], "row 1"),
        (["results", 0, "top5_interval"], [0.5, 3], "row 1"),
        (["results", 0, "calibration", "confidence_when_wrong_interval"], ["a", "b"], "row 1"),
        (["results", 0, "calibration", "bins"], {}, "row 1"),
        (["results", 0, "calibration", "bins", "n"], [0], "row 1"),
        (["results", 0, "calibration", "bins", "accuracy"], [1.5], "row 1"),
        (["results", 0, "calibration", "bins", "accuracy"], [0.1, 0.2], "row 1"),
        (["warnings"], ["x"], "warnings"),
        (["mean_corruption_error"], {"results": [{"model": "one"}]}, "mean corruption errors"),
    ],
)
def test_what_is_damaged_is_named(row, content, place, value, said):
    whole = json.loads(as_bytes(content([row()])))
    spoil(place, value)(whole)
    with pytest.raises(ValueError, match=f"is damaged: .*{said}"):
        files.parse("r.json", as_bytes(whole))


def test_corruptions_without_their_mean_error_are_damaged(corruption_row, content):
    whole = content([corruption_row("one", "main", 0.5, "fog", 1)])
    with pytest.raises(ValueError, match="it lacks the mean corruption error of `one`"):
        files.parse("r.json", as_bytes(whole))


def test_bundled_results_go_by_their_names(monkeypatch, tmp_path):
    assert all(path.is_file() for path in files.bundled().values())
    (tmp_path / "assets" / "results").mkdir(parents=True)
    (tmp_path / "assets" / "results" / "zoo.json").write_text("{}")
    monkeypatch.setattr(bundle, "bundle_dir", lambda: tmp_path)
    assert files.bundled() == {"zoo": tmp_path / "assets" / "results" / "zoo.json"}


@pytest.mark.parametrize("path", files.bundled().values(), ids=lambda path: path.stem)
def test_results_that_come_with_the_app_are_of_the_models_that_do(path):
    found = files.parse(path.name, path.read_bytes())
    for name, digest in found.get("models", {}).items():
        one = bundle.open_model(name)
        assert model_digest(one.model, one.info) == digest, f"{path.name}: measure {name} again"


def test_there_are_results_that_come_with_the_app():
    assert "imagenette" in files.bundled()
