"""`advprop predict`, `advprop attack` and `advprop compare`: one photo."""

import json

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from advprop_core.models import checkpoints, timm_networks
from advprop_core.pictures import decoding
from advprop_core.predict import predict
from tests.core.cli.tiny import IDS, NAMES, draw_photo

# --- predict -------------------------------------------------------------------------------


def test_predict_says_what_the_library_says(advprop, model, photo) -> None:
    answer = advprop("predict", photo, "--model", model, "--top", 3, "--json", "-")
    content = json.loads(answer.out)
    one = checkpoints.load(model)
    pixels = decoding.to_pixels(decoding.decode(photo.read_bytes()), 64)
    for branch in ("main", "aux"):
        wanted = predict(one.model.branch(branch), pixels)[0].top(3)
        listed = content["predictions"][branch]
        assert [row["index"] for row in listed] == [index for index, _ in wanted]
        assert [row["name"] for row in listed] == [NAMES[index] for index, _ in wanted]
        assert listed[0]["probability"] == pytest.approx(wanted[0][1], abs=1e-6)
    assert answer.code == 0
    assert "main (trained)" in answer.err  # the words make room for the JSON


def test_predict_knows_the_class_by_the_folder(advprop, model, tmp_path) -> None:
    (tmp_path / "Gas_Pump").mkdir()
    draw_photo(tmp_path / "Gas_Pump" / "x.png")
    words = ("predict", tmp_path / "Gas_Pump" / "x.png", "--model", model)
    answer = advprop(*words, "--json", tmp_path / "deep" / "out.json")
    content = json.loads((tmp_path / "deep" / "out.json").read_text())
    assert content["true_class"] == {"index": 2, "id": "n2", "name": "gas pump"}
    assert content["true_class_source"] == "taken from the folder Gas_Pump"
    assert "true class: gas pump" in answer.out
    given = json.loads(advprop(*words, "--true-class", "tench", "--json", "-").out)
    assert given["true_class"]["index"] == 1


def test_predict_shows_only_the_branches_asked_for(advprop, model, photo) -> None:
    answer = advprop("predict", photo, "--model", model, "--branch", "aux")
    assert "aux" in answer.out
    assert "main" not in answer.out


def test_foreign_file_takes_its_architecture_from_the_option(
    advprop, model, photo, tmp_path
) -> None:
    file = tmp_path / "plain.safetensors"
    save_file(checkpoints.load(model).model.branch("main").network.state_dict(), file)
    words = ("predict", photo, "--model", file)
    assert "--arch" in advprop(*words).err
    answer = advprop(*words, "--arch", "test_resnet", "--json", "-")
    content = json.loads(answer.out)
    assert content["model"]["branches"] == {"main": "trained", "aux": "copied"}
    assert "Guessed: size 160 (--size)" in content["model"]["notes"][0]
    assert content["model"]["notes"][0] in " ".join(answer.err.split())
    said = ("--size", 32, "--mean", "0.5,0.5,0.5", "--std", "0.5,0.5,0.5", "--classes", "a,b,c,d")
    wrong = advprop(*words, "--arch", "test_resnet", *said)
    wrong.refuses("plain.safetensors has 6 classes, but 4 names are given")


# --- attack --------------------------------------------------------------------------------


def test_attack_writes_a_perturbation_inside_its_ball(advprop, model, photo, tmp_path) -> None:
    words = ("attack", photo, "--model", model, "--epsilon", "8/255", "--out", tmp_path)
    answer = advprop(*words, "--json", "-")
    content = json.loads(answer.out)
    arrays = np.load(tmp_path / "arrays.npz")
    assert np.abs(arrays["perturbation"]).max() == pytest.approx(8 / 255, abs=1e-6)
    assert np.array_equal(arrays["adversarial"] - arrays["clean"], arrays["perturbation"])
    saved = np.asarray(Image.open(tmp_path / "adversarial.png"), dtype=np.float32) / 255
    assert np.abs(saved.transpose(2, 0, 1) - arrays["adversarial"]).max() <= 0.5 / 255 + 1e-6
    assert Image.open(tmp_path / "perturbation.png").size == (64, 64)
    assert content == json.loads((tmp_path / "manifest.json").read_text())
    assert content["attack_branch"] == "main"
    assert content["perturbation_factor"] == 10
    assert "× 10" in answer.err
    assert content["facts"]["linf"] == pytest.approx(8 / 255, abs=1e-6)


def test_attack_on_the_one_branch_goes_through_it(advprop, model, photo, tmp_path) -> None:
    words = ("attack", photo, "--model", model, "--branch", "aux", "--out", tmp_path)
    assert json.loads(advprop(*words, "--json", "-").out)["attack_branch"] == "aux"
    content = json.loads(advprop(*words, "--attack-branch", "main", "--json", "-").out)
    assert content["attack_branch"] == "main"
    assert set(content["predictions"]["clean"]) == {"aux"}
    assert set(content["facts"]["survives_png"]) == {"aux"}


def test_targeted_attack_raises_its_target(advprop, model, photo, tmp_path) -> None:
    words = ("attack", photo, "--model", model, "--attack", "i-fgsm", "--epsilon", "16/255")
    words = (*words, "--target-class", "golf ball", "--out", tmp_path, "--json", "-")
    content = json.loads(advprop(*words).out)

    def share(kind: str) -> float:
        rows = content["predictions"][kind]["main"]
        return next((row["probability"] for row in rows if row["index"] == 5), 0.0)

    assert content["attack"]["target_class"] == 5
    assert share("adversarial") > share("clean")


def test_the_same_seed_gives_the_same_arrays(advprop, model, photo, tmp_path) -> None:
    def run(seed: int, folder: str) -> np.ndarray:
        out = tmp_path / folder
        advprop("attack", photo, "--model", model, "--steps", 1, "--seed", seed, "--out", out)
        return np.load(out / "arrays.npz")["adversarial"]

    assert np.array_equal(run(1, "a"), run(1, "b"))
    assert not np.array_equal(run(1, "a"), run(2, "c"))


# --- compare -------------------------------------------------------------------------------


def test_compare_writes_picture_arrays_and_manifest(advprop, model, photo, tmp_path) -> None:
    words = ("compare", photo, "--model", model, "--attack", "pgd", "--norm", "linf")
    words = (*words, "--epsilon", "4/255", "--steps", 10, "--true-class", "church")
    answer = advprop(*words, "--out", tmp_path / "o", "--json", tmp_path / "o.json")
    assert answer.code == 0, answer.err
    content = json.loads((tmp_path / "o.json").read_text())
    assert content == json.loads((tmp_path / "o" / "manifest.json").read_text())
    assert content["attack"]["epsilon"] == 4 / 255
    assert content["attack"]["name"] == "PGD-10"
    assert content["maps"]["class"]["name"] == "church"
    assert content["outcome"].startswith("main ")
    assert content["versions"]["torch"] == torch.__version__.partition("+")[0]
    assert content["command"].startswith("advprop compare ")
    picture = Image.open(tmp_path / "o" / "comparison.png")
    assert picture.width == 1280
    arrays = np.load(tmp_path / "o" / "arrays.npz")
    cells = {f"{k}_{b}" for k in ("clean", "adversarial") for b in ("main", "aux")}
    assert {n.removeprefix("map_") for n in arrays if n.startswith("map_")} == cells
    assert {n.removeprefix("logits_") for n in arrays if n.startswith("logits_")} == cells
    for cell in cells:
        kind, branch = cell.split("_")
        best = content["predictions"][kind][branch][0]["index"]
        assert int(arrays[f"logits_{cell}"].argmax()) == best


@pytest.mark.parametrize("method", ["saliency", "integrated-gradients"])
def test_compare_draws_any_map_of_any_number_of_branches(
    method, advprop, make_dual, make_info, photo, tmp_path
) -> None:
    heights = []
    for auxiliaries in (0, 2):
        branches = dict.fromkeys(("main", "aux", "aux2")[: auxiliaries + 1], "trained")
        file = tmp_path / f"{auxiliaries}.safetensors"
        checkpoints.save(file, make_dual(auxiliaries=auxiliaries), make_info(branches=branches))
        out = tmp_path / str(auxiliaries)
        words = ("compare", photo, "--model", file, "--method", method, "--norm", "l2")
        assert advprop(*words, "--out", out).code == 0
        heights.append(Image.open(out / "comparison.png").height)
    assert heights[0] < heights[1]


def test_compare_goes_without_maps_where_the_network_has_none(
    advprop, make_info, photo, tmp_path
) -> None:
    info = make_info(
        architecture="test_vit", class_ids=IDS, class_names=NAMES, input_size=160,
        branches={"main": "trained"},
    )  # fmt: skip
    checkpoints.save(tmp_path / "vit.safetensors", timm_networks.create(info).freeze(), info)
    words = ("compare", photo, "--model", tmp_path / "vit.safetensors", "--steps", 1)
    answer = advprop(*words, "--out", tmp_path, "--json", "-")
    assert answer.code == 0
    reason = "the network has no stage with a spatial map: use a gradient method"
    assert f"no grad-cam maps: {reason}" in " ".join(answer.err.split())
    content = json.loads(answer.out)
    assert content["maps"]["method"] == "grad-cam"
    assert content["maps"]["refused"].startswith(reason)
    arrays = np.load(tmp_path / "arrays.npz")
    assert {"clean", "adversarial", "perturbation"} <= set(arrays)
    assert not any(name.startswith("map_") for name in arrays)
    assert Image.open(tmp_path / "comparison.png").width == 1280
    wrong = advprop(*words, "--layer", "blocks.0", "--out", tmp_path)
    wrong.refuses("layer 'blocks.0' gives no map")


def test_compare_draws_aux_in_its_own_colour_when_alone(advprop, model, photo, tmp_path) -> None:
    advprop("compare", photo, "--model", model, "--branch", "aux", "--out", tmp_path)
    colours = Image.open(tmp_path / "comparison.png").getcolors(maxcolors=2**24)
    found = {colour for _, colour in colours or ()}
    assert (0xD5, 0x5E, 0x00) in found
    assert (0x00, 0x72, 0xB2) not in found
