"""The `advprop` command as a person meets it: what it prints, writes and refuses."""

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from advprop_core import bundle, checkpoints, cli, images
from advprop_core.commands import house
from advprop_core.commands.values import read_attack, read_class, split_list
from advprop_core.predict import predict

NAMES = ("church", "tench", "gas pump", "crane", "crane", "golf ball")
IDS = tuple(f"n{index}" for index in range(6))


@pytest.fixture(scope="session")
def model(tmp_path_factory, make_dual, make_info) -> Path:
    path = tmp_path_factory.mktemp("model") / "tiny.safetensors"
    info = make_info(class_ids=IDS, class_names=NAMES, input_size=64, name="tiny")
    checkpoints.save(path, make_dual(), info)
    return path


@pytest.fixture(scope="session")
def bad_files(tmp_path_factory, model) -> Path:
    folder = tmp_path_factory.mktemp("bad")
    whole = model.read_bytes()
    (folder / "cut.safetensors").write_bytes(whole[: len(whole) // 2])
    (folder / "text.safetensors").write_text("this is no checkpoint at all")
    torch.save({"model": os.system}, folder / "code.pth")
    (folder / "code.pkl").write_bytes(pickle.dumps({"model": os.system}))
    save_file({"fc.weight": torch.zeros(2, 3)}, folder / "foreign.safetensors")
    (folder / "empty").mkdir()
    (folder / "strangers" / "zebra").mkdir(parents=True)
    draw_photo(folder / "strangers" / "zebra" / "1.png")
    (folder / "text.jpg").write_text("this is no image")
    (folder / "zero.jpg").write_bytes(b"")
    return folder


@pytest.fixture(scope="session")
def photo(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("photos") / "photo.png"
    draw_photo(path)
    return path


@pytest.fixture
def val(tmp_path: Path) -> Path:
    for index, name in enumerate(("church", "Gas_Pump", "n5")):
        (tmp_path / "val" / name).mkdir(parents=True)
        for number in range(3):
            draw_photo(tmp_path / "val" / name / f"{number}.png", seed=10 * index + number)
    return tmp_path / "val"


def draw_photo(path: Path, seed: int = 0) -> None:
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    Image.fromarray(coarse).resize((96, 80), Image.Resampling.BICUBIC).save(path)


# --- predict -------------------------------------------------------------------------------


def test_predict_says_what_the_library_says(advprop, model, photo) -> None:
    answer = advprop("predict", photo, "--model", model, "--top", 3, "--json", "-")
    content = json.loads(answer.out)
    one = checkpoints.load(model)
    pixels = images.to_pixels(images.decode(photo.read_bytes()), 64)
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
    assert advprop("export", "--model", model, "--branch", "main", "--out", file).code == 0
    words = ("predict", photo, "--model", file)
    assert "--arch" in advprop(*words).err
    content = json.loads(advprop(*words, "--arch", "test_resnet", "--json", "-").out)
    assert content["model"]["branches"] == {"main": "trained", "aux": "copied"}


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


# --- explain -------------------------------------------------------------------------------


def test_explain_writes_a_picture_per_map(advprop, model, photo, tmp_path) -> None:
    words = ("explain", photo, "--model", model, "--method", "grad-cam,integrated-gradients")
    words = (*words, "--branch", "main", "--branch", "aux", "--out", tmp_path, "--json", "-")
    content = json.loads(advprop(*words).out)
    files = {f"{m}_{b}.png" for m in ("grad-cam", "integrated-gradients") for b in ("main", "aux")}
    assert {row["file"] for row in content["maps"]} == files
    assert {path.name for path in tmp_path.glob("*.png")} == files
    arrays = np.load(tmp_path / "arrays.npz")
    assert arrays["grad-cam_main"].shape == (64, 64)
    assert arrays["integrated-gradients_aux"].min() < 0
    ends = [row["colour_scale_end"] for row in content["maps"]]
    assert ends[0] == ends[1]
    assert content["maps"][0]["layer"]
    assert content["maps"][2]["layer"] is None


def test_explain_takes_layer_and_class(advprop, model, photo, tmp_path) -> None:
    words = ("explain", photo, "--model", model, "--layer", "layer1", "--out", tmp_path)
    content = json.loads(advprop(*words, "--class-index", "tench", "--json", "-").out)
    assert content["class"] == {"index": 1, "id": "n1", "name": "tench"}
    assert {row["layer"] for row in content["maps"]} == {"layer1"}


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


def test_compare_draws_aux_in_its_own_colour_when_alone(advprop, model, photo, tmp_path) -> None:
    advprop("compare", photo, "--model", model, "--branch", "aux", "--out", tmp_path)
    colours = Image.open(tmp_path / "comparison.png").getcolors(maxcolors=2**24)
    found = {colour for _, colour in colours or ()}
    assert (0xD5, 0x5E, 0x00) in found
    assert (0x00, 0x72, 0xB2) not in found


# --- evaluate ------------------------------------------------------------------------------


def test_evaluate_writes_the_agreed_form(advprop, model, val, tmp_path) -> None:
    words = ("evaluate", "--model", model, "--data", val, "--attack", "pgd")
    words = (*words, "--epsilon", "0,2/255", "--steps", 2, "--json", tmp_path / "r.json")
    answer = advprop(*words)
    content = json.loads((tmp_path / "r.json").read_text())
    assert set(content) == {"data", "n", "seed", "results"}
    assert content["n"] == 9
    rows = content["results"]
    keys = {"model", "branch", "condition", "n", "top1", "top5", "loss", "interval"}
    assert all(set(row) == keys for row in rows)
    assert [row["branch"] for row in rows] == ["main", "aux"] * 3
    kinds = [(row["condition"]["kind"], row["condition"].get("epsilon")) for row in rows[::2]]
    assert kinds == [("clean", None), ("attack", 0.0), ("attack", 2 / 255)]
    for row in rows[2:]:
        assert row["condition"]["attack_branch"] == row["branch"]  # white box
    for clean, nothing in zip(rows[:2], rows[2:4], strict=True):
        assert nothing["loss"] == pytest.approx(clean["loss"], rel=1e-5)
        assert nothing["top1"] == clean["top1"]
    assert rows[4]["loss"] > rows[0]["loss"]
    assert 0 <= rows[0]["interval"][0] <= rows[0]["top1"] <= rows[0]["interval"][1] <= 1
    assert "PGD-2, L∞ ≤ 2/255" in answer.out


def test_evaluate_several_models_through_one_branch(
    advprop, model, make_dual, make_info, val, tmp_path
) -> None:
    one = tmp_path / "one.safetensors"
    info = make_info(class_ids=IDS, class_names=NAMES, branches={"main": "trained"})
    checkpoints.save(one, make_dual(auxiliaries=0), info)
    words = ("evaluate", "--model", f"{model},{one}", "--data", val, "--limit", 6)
    content = json.loads(advprop(*words, "--json", "-").out)
    cells = [(Path(row["model"]).stem, row["branch"]) for row in content["results"]]
    assert cells == [("tiny", "main"), ("tiny", "aux"), ("one", "main")]
    assert content["n"] == 6
    answer = advprop(*words, "--branch", "aux")
    assert answer.code == 2
    assert "one.safetensors: branch must be one of main, got 'aux'" in answer.err
    attacked = ("--attack", "fgsm", "--attack-branch", "main", "--json", "-")
    rows = json.loads(advprop(*words, *attacked).out)["results"]
    assert {row["condition"].get("attack_branch") for row in rows} == {None, "main"}


def test_evaluate_names_what_it_left_out(advprop, model, val) -> None:
    (val / "church" / "broken.jpg").write_bytes(b"\xff\xd8\xff no more")
    (val / "zebra").mkdir()
    draw_photo(val / "zebra" / "1.png")
    answer = advprop("evaluate", "--model", model, "--data", val)
    assert answer.code == 0
    assert "left out" in answer.out
    assert "broken.jpg" in answer.out
    assert "zebra" in answer.out
    assert "9 images" in answer.out
    assert advprop("evaluate", "--model", model, "--data", val, "--strict").code == 2


def test_evaluate_refuses_attack_options_without_an_attack(advprop, model, val) -> None:
    answer = advprop("evaluate", "--model", model, "--data", val, "--epsilon", "2/255")
    assert answer.code == 2
    assert "--attack pgd" in answer.err


# --- export ----------------------------------------------------------------------------------


def test_export_loads_strictly_into_timm(advprop, model, tmp_path) -> None:
    file = tmp_path / "plain.safetensors"
    answer = advprop("export", "--model", model, "--branch", "aux", "--out", file)
    network = timm.create_model("test_resnet", num_classes=6)
    network.load_state_dict(load_file(file), strict=True)
    branch = checkpoints.load(model).model.branch("aux")
    pixels = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(network.eval()(branch.normalize(pixels)), branch(pixels))
    assert "mean (0.5, 0.5, 0.5)" in answer.out


# --- models and app --------------------------------------------------------------------------


@pytest.fixture
def bundled(tmp_path, monkeypatch, make_dual, make_info) -> Path:
    """A bundle with one model, a card with metrics, and a script."""
    folder = tmp_path / "bundle" / "assets" / "models"
    metrics = (
        {"branch": "aux", "condition": {"kind": "clean"}, "top1": 0.701},
        {
            "branch": "aux",
            "condition": {
                "kind": "attack",
                "attack": "PGD-10",
                "norm": "linf",
                "epsilon": 2 / 255,
                "attack_branch": "aux",
            },
            "top1": 0.402,
        },
    )
    info = make_info(name="toy", recipe={"data": "shapes", "seed": 3}, metrics=metrics)
    folder.mkdir(parents=True)
    checkpoints.save(folder / "toy.safetensors", make_dual(), info)
    manifest = {"toy-advprop": {"file": "toy.safetensors", "sha256": "0"}}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (tmp_path / "bundle" / "streamlit_app.py").touch()
    for module in (bundle, house):
        monkeypatch.setattr(module, "bundle_dir", lambda: tmp_path / "bundle")
    return tmp_path / "bundle"


def test_models_lists_cards(advprop, bundled) -> None:
    answer = advprop("models")
    for text in (
        "toy-advprop",
        "shapes",
        "test_resnet",
        "70.1%",
        "40.2%",
        "PGD-10, L∞ ε = 2/255",
    ):
        assert text in answer.out
    lines = answer.out.splitlines()
    assert ["main" in line for line in lines[1:3]] == [True, False]  # main first
    assert "not measured" in lines[1]
    (card,) = json.loads(advprop("models", "--json", "-").out)["models"]
    assert card["recipe"]["seed"] == 3
    assert list(card["branches"]) == ["main", "aux"]
    assert card["metrics"][0]["top1"] == 0.701


def test_bundled_name_works_everywhere(advprop, bundled, photo) -> None:
    assert advprop("predict", photo, "--model", "toy-advprop").code == 0


@pytest.fixture
def started(monkeypatch) -> list[tuple[list[str], dict[str, str], str]]:
    calls: list[tuple[list[str], dict[str, str], str]] = []
    place = ["?"]
    monkeypatch.setattr(os, "chdir", lambda folder: place.append(str(folder)))
    monkeypatch.setattr(os, "execve", lambda _, words, env: calls.append((words, env, place[-1])))
    for name in ("CI", "DISPLAY", "WAYLAND_DISPLAY", "ADVPROP_MODELS", "ADVPROP_IMAGES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    return calls


def test_app_starts_streamlit_for_this_machine_only(advprop, bundled, started) -> None:
    assert advprop("app").code == 0
    ((words, environment, place),) = started
    assert words[1:5] == ["-m", "streamlit", "run", str(bundled / "streamlit_app.py")]
    options = " ".join(words[5:])
    assert "--server.address 127.0.0.1" in options
    assert "--browser.gatherUsageStats false" in options
    assert "--server.headless true" in options
    assert "--server.port" not in options
    assert place == str(bundled)
    assert "ADVPROP_MODELS" not in environment


def test_app_hands_over_models_and_photos(
    advprop, bundled, started, model, photo, monkeypatch
) -> None:
    monkeypatch.setenv("DISPLAY", ":0")
    words = ("app", "--model", model, "--images", photo.parent, "--port", 8600, "--public")
    answer = advprop(*words)
    ((command, environment, _),) = started
    assert environment["ADVPROP_MODELS"] == str(model.resolve())
    assert environment["ADVPROP_IMAGES"] == str(photo.parent.resolve())
    options = " ".join(command[5:])
    assert "--server.address 0.0.0.0" in options
    assert "--server.port 8600" in options
    assert "headless" not in options
    assert "Anyone who can reach this machine" in answer.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--model", "{bad}/none.safetensors"), "no file"),
        (("--model", "{bad}/cut.safetensors"), "truncated"),
        (("--model", "{bad}/text.safetensors"), "not a safetensors checkpoint"),
        (("--model", "{bad}/code.pth"), "not a safetensors checkpoint"),
        (("--model", "{bad}/foreign.safetensors"), "header"),
        (("--images", "{bad}/none"), "no folder"),
        (("--images", "{bad}/empty"), "holds no image"),
        (("--port", "0"), "--port"),
    ],
)
def test_app_refuses_before_the_start(words, message, advprop, bundled, started, bad_files) -> None:
    answer = advprop("app", *(word.format(bad=bad_files) for word in words))
    assert answer.code == 2
    assert message in answer.err
    assert not started


def test_image_endings_are_those_that_can_be_read() -> None:
    assert set(house.IMAGE_ENDINGS) == images.EXTENSIONS


# --- bad input -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("text.jpg", "text.jpg: This file is not an image"),
        ("zero.jpg", "zero.jpg: The file is empty"),
        ("none.jpg", "none.jpg does not exist"),
        ("empty", "is a folder"),
    ],
)
@pytest.mark.parametrize("command", ["predict", "compare"])
def test_bad_photo(file, message, command, advprop, model, bad_files, tmp_path) -> None:
    words = () if command == "predict" else ("--out", tmp_path)
    advprop(command, bad_files / file, "--model", model, *words).refuses(message)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("{bad}/none.safetensors", "no file"),
        ("{bad}/cut.safetensors", "truncated"),
        ("{bad}/text.safetensors", "not a safetensors checkpoint"),
        ("{bad}/code.pth", "pickled code"),
        ("{bad}/code.pkl", "pickle"),
        ("{bad}/foreign.safetensors", "--arch"),
        ("resnet81", "no bundled model"),
    ],
)
def test_bad_model(name, message, advprop, photo, bad_files) -> None:
    advprop("predict", photo, "--model", name.format(bad=bad_files)).refuses(message)


def test_file_of_another_architecture(advprop, model, photo, tmp_path) -> None:
    file = tmp_path / "plain.safetensors"
    advprop("export", "--model", model, "--branch", "main", "--out", file)
    answer = advprop("predict", photo, "--model", file, "--arch", "resnet10t")
    answer.refuses("does not fit resnet10t")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--epsilon", "four"), "--epsilon must be a fraction such as 4/255"),
        (("--epsilon=-1/255",), "epsilon must lie in [0, 1]"),
        (("--epsilon", "4"), "epsilon must lie in [0, 1]"),
        (("--epsilon", "1/0"), "--epsilon must be a fraction"),
        (("--step-size", "fast"), "--step-size must be a fraction"),
        (("--steps", "0"), "steps must be at least 1"),
        (("--seed=-1",), "seed must be"),
        (("--attack", "magic"), "--attack must be one of pgd, fgsm, i-fgsm"),
        (("--attack", "fgsm", "--steps", "3"), "fgsm is one step"),
        (("--norm", "l1"), "--norm must be one of linf, l2"),
        (("--target-class", "6"), "--target-class must lie in [0, 5]"),
        (("--target-class=-1",), "--target-class must lie in [0, 5]"),
        (("--target-class", "golf bell"), "golf ball"),
        (("--target-class", "crane"), "several classes are named 'crane'"),
        (("--true-class", "zebra"), "--true-class must be a name, an id or an index"),
        (("--class-index", "6"), "--class-index must lie in [0, 5]"),
        (("--branch", "auxx"), "branch must be one of main, aux, got 'auxx'"),
        (("--attack-branch", "aux2"), "branch must be one of main, aux, got 'aux2'"),
        (("--layer", "layer9"), "no layer 'layer9'"),
        (("--method", "magic"), "--method must be one of grad-cam"),
        (("--method", "saliency", "--layer", "layer1"), "layer"),
        (("--json", "{out}"), "--json must be a file"),
    ],
)
def test_bad_option(words, message, advprop, model, photo, tmp_path) -> None:
    words = tuple(word.format(out=tmp_path) for word in words)
    answer = advprop("compare", photo, "--model", model, "--out", tmp_path / "o", *words)
    answer.refuses(message)


def test_explain_refuses(advprop, model, photo, tmp_path) -> None:
    words = ("explain", photo, "--model", model, "--out", tmp_path)
    advprop(*words, "--method", "grad-cam,magic").refuses("got 'magic'")
    advprop(*words, "--method", "saliency", "--layer", "layer1").refuses("--layer")
    advprop(*words, "--layer", "leyer1").refuses("did you mean layer1")


def test_out_that_is_a_file(advprop, model, photo) -> None:
    words = ("attack", photo, "--model", model, "--out")
    advprop(*words, photo).refuses("--out must be a folder")
    advprop(*words, photo / "deeper").refuses("--out must be a folder")
    words = ("export", "--model", model, "--branch", "main", "--out", photo.parent)
    advprop(*words).refuses("--out must be a file")


@pytest.mark.parametrize(
    ("folder", "message"),
    [
        ("none", "there is no folder"),
        ("empty", "holds no image"),
        ("strangers", "zebra"),
    ],
)
def test_bad_data(folder, message, advprop, model, bad_files) -> None:
    answer = advprop("evaluate", "--model", model, "--data", bad_files / folder)
    answer.refuses(message)
    if folder == "strangers":
        assert "church" in answer.err  # both sides


def test_a_defect_keeps_its_traceback(advprop, model, photo, monkeypatch) -> None:
    def broken(*_: object) -> None:
        raise AssertionError("ours")

    monkeypatch.setattr("advprop_core.predict.predict", broken)
    with pytest.raises(AssertionError, match="ours"):
        cli.main(["predict", str(photo), "--model", str(model)])


def test_traceback_on_request(photo, monkeypatch) -> None:
    monkeypatch.setenv("ADVPROP_TRACEBACK", "1")
    with pytest.raises(ValueError, match="no bundled model"):
        cli.main(["predict", str(photo), "--model", "resnet81"])


def test_missing_file_of_the_system_is_told_by_name(advprop, model, photo, monkeypatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device", "arrays.npz")

    monkeypatch.setattr(np, "savez_compressed", full)
    answer = advprop("attack", photo, "--model", model, "--out", photo.parent / "o")
    assert answer.err.splitlines()[-1] == "Error: arrays.npz: No space left on device"


# --- values ----------------------------------------------------------------------------------


def test_lists_are_commas_or_repeats(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a,b").touch()
    assert split_list(["x, y", "x", "a,b"]) == ["x", "y", "a,b"]
    assert split_list(None) == []


def test_a_class_is_an_id_a_name_or_an_index(make_info) -> None:
    info = make_info(class_ids=("2", "b", "c"), class_names=("two", "Gas pump", "2"))
    found = [read_class(info, text, "--x") for text in ("2", "gas_PUMP", "c", "1")]
    assert found == [0, 1, 2, 1]  # an id goes before a name, and both before an index


def test_default_radius_follows_the_norm() -> None:
    def radius(norm: str) -> float:
        none = {"epsilon": None, "step_size": None, "steps": None}
        return read_attack("pgd", norm=norm, **none).epsilon

    assert (radius("linf"), radius("l2")) == (4 / 255, 1.0)


# --- what is loaded --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "absent"),
    [
        (["--help"], {"torch", "timm", "streamlit", "plotly", "captum", "numpy"}),
        (["compare", "--help"], {"torch"}),
        (["models"], {"torch", "streamlit", "plotly"}),
        (["app", "--model", "none"], {"torch", "timm"}),
        (["train", "--data", "none", "--out", "o"], {"captum", "streamlit", "plotly", "app"}),
    ],
)
def test_commands_load_only_what_they_need(words, absent) -> None:
    code = (
        "import sys\n"
        "from advprop_core import cli\n"
        "cli._user_errors = lambda: (ValueError,)\n"  # which themselves load torch
        f"try:\n    cli.main({words!r})\n"
        f"except SystemExit:\n    print('loaded', sorted(set(sys.modules) & {absent!r}))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "loaded []", done.stdout + done.stderr


@pytest.mark.parametrize(
    "command",
    ["app", "models", "predict", "attack", "explain", "compare", "evaluate", "train", "export"],
)
def test_help_shows_an_example(command, advprop) -> None:
    answer = advprop(command, "--help")
    assert answer.code == 0
    assert f"advprop {command}" in answer.out
