"""``advprop visualise``: pictures, their measures, and what it refuses."""

import json

import numpy as np
import pytest
from PIL import Image

FAST = ("--steps", "4", "--epsilon", "2")


def test_a_class_from_noise_of_two_networks(advprop, model, tmp_path):
    other = tmp_path / "other.safetensors"
    other.write_bytes(model.read_bytes())
    out = tmp_path / "out"
    words = ("--model", model, "--model", other, "--branch", "aux", "--class", "church")
    answer = advprop("visualise", *words, *FAST, "--seed", "2", "--out", out)
    assert answer.code == 0, answer.err
    manifest = json.loads((out / "manifest.json").read_text())
    first, second = manifest["pictures"]
    assert manifest["seed"] == 2
    assert first["goal"]["name"] == "church"
    assert first["scores"][-1] > first["scores"][0]
    assert 0 < first["length"] <= 2.0001
    (witness,) = first["seen_by"].values()
    assert witness["probability"] == pytest.approx(first["scores"][-1], abs=1e-5), "its own twin"
    with np.load(out / "arrays.npz") as arrays:
        picture, start = arrays[first["array"]], arrays[f"{first['array']}_start"]
        np.testing.assert_array_equal(picture, arrays[second["array"]])
        np.testing.assert_array_equal(arrays[f"{first['array']}_change"], picture - start)
    drawn = np.asarray(Image.open(out / first["file"])).transpose(2, 0, 1)
    assert abs(drawn / 255 - picture).max() <= 0.5 / 255 + 1e-6
    with Image.open(out / "film.webp") as film:
        assert film.n_frames == 5
    assert Image.open(out / "sheet.png").size[0] > 500
    assert "also seen by" in answer.out


def test_a_channel_from_a_photo(advprop, model, photo, tmp_path):
    words = (photo, "--model", model, "--layer", "layer2", "--channel", "1", *FAST)
    answer = advprop("visualise", *words, "--out", tmp_path, "--json", "-")
    assert answer.code == 0, answer.err
    content = json.loads(answer.out)
    assert [picture["branch"] for picture in content["pictures"]] == ["main", "aux"]
    assert content["pictures"][0]["goal"] == {"layer": "layer2", "index": 1}
    assert content["seed"] is None
    assert {path.name for path in tmp_path.iterdir()} == {
        "main.png", "aux.png", "sheet.png", "film.webp", "arrays.npz", "manifest.json",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "give either --class NAME or --layer NAME --channel K"),
        (("--class", "church", "--layer", "layer2"), "give either --class NAME or --layer"),
        (("--layer", "layer2"), "--layer and --channel belong together"),
        (("--class", "curch"), "Did you mean church"),
        (("--layer", "layer2", "--channel", "5000"), "channel must lie in [0, "),
        (("--layer", "layre2", "--channel", "0"), "Did you mean layer2"),
        (("--class", "church", "--epsilon", "0"), "epsilon must be above 0"),
        (("--class", "church", "--epsilon", "5000"), "epsilon must be at most 1000"),
        (("--class", "church", "--branch", "aux9"), "aux9"),
    ],
)
def test_what_cannot_be_seen_is_one_sentence(advprop, model, tmp_path, words, message):
    advprop("visualise", "--model", model, *words, "--out", tmp_path).refuses(message)


def test_an_image_that_is_none_and_a_seed_beside_one(advprop, model, bad_files, photo, tmp_path):
    words = ("--model", model, "--class", "church", "--out", tmp_path)
    advprop("visualise", bad_files / "text.jpg", *words).refuses("not an image that can be read")
    advprop("visualise", bad_files / "no.jpg", *words).refuses("does not exist")
    advprop("visualise", photo, *words, "--seed", "1").refuses("--seed is for the noise")
