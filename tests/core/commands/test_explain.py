"""`advprop explain`: maps of one photo."""

import json

import numpy as np


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


def test_explain_refuses(advprop, model, photo, tmp_path) -> None:
    words = ("explain", photo, "--model", model, "--out", tmp_path)
    advprop(*words, "--method", "grad-cam,magic").refuses("got 'magic'")
    advprop(*words, "--method", "saliency", "--layer", "layer1").refuses("--layer")
    advprop(*words, "--layer", "leyer1").refuses("did you mean layer1")
