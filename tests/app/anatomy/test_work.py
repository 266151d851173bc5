"""What the Anatomy page asks of the library, on a tiny network."""

from dataclasses import replace

import pytest
import torch

from advprop_core.anatomy.dial import Way, at_end
from advprop_core.anatomy.halves import MIXTURES, MixtureAccuracy
from advprop_core.anatomy.mixing import blend
from advprop_core.attribution.maps import explain
from advprop_core.models.bundle import bundled_models
from advprop_core.models.checkpoints import load
from advprop_core.predict import predict
from app.anatomy import work as anatomy
from app.anatomy.section import Subject
from app.anatomy.view import AnatomyView
from app.shell import cache, comparison
from app.shell.jobs import Cancelled, Job
from app.shell.samples import Source

pytestmark = pytest.mark.usefixtures("few_pictures")

FEW = Source("shapes", "drawn scenes", 12)
ATTACKED = AnatomyView(model="tiny-advprop", image="scene:2", steps=2, expert=True)


def about(lens, comparison=None):
    return Subject("key", comparison, lens, ATTACKED, current=True)


@pytest.fixture
def lens(tiny):
    return cache.load_lens("tiny-advprop")


@pytest.fixture
def asked(lens):
    """(any field of the view) to the comparison that is asked for."""

    def ask(**fields):
        view = replace(ATTACKED, **fields)
        maps = comparison.map_request(view, lens, one_class=True)
        task = comparison.comparison_task(view, lens, maps)
        return task.call(progress=Job("x", None).report)

    return ask


@pytest.fixture
def gap_over(lens):
    """(any field of the view) to the gap over many pictures."""

    def measure(progress=print, source=FEW, **fields):
        perturbation = comparison.perturbation(replace(ATTACKED, **fields), lens.info)
        return anatomy.gap_over(
            about(lens), perturbation, "main", source, "aux", "stage", progress=progress
        )

    return measure


@pytest.fixture
def found(asked):
    return asked()


def test_the_view_says_what_moves(lens, monkeypatch):
    info = lens.info
    assert anatomy.way_of(AnatomyView(), info) == Way("aux", "both", estimated=True)
    assert Way("aux").whole
    view = AnatomyView(second="aux2", moved="statistics", moved_layers=("s1", "s2"))
    assert anatomy.way_of(view, info) == Way("aux2", "statistics", False, ("s1", "s2"))
    assert anatomy.way_of(AnatomyView(moved="affine"), info) == Way("aux", "affine")
    assert not anatomy.way_of(view, info).whole
    monkeypatch.setattr(anatomy, "source_for", lambda *_: None)
    assert anatomy.way_of(AnatomyView(), info) == Way("aux", "both", estimated=False)


@pytest.fixture
def reference(monkeypatch):
    """What statistics are estimated on: six scenes, whichever the place."""
    images = torch.rand(6, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    monkeypatch.setattr(anatomy, "_reference_images", lambda *_: (images, torch.arange(6)))
    return images


@pytest.mark.parametrize(
    ("way", "affine", "statistics"),
    [
        (Way("aux", "statistics", layers=("layer1",)), 0.0, 0.3),
        (Way("aux", "affine"), 0.3, 0.0),
        (Way("aux"), 0.3, 0.3),
        (Way("aux", estimated=True), 0.3, "reference"),
    ],
)
def test_a_blend_is_asked_and_explained_as_the_branches_are(
    lens, found, reference, way, affine, statistics
):
    made = anatomy.blended(about(lens, found), FEW, way, 0.3, progress=Job("x", None).report)
    if statistics == "reference":
        statistics = reference
    module = blend(lens.model, affine, statistics, layers=way.layers or None)
    both = torch.stack([found.clean, found.adversarial])
    drawn = found.maps["clean", "main"]
    maps = explain(module, both, drawn.class_index, "grad-cam", layer=drawn.layer)
    for index, kind in enumerate(("clean", "adversarial")):
        assert torch.equal(made.predictions[kind].logits, predict(module, both)[index].logits)
        assert torch.equal(made.maps[kind].values, maps[index])
        assert made.maps[kind].class_index == drawn.class_index
    assert (made.way, made.t) == (way, 0.3)


def test_the_ends_are_the_branches_and_need_no_work(lens, found):
    for t, branch in ((0, "main"), (1, "aux")):
        made = at_end(found, Way("aux"), t)
        worked = anatomy.blended(
            about(lens, found), FEW, Way("aux"), t, progress=Job("x", None).report
        )
        for kind in ("clean", "adversarial"):
            assert made.predictions[kind] is found.predictions[kind, branch]
            torch.testing.assert_close(
                worked.predictions[kind].logits, made.predictions[kind].logits, atol=1e-3, rtol=0.01
            )
            torch.testing.assert_close(
                worked.maps[kind].values, made.maps[kind].values, atol=1e-2, rtol=0.01
            )
    assert at_end(found, Way("aux"), 0.01) is None
    assert at_end(found, Way("aux", "statistics"), 1) is None
    assert at_end(found, Way("aux", "statistics"), 0) is not None


@pytest.mark.parametrize("method", ["deep-lift", "smoothgrad"])
def test_other_maps_of_a_blend_meet_the_branches_at_the_ends(lens, asked, method):
    found = asked(method=method)
    made = anatomy.blended(about(lens, found), FEW, Way("aux"), 1.0, progress=Job("x", None).report)
    one, other = made.maps["clean"].values, found.maps["clean", "aux"].values
    assert float((one - other).abs().max()) < 0.05 * float(other.abs().max())


def test_the_curve_begins_at_main_and_ends_at_aux(lens, found, reference):
    job = Job("x", None)
    lines = anatomy.curves(about(lens, found), FEW, Way("aux", estimated=True), progress=job.report)
    assert job.progress == 1
    for line in lines:
        for kind, shares in line.shares.items():
            assert shares.shape == (11, 10)
            for place, branch in ((0, "main"), (-1, "aux")):
                assert torch.equal(shares[place], found.predictions[kind, branch].probabilities)
    pictures = torch.stack([found.clean, found.adversarial])
    for line, statistics in zip(lines, (reference, 0.3), strict=True):
        expected = predict(blend(lens.model, 0.3, statistics), pictures)
        for index, shares in enumerate(line.shares.values()):
            torch.testing.assert_close(shares[3], expected[index].probabilities)


def test_half_a_way_has_one_line(lens, found):
    (line,) = anatomy.curves(
        about(lens, found), FEW, Way("aux", "affine"), progress=Job("x", None).report
    )
    assert not torch.equal(
        line.shares["clean"][-1], found.predictions["clean", "aux"].probabilities
    )


def test_a_picture_that_was_not_changed_is_asked_once(lens, asked):
    found = asked(perturbation="none")
    assert list(
        anatomy.curves(about(lens, found), FEW, Way("aux"), progress=Job("x", None).report)[
            0
        ].shares
    ) == ["clean"]
    gap = anatomy.gap_here(about(lens, found), FEW, "aux", "stage", progress=Job("x", None).report)
    assert list(gap.rows["alone"][0].scores) == ["clean"]


def test_every_mixture_is_measured(lens, reference):
    job = Job("x", None)
    accuracies = anatomy.halves_over(about(lens), FEW, "aux", progress=job.report)
    assert tuple(accuracies) == MIXTURES
    assert job.progress == 1
    assert {row.n for row in accuracies.values()} == {12}


def test_what_comes_with_a_bundled_network_is_not_said_of_the_persons_own(tmp_path):
    path = bundled_models()["imagenette-advprop"]
    rows = anatomy.bundled_halves(path, "imagenette-advprop", "aux")
    assert {*MIXTURES} == {*rows}
    assert all(isinstance(row, MixtureAccuracy) and row.n == 300 for row in rows.values())
    assert anatomy.bundled_halves(tmp_path / "x", "imagenette-advprop", "aux") is None
    assert anatomy.bundled_halves(path, "imagenette-advprop", "aux9") is None


def test_the_file_holds_the_blend(lens, reference, tmp_path):
    (tmp_path / "x.safetensors").write_bytes(
        anatomy.network_file(
            about(lens), FEW, Way("aux", estimated=True), 0.5, progress=Job("x", None).report
        )
    )
    plain = load(tmp_path / "x.safetensors").model.branch("main")
    expected = blend(lens.model, 0.5, reference).network.state_dict()
    assert all(torch.equal(plain.network.state_dict()[k], v) for k, v in expected.items())


@pytest.mark.parametrize("by", ["stage", "layer"])
def test_the_gap_of_a_picture_lies_between_its_branches(lens, found, by):
    job = Job("x", None)
    gap = anatomy.gap_here(about(lens, found), FEW, "aux", by, progress=job.report)
    assert (gap.n, gap.by) == (1, by)
    assert job.progress == 1
    assert gap.naive.keys() == gap.rows.keys()
    for rows in gap.naive.values():
        for row, branch in ((rows[0], "main"), (rows[-1], "aux")):
            for kind, score in row.scores.items():
                expected = found.predictions[kind, branch].probabilities[found.true_class]
                assert score.probability == pytest.approx(float(expected), abs=1e-3)


def test_what_excites_channels_through_both_branches(lens, found):
    maps = anatomy.excited(about(lens, found), "aux", "layer1.0.bn1", (0, 3), progress=print)
    assert {*maps} == {(k, b) for k in ("clean", "adversarial") for b in ("main", "aux")}
    assert maps["clean", "main"].outputs.shape == (2, 64, 64)
    assert not torch.equal(maps["clean", "main"].outputs, maps["clean", "aux"].outputs)


@pytest.mark.parametrize(
    ("fields", "kinds"),
    [
        ({}, ["clean", "adversarial"]),
        ({"perturbation": "gaussian"}, ["clean", "adversarial"]),
        ({"perturbation": "erase", "regions": "0.0.500.500"}, ["clean", "adversarial"]),
        ({"perturbation": "none"}, ["clean"]),
    ],
)
def test_the_gap_over_many_pictures(gap_over, fields, kinds):
    job = Job("x", None)
    gap = gap_over(job.report, **fields)
    assert gap.n == 12
    assert list(gap.rows["alone"][0].scores) == kinds
    assert job.progress == 1
    low, high = gap.rows["alone"][0].scores["clean"].interval
    assert 0 <= low < high <= 1


def test_pictures_of_the_class_an_attack_wants_are_left_out(lens, gap_over):
    gap = gap_over(target="heart")
    heart = lens.info.class_ids.index("heart")
    assert gap.n == 12 - [index % 10 for index in range(12)].count(heart)


def test_a_gap_over_many_pictures_can_be_stopped(gap_over):
    job = Job("x", None)
    job.cancelled = True
    with pytest.raises(Cancelled):
        gap_over(job.report)


def test_classes_that_do_not_match_are_said(gap_over, tmp_path):
    (tmp_path / "cats").mkdir()
    (tmp_path / "cats" / "a.png").write_bytes(b"x")
    source = Source(str(tmp_path), "photos", 10)
    with pytest.raises(ValueError, match="No class folder is a class"):
        gap_over(source=source)


def test_a_slow_blend_can_be_stopped(lens, found):
    job = Job("x", None)
    job.cancelled = True
    with pytest.raises(Cancelled):
        anatomy.blended(about(lens, found), FEW, Way("aux"), 0.5, progress=job.report)
