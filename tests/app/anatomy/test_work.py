"""What the Anatomy page asks of the library, on a tiny network."""

from dataclasses import replace

import pytest
import torch

from advprop_core.anatomy.mixing import blend
from advprop_core.attribution.maps import explain
from advprop_core.predict import predict
from app.anatomy import work as anatomy
from app.anatomy.samples import Source
from app.anatomy.work import Way
from app.shell import cache, requests
from app.shell.jobs import Cancelled, Job
from app.shell.state import View

FEW = Source("shapes", "drawn scenes", 12)
ATTACKED = View(model="tiny-advprop", steps=2, expert=True)


@pytest.fixture
def lens(tiny):
    return cache.load_lens("tiny-advprop")


@pytest.fixture
def asked(lens):
    """(any field of the view) to the comparison that is asked for."""

    def ask(**fields):
        view = replace(ATTACKED, **fields)
        label = cache.picture(view.image, 64).label
        layer = view.layer or lens.default_layer
        return requests.make_request(replace(view, layer=layer), lens.info, label)

    return ask


@pytest.fixture
def found(lens, asked):
    return requests.run(asked(), lens.branches, cache.pixels(ATTACKED.image, 64), Job("x"))


def test_the_view_says_what_moves():
    assert anatomy.way_of(View()) == Way("aux")
    assert Way("aux").whole
    view = View(second="aux2", moved="statistics", moved_layers=("s1", "s2"))
    assert anatomy.way_of(view) == Way("aux2", True, False, ("s1", "s2"))
    assert anatomy.way_of(View(moved="affine")) == Way("aux", False, True)
    assert not anatomy.way_of(view).whole


def test_a_blend_is_asked_and_explained_as_the_branches_are(lens, found):
    way = Way("aux", affine=False, layers=("layer1",))
    made = anatomy.blended(lens, found, way, 0.3, Job("x"))
    module = blend(lens.model, 0.3, affine=False, layers=["layer1"])
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
        made = anatomy.at_end(found, Way("aux"), t)
        worked = anatomy.blended(lens, found, Way("aux"), t, Job("x"))
        for kind in ("clean", "adversarial"):
            assert made.predictions[kind] is found.predictions[kind, branch]
            torch.testing.assert_close(
                worked.predictions[kind].logits, made.predictions[kind].logits, atol=1e-3, rtol=0.01
            )
            torch.testing.assert_close(
                worked.maps[kind].values, made.maps[kind].values, atol=1e-2, rtol=0.01
            )
    assert anatomy.at_end(found, Way("aux"), 0.01) is None
    assert anatomy.at_end(found, Way("aux", affine=False), 1) is None
    assert anatomy.at_end(found, Way("aux", affine=False), 0) is not None


@pytest.mark.parametrize("method", ["deep-lift", "smoothgrad"])
def test_other_maps_of_a_blend_meet_the_branches_at_the_ends(lens, asked, method):
    request = asked(method=method)
    request = replace(request, maps=replace(request.maps, layer=None))
    found = requests.run(request, lens.branches, cache.pixels("scene:2", 64), Job("x"))
    made = anatomy.blended(lens, found, Way("aux"), 1.0, Job("x"))
    one, other = made.maps["clean"].values, found.maps["clean", "aux"].values
    assert float((one - other).abs().max()) < 0.05 * float(other.abs().max())


def test_the_curve_begins_at_main_and_ends_at_aux(lens, found):
    job = Job("x")
    line = anatomy.curve(lens, found, Way("aux"), job)
    assert job.progress == 1
    for kind, shares in line.shares.items():
        assert shares.shape == (21, 10)
        for place, branch in ((0, "main"), (-1, "aux")):
            expected = found.predictions[kind, branch].probabilities
            torch.testing.assert_close(shares[place], expected, atol=1e-3, rtol=0.01)


def test_a_picture_that_was_not_changed_is_asked_once(lens, asked):
    request = asked(perturbation="none")
    found = requests.run(request, lens.branches, cache.pixels("scene:2", 64), Job("x"))
    assert list(anatomy.curve(lens, found, Way("aux"), Job("x")).shares) == ["clean"]
    gap = anatomy.gap_here(lens, found, "aux", "stage", Job("x"))
    assert list(gap.rows["alone"][0].scores) == ["clean"]


@pytest.mark.parametrize("by", ["stage", "layer"])
def test_the_gap_of_a_picture_lies_between_its_branches(lens, found, by):
    job = Job("x")
    gap = anatomy.gap_here(lens, found, "aux", by, job)
    assert (gap.n, gap.by) == (1, by)
    assert job.progress == 1
    for rows in gap.rows.values():
        for row, branch in ((rows[0], "main"), (rows[-1], "aux")):
            for kind, score in row.scores.items():
                expected = found.predictions[kind, branch].probabilities[found.true_class]
                assert score.probability == pytest.approx(float(expected), abs=1e-3)


def test_what_excites_channels_through_both_branches(lens, found):
    maps = anatomy.excited(lens, found, "aux", "layer1.0.bn1", (0, 3))
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
def test_the_gap_over_many_pictures(lens, asked, fields, kinds):
    job = Job("x")
    gap = anatomy.gap_over(lens, asked(**fields), FEW, "aux", "stage", job)
    assert gap.n == 12
    assert list(gap.rows["alone"][0].scores) == kinds
    assert job.progress == 1
    low, high = gap.rows["alone"][0].scores["clean"].interval
    assert 0 <= low < high <= 1


def test_pictures_of_the_class_an_attack_wants_are_left_out(lens, asked):
    gap = anatomy.gap_over(lens, asked(target="heart"), FEW, "aux", "stage", Job("x"))
    heart = lens.info.class_ids.index("heart")
    assert gap.n == 12 - [index % 10 for index in range(12)].count(heart)


def test_a_gap_over_many_pictures_can_be_stopped(lens, asked):
    job = Job("x")
    job.cancel()
    with pytest.raises(Cancelled):
        anatomy.gap_over(lens, asked(), FEW, "aux", "stage", job)


def test_classes_that_do_not_match_are_said(lens, asked, tmp_path):
    (tmp_path / "cats").mkdir()
    (tmp_path / "cats" / "a.png").write_bytes(b"x")
    source = Source(str(tmp_path), "photos", 10)
    with pytest.raises(ValueError, match="No class folder is a class"):
        anatomy.gap_over(lens, asked(), source, "aux", "stage", Job("x"))


def test_a_slow_blend_can_be_stopped(lens, found):
    job = Job("x")
    job.cancel()
    with pytest.raises(Cancelled):
        anatomy.blended(lens, found, Way("aux"), 0.5, job)
