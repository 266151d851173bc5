"""`advprop explain` over scenes whose objects are known."""

import json

import pytest
import torch

from advprop_core.attribution import maps
from advprop_core.attribution.errors import Unfit
from advprop_core.attribution.maps import explain
from advprop_core.datasets.named import load_scenes
from advprop_core.datasets.texture_shapes.scenes import SHAPES
from advprop_core.faithfulness.objects import compare_object_shares, object_share
from advprop_core.models import checkpoints


@pytest.fixture(scope="module")
def shapes_models(tmp_path_factory, make_dual, make_info):
    """A model with an auxiliary branch, and one of the same size without."""
    folder = tmp_path_factory.mktemp("shapes")
    for name, auxiliaries in (("two", 1), ("one", 0)):
        branches = {"main": "trained", "aux": "trained"} if auxiliaries else {"main": "trained"}
        info = make_info(class_ids=SHAPES, class_names=SHAPES, input_size=32, branches=branches)
        dual = make_dual(classes=len(SHAPES), auxiliaries=auxiliaries)
        checkpoints.save(folder / f"{name}.safetensors", dual, info)
    return folder / "two.safetensors", folder / "one.safetensors"


@pytest.fixture
def ask(advprop, shapes_models):
    def call(*words):
        models = [word for path in shapes_models for word in ("--model", path)]
        answer = advprop("explain", "shapes-conflict", *models, *words, "--json", "-")
        assert answer.code == 0, answer.err
        return json.loads(answer.out), answer.err

    return call


def test_every_model_branch_and_method_is_measured_on_the_same_scenes(ask, shapes_models):
    content, told = ask("--method", "saliency,grad-cam", "--limit", 12)
    two, one = map(str, shapes_models)
    places = [(two, "main"), (two, "aux"), (one, "main")]
    listed = [(row["method"], row["model"], row["branch"]) for row in content["results"]]
    assert listed == [(method, *place) for method in ("saliency", "grad-cam") for place in places]
    assert content["n"] == 12
    assert len({row["area"] for row in content["results"]}) == 1
    assert "which covers" in told
    assert "12 scenes" in told


def test_the_figures_are_the_librarys(ask, shapes_models):
    content, _ = ask("--method", "smoothgrad", "--samples", 2, "--limit", 10, "--seed", 3)
    model = checkpoints.load(shapes_models[0]).model
    scenes = load_scenes("shapes-conflict", 10, 32)

    def share(branch):
        def make(pixels, classes):
            return explain(model.branch(branch), pixels, classes, "smoothgrad", seed=3, samples=2)

        return object_share(make, scenes, seed=3)

    first, second = share("main"), share("aux")
    expected = compare_object_shares(first, second, seed=3)
    main, aux, _ = content["results"]
    for row, found in ((main, first), (aux, second)):
        assert row["share"]["value"] == pytest.approx(found.share.value, abs=1e-3)
        assert row["share"]["low"] == pytest.approx(found.share.low, abs=1e-3)
        assert row["pointing"]["n"] == 10
        assert row["area"] == pytest.approx(found.area)
    assert main["difference"] is None
    assert aux["difference"]["to"] == {"model": str(shapes_models[0]), "branch": "main"}
    assert aux["difference"]["share"]["value"] == pytest.approx(expected.share.value, abs=2e-3)


def test_it_is_the_same_each_time(ask):
    first, again = (ask("--method", "vargrad", "--limit", 6)[0] for _ in range(2))
    assert first == again


def test_a_map_on_the_object_alone_has_all_of_it_inside(ask, monkeypatch):
    scenes = load_scenes("shapes-conflict", 4, 32)
    pictures = torch.stack([torch.from_numpy(scene.image.copy()) for scene in scenes])

    def see(question):
        """The mask of each scene, found by its picture."""
        rows = []
        for image in question.pixels:
            like = (image.permute(1, 2, 0) * 255 - pictures).abs().amax((1, 2, 3))
            rows.append(torch.from_numpy(scenes[int(like.argmin())].mask.copy()).float())
        return torch.stack(rows)

    monkeypatch.setitem(maps._MAKERS, "saliency", see)
    content, _ = ask("--method", "saliency", "--limit", 4)
    for row in content["results"]:
        assert row["share"] == {"value": 1.0, "low": 1.0, "high": 1.0, "n": 4}
        assert row["pointing"]["value"] == 1.0


def test_scenes_whose_maps_say_nothing_are_counted(ask, monkeypatch):
    def nothing(question):
        found = question.pixels.mean(1)
        found[0] = 0
        return found

    monkeypatch.setitem(maps._MAKERS, "saliency", nothing)
    content, told = ask("--method", "saliency", "--limit", 5)
    row = content["results"][0]
    assert row["undefined"] == {"the map is zero everywhere": 1}
    assert row["share"]["n"] == 4
    assert "1 of 5 scenes left out, the map is zero everywhere" in told


def test_one_scene_has_no_interval(ask):
    content, told = ask("--method", "saliency", "--limit", 1)
    assert content["results"][0]["share"] == {"undefined": "one picture has no interval"}
    assert "–" in told


def test_one_layer_can_be_chosen(ask):
    content, _ = ask("--layer", "layer1", "--limit", 4)
    assert {row["layer"] for row in content["results"]} == {"layer1"}


def test_models_of_different_size_are_not_paired(
    advprop, shapes_models, make_dual, make_info, tmp_path
):
    info = make_info(class_ids=SHAPES, class_names=SHAPES, input_size=40)
    checkpoints.save(tmp_path / "large.safetensors", make_dual(classes=len(SHAPES)), info)
    models = ("--model", shapes_models[1], "--model", tmp_path / "large.safetensors")
    words = ("explain", "shapes", *models, "--method", "saliency", "--limit", 4, "--json", "-")
    content = json.loads(advprop(*words).out)
    assert [row["difference"] for row in content["results"]] == [None, None, None]


def test_methods_that_do_not_fit_are_left_out_of_all(ask, monkeypatch, advprop, shapes_models):
    def unfit(question):
        raise Unfit("it never fits")

    for name in maps._MAKERS:
        if name != "saliency":
            monkeypatch.setitem(maps._MAKERS, name, unfit)
    content, told = ask("--method", "all", "--limit", 2)
    assert {row["method"] for row in content["results"]} == {"saliency"}
    assert len(content["left_out"]) == 3 * (len(maps._MAKERS) - 1)
    assert "it never fits" in told
    answer = advprop("explain", "shapes", "--model", shapes_models[0], "--method", "vargrad")
    answer.refuses("it never fits")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--out", "x"), "are for a photo, and shapes-conflict is a data set"),
        (("--metrics",), "are for a photo"),
        (("--attack", "pgd"), "are for a photo"),
        (("--class-index", "1"), "are for a photo"),
        (("--limit", "0"), "--limit must be at least 1, got 0"),
        (("--limit", "2001"), "count must lie in [1, 2000]"),
        (("--layer", "stages"), "--layer must be one layer"),
        (("--layer", "layer1,layer2"), "--layer must be one layer"),
        (("--branch", "aux"), "one.safetensors: The network has no branch 'aux'"),
    ],
)
def test_what_does_not_go_with_scenes_is_refused(advprop, shapes_models, words, message):
    models = [word for path in shapes_models for word in ("--model", path)]
    advprop("explain", "shapes-conflict", *models, *words).refuses(message)


def test_a_model_of_other_classes_is_refused(advprop, model):
    advprop("explain", "shapes", "--model", model).refuses("are not those of shapes")
