"""`advprop explain`: maps of one photo."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

from advprop_core.attacks.gradient import attack
from advprop_core.attribution import maps
from advprop_core.attribution.errors import Unfit
from advprop_core.attribution.layers import stages
from advprop_core.attribution.maps import explain
from advprop_core.attribution.methods import METHODS
from advprop_core.models import checkpoints
from advprop_core.pictures import decoding
from advprop_core.report.colours import colour_span
from advprop_core.types import AttackConfig

pytestmark = pytest.mark.filterwarnings("ignore:Setting")


@pytest.fixture
def ask(advprop, model, photo, tmp_path):
    """(options) to the JSON of `explain`."""

    def call(*words):
        fixed = ("explain", photo, "--model", model, "--out", tmp_path, "--json", "-")
        answer = advprop(*fixed, *words)
        assert answer.code == 0, answer.err
        return json.loads(answer.out)

    return call


@pytest.fixture
def refuse(advprop, model, photo, tmp_path):
    """(options, message): one sentence, before anything is written."""

    def call(message, *words):
        advprop("explain", photo, "--model", model, "--out", tmp_path, *words).refuses(message)
        assert not [*tmp_path.glob("*.png")]

    return call


@pytest.fixture
def flat(monkeypatch):
    """(method, value): its maps are that value everywhere."""

    def make(method, value):
        def maker(question):
            return torch.full_like(question.pixels[:, 0], value)

        monkeypatch.setitem(maps._MAKERS, method, maker)

    return make


def pictures(folder):
    return {path.name for path in folder.glob("*.png")}


def test_explain_writes_a_picture_per_map(ask, tmp_path):
    words = ("--method", "grad-cam,integrated-gradients", "--branch", "main", "--branch", "aux")
    content = ask(*words)
    names = ("main", "aux", "main-minus-aux")
    files = {f"{m}_{name}.png" for m in ("grad-cam", "integrated-gradients") for name in names}
    assert pictures(tmp_path) == {*files, "maps.png"}
    assert {row["file"] for row in (*content["maps"], *content["differences"])} == files
    arrays = np.load(tmp_path / "arrays.npz")
    assert set(arrays) == {file.removesuffix(".png") for file in files}
    assert arrays["grad-cam_main"].shape == (64, 64)
    assert arrays["integrated-gradients_aux"].min() < 0
    ends = [row["colour_scale_end"] for row in content["maps"]]
    assert ends[0] == ends[1]
    assert content["maps"][0]["layer"]
    assert content["maps"][2]["layer"] is None
    assert content == json.loads((tmp_path / "manifest.json").read_text())


def test_maps_are_what_the_library_makes(ask, model, photo, tmp_path):
    content = ask("--method", "smoothgrad", "--samples", 3, "--seed", 5, "--class-index", 2)
    pixels = decoding.to_pixels(decoding.decode(photo.read_bytes()), 64)
    arrays = np.load(tmp_path / "arrays.npz")
    one = checkpoints.load(model).model
    for name in ("main", "aux"):
        expected = explain(one.branch(name), pixels, 2, "smoothgrad", seed=5, samples=3)[0]
        np.testing.assert_allclose(arrays[f"smoothgrad_{name}"], expected, rtol=1e-2, atol=1e-4)
    apart = arrays["smoothgrad_main"] - arrays["smoothgrad_aux"]
    np.testing.assert_array_equal(arrays["smoothgrad_main-minus-aux"], apart)
    assert content["seed"] == 5
    assert content["options"] == {"window": None, "stride": None, "samples": 3}


def test_the_same_command_gives_the_same(ask, tmp_path):
    kept = []
    for _ in range(2):
        content = ask("--method", "rise,vargrad", "--samples", 4)
        kept.append((content, dict(np.load(tmp_path / "arrays.npz"))))
    assert kept[0][0] == kept[1][0]
    for name, values in kept[0][1].items():
        np.testing.assert_array_equal(values, kept[1][1][name])


def test_a_difference_has_a_symmetric_scale_of_its_own(ask, tmp_path):
    content = ask("--method", "saliency")
    (apart,) = content["differences"]
    values = np.load(tmp_path / "arrays.npz")["saliency_main-minus-aux"]
    assert apart["of"] == "main − aux, clean"
    assert apart["sign"] == "signed"
    assert apart["colour_scale_end"] == -apart["colour_scale_start"]
    assert apart["colour_scale_end"] == pytest.approx(colour_span([values], "signed")[1])


def test_maps_far_from_zero_do_not_begin_there(ask, monkeypatch):
    def far(question):
        return torch.linspace(6, 10, 64 * 64).view(1, 64, 64)

    monkeypatch.setitem(maps._MAKERS, "rise", far)
    starts = {
        row["method"]: row["colour_scale_start"] for row in ask("--method", "rise,saliency")["maps"]
    }
    assert starts == {"rise": pytest.approx(6.04, abs=0.01), "saliency": 0.0}


# -- classes, layers, methods --------------------------------------------------------------------


def test_explain_takes_layer_and_class(ask):
    content = ask("--layer", "layer1", "--class-index", "tench")
    assert content["class"] == {"index": 1, "id": "n1", "name": "tench"}
    assert {row["layer"] for row in content["maps"]} == {"layer1"}
    assert {row["file"] for row in content["maps"]} == {"grad-cam_main.png", "grad-cam_aux.png"}


def test_without_a_true_class_the_prediction_is_explained(ask):
    content = ask("--branch", "aux")
    assert content["true_class"] is None
    assert content["class"]["index"] == content["predictions"]["clean"]["aux"][0]["index"]
    assert list(content["predictions"]) == ["clean"]
    assert ask("--true-class", "tench")["class"]["name"] == "tench"


def test_several_layers_have_a_map_each(ask, model, photo, tmp_path):
    words = ("--layer", "layer1,layer2.0", "--method", "layer-cam,score-cam,saliency")
    content = ask(*words, "--branch", "aux", "--class-index", 1)
    files = [row["file"] for row in content["maps"]]
    assert files == [
        "layer-cam_layer1_aux.png",
        "layer-cam_layer2.0_aux.png",
        "score-cam_layer1_aux.png",
        "score-cam_layer2.0_aux.png",
        "saliency_aux.png",
    ]
    assert content["differences"] == []
    pixels = decoding.to_pixels(decoding.decode(photo.read_bytes()), 64)
    branch = checkpoints.load(model).model.branch("aux")
    arrays = np.load(tmp_path / "arrays.npz")
    for method in ("layer-cam", "score-cam"):
        expected = explain(branch, pixels, 1, method, layer="layer2.0")[0]
        found = arrays[f"{method}_layer2.0_aux"]
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-5)


def test_stages_are_all_those_with_a_map(ask, model):
    content = ask("--layer", "stages")
    listed = stages(checkpoints.load(model).model.branch("main"))
    assert len(listed) > 2
    assert list(dict.fromkeys(row["layer"] for row in content["maps"])) == list(listed)


def test_all_methods_but_those_that_do_not_fit(ask, monkeypatch):
    def unfit(question):
        raise Unfit("it never fits")

    monkeypatch.setitem(maps._MAKERS, "cam", unfit)
    content = ask("--method", "all", "--samples", 2, "--window", 32)
    assert content["left_out"]["cam"] == "it never fits"
    made = {row["method"] for row in content["maps"]}
    assert made | set(content["left_out"]) == set(METHODS)
    assert not made & set(content["left_out"])
    assert len(made) > 15


def test_a_method_that_was_named_must_fit(refuse, monkeypatch):
    def unfit(question):
        raise Unfit("it never fits")

    monkeypatch.setitem(maps._MAKERS, "saliency", unfit)
    refuse("it never fits", "--method", "grad-cam,saliency")
    refuse("it never fits", "--method", "all,saliency", "--samples", 2)


# -- attacks -------------------------------------------------------------------------------------


def test_an_attack_adds_the_attacked_photo_and_how_maps_move(ask, model, tmp_path):
    words = ("--attack", "pgd", "--epsilon", "8/255", "--steps", 2, "--attack-branch", "aux")
    content = ask(*words, "--method", "saliency", "--true-class", "tench")
    names = {row["array"] for row in (*content["maps"], *content["differences"])}
    assert names == {
        "saliency_main",
        "saliency_aux",
        "saliency_main_adversarial",
        "saliency_aux_adversarial",
        "saliency_main-minus-aux",
        "saliency_main-minus-aux_adversarial",
        "saliency_main_clean-minus-adversarial",
        "saliency_aux_clean-minus-adversarial",
    }
    arrays = np.load(tmp_path / "arrays.npz")
    moved = arrays["saliency_aux"] - arrays["saliency_aux_adversarial"]
    np.testing.assert_array_equal(arrays["saliency_aux_clean-minus-adversarial"], moved)
    clean = torch.from_numpy(arrays["clean"])[None]
    config = AttackConfig.pgd(8 / 255, steps=2)
    branch = checkpoints.load(model).model.branch("aux")
    expected = attack(branch, clean, torch.tensor([1]), config)[0]
    np.testing.assert_allclose(arrays["adversarial"], expected, atol=1e-3)
    assert content["attack"]["name"] == "PGD-2"
    assert content["attack_branch"] == "aux"
    assert list(content["predictions"]) == ["clean", "adversarial"]
    assert content["facts"]["linf"] == pytest.approx(8 / 255, abs=1e-6)


def test_an_attack_through_a_branch_that_is_not_shown(ask):
    content = ask("--branch", "aux", "--attack", "fgsm", "--attack-branch", "main")
    assert {row["branch"] for row in content["maps"]} == {"aux"}
    assert content["attack_branch"] == "main"


def test_a_targeted_attack(ask):
    content = ask("--attack", "i-fgsm", "--steps", 1, "--target-class", "tench")
    assert content["attack"]["target_class"] == 1


# -- maps that say nothing -----------------------------------------------------------------------


def test_a_map_that_says_nothing_is_not_drawn(advprop, model, photo, tmp_path, flat):
    (tmp_path / "saliency_main.png").touch()  # of an earlier run
    flat("saliency", 0.0)
    words = ("explain", photo, "--model", model, "--out", tmp_path, "--method", "saliency,vargrad")
    answer = advprop(*words, "--branch", "main")
    assert "Saliency: main is not drawn: the map is zero everywhere\n" in answer.out
    assert pictures(tmp_path) == {"maps.png", "vargrad_main.png"}
    row = json.loads((tmp_path / "manifest.json").read_text())["maps"][0]
    assert (row["file"], row["flaw"]) == (None, "the map is zero everywhere")
    assert not np.load(tmp_path / "arrays.npz")["saliency_main"].any()


def test_maps_that_do_not_differ_are_said_to(advprop, model, photo, tmp_path, flat):
    flat("saliency", 2.0)
    words = ("explain", photo, "--model", model, "--out", tmp_path, "--method", "saliency")
    answer = advprop(*words)
    assert "main is not drawn: the map is constant" in answer.out
    assert "no difference to draw: (main − aux, clean)\n" in answer.out


# -- figures -------------------------------------------------------------------------------------


def test_metrics_are_printed_and_kept(advprop, model, photo, tmp_path):
    words = ("explain", photo, "--model", model, "--out", tmp_path, "--method", "grad-cam,saliency")
    answer = advprop(*words, "--metrics", "--attack", "fgsm")
    assert "random weights" in answer.out
    assert "stability" in answer.out
    content = json.loads((tmp_path / "manifest.json").read_text())
    arrays = np.load(tmp_path / "arrays.npz")
    assert len(content["maps"]) == 8
    for row in content["maps"]:
        trust = row["trust"]
        assert set(trust["across_branches"]) == {"main", "aux"} - {row["branch"]}
        assert -1 <= trust["stability"]["rank_correlation"] <= 1
        assert trust["randomisation"]["words"]
        shares, insertion, *_ = arrays[f"{row['array']}_curves"]
        assert (shares[0], shares[-1]) == (0, 1)
        assert trust["curves"]["insertion"] == pytest.approx(insertion.tolist(), abs=1e-4)


def test_several_layers_are_measured_apart(ask):
    content = ask("--metrics", "--layer", "layer1,layer2", "--branch", "main")
    one, other = (row["trust"] for row in content["maps"])
    assert one["curves"]["insertion"] != other["curves"]["insertion"]
    assert one["max_sensitivity"] != other["max_sensitivity"]


def test_without_metrics_there_are_none(ask):
    assert not any("trust" in row for row in ask()["maps"])


def test_a_figure_that_is_undefined_says_why(advprop, model, photo, tmp_path, flat):
    flat("saliency", 0.0)
    words = ("explain", photo, "--model", model, "--out", tmp_path, "--method", "saliency")
    answer = advprop(*words, "--metrics", "--branch", "main")
    (line,) = [line for line in answer.out.splitlines() if line.startswith("  main")]
    assert line.split() == ["main", *"––––––"]
    trust = json.loads((tmp_path / "manifest.json").read_text())["maps"][0]["trust"]
    nothing = {"undefined": "the map is zero everywhere"}
    assert trust["curves"] == trust["infidelity"] == trust["max_sensitivity"] == nothing
    assert trust["randomisation"]["correlation"] == nothing


# -- refusals ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--method", "grad-cam,magic"), "--method has no 'magic'"),
        (("--method", "grad-camp"), "Did you mean grad-cam"),
        (("--method", "saliency", "--layer", "layer1"), "--layer is for grad-cam"),
        (("--layer", "leyer1"), "Did you mean layer1"),
        (("--layer", "stages,layer1"), "stages alone"),
        (("--window", "8"), "--window is for occlusion, and --method is grad-cam"),
        (("--stride", "8", "--method", "rise"), "--stride is for occlusion"),
        (("--samples", "8"), "--samples is for smoothgrad, vargrad, gradient-shap, rise"),
        (("--samples", "0", "--method", "rise"), "samples must be at least 1"),
        (("--window", "99", "--method", "occlusion"), "window must be at most 64"),
        (("--class-index", "zebra"), "--class-index must be a name"),
        (("--epsilon", "4/255"), "describe an attack: name it too, such as --attack pgd"),
        (("--norm", "l2"), "describe an attack"),
        (("--steps", "0"), "describe an attack"),
        (("--target-class", "tench"), "describe an attack"),
        (("--attack", "magic"), "--attack must be one of pgd"),
        (("--attack", "fgsm", "--steps", "3"), "fgsm is one step"),
        (("--attack", "pgd", "--target-class", "zebra"), "--target-class must be"),
        (("--attack", "pgd", "--attack-branch", "aux7"), "no branch 'aux7'"),
        (("--limit", "3"), "--limit is for a data set"),
        (("--model", "another"), "--model must be one for a photo"),
    ],
)
def test_explain_refuses(refuse, words, message):
    refuse(message, *words)


def test_a_photo_needs_a_folder(advprop, model, photo):
    advprop("explain", photo, "--model", model).refuses("--out must name a folder")
    advprop("explain", photo, "--model", model, "--out", photo).refuses("--out must be a folder")


def test_the_overview_has_a_size_for_its_maps(ask, tmp_path):
    ask("--method", "saliency")
    few = Image.open(tmp_path / "maps.png").size
    ask("--method", "saliency,vargrad", "--attack", "fgsm")
    many = Image.open(tmp_path / "maps.png").size
    assert many[0] > few[0]
    assert many[1] > few[1]
