"""`advprop page`: what it writes, and what it refuses before any work."""

import json

import pytest


@pytest.fixture
def built(tmp_path, monkeypatch):
    """The scripts of the page, as `make page` would build them."""
    folder = tmp_path / "project" / "app" / "web" / "dist"
    folder.mkdir(parents=True)
    for name in ("lab.js", "lab.css", "worker.js", "sw.js", "THIRD_PARTY.txt"):
        (folder / name).write_text(f"/* {name} */")
    (folder / "ort-wasm-simd-threaded.wasm").write_bytes(b"\0asm")
    monkeypatch.setattr("advprop_core.browser.page.bundle_dir", lambda: tmp_path / "project")
    return folder


def test_it_writes_a_page_with_the_photo_given(advprop, model, photo, built, tmp_path):
    out = tmp_path / "lab.html"
    answer = advprop("page", "--model", model, "--picture", photo, "--out", out)
    assert answer.code == 0, answer.err
    assert "tiny: " in answer.out
    text = out.read_text()
    manifest = json.loads(text.split('id="lab-manifest">')[1].split("</script>")[0])
    assert manifest["networks"][0]["pictures"][0]["title"] == "photo"
    assert "/* lab.js */" in text
    assert manifest["lessons"] is None
    advprop("page", "--model", model, "--out", out).refuses("already exists")


def test_lessons_come_with_what_they_need(advprop, model, built, tmp_path):
    answer = advprop("page", "--lessons", "--model", model, "--out", tmp_path / "lessons.html")
    assert answer.code == 0, answer.err
    text = (tmp_path / "lessons.html").read_text()
    manifest = json.loads(text.split('id="lab-manifest">')[1].split("</script>")[0])
    assert sum(manifest["networks"][0]["norm_layers"]) == manifest["networks"][0]["channels"]
    material = manifest["lessons"]
    assert material["textures"][0] == "stripes"
    assert all(scene["texture"] != "stripes" for scene in material["conflicts"][::10])
    assert [len(material[kind]) for kind in ("conflicts", "scenes")] == [20, 12]
    training = manifest["training"]
    assert list(training["objectives"]) == ["advprop", "mixed", "vanilla"]
    sizes = {name: asset["bytes"] for name, asset in manifest["assets"].items()}
    own = {name for name in sizes if name.startswith("train:")} | {training["network"]["graph"]}
    assert {training["pictures"]["sheet"], training["evaluation"]} < own
    assert sum(sizes[name] for name in own) < 1e6
    answer = advprop("page", "--out", tmp_path / "none.html")
    answer.refuses("name a network with --model, or put the lessons in with --lessons")


def test_what_cannot_be_is_refused_before_work(advprop, model, built, tmp_path, monkeypatch):
    words = ("page", "--model", model, "--out", tmp_path / "lab.html")
    advprop(*words[:-1], tmp_path / "lab.txt").refuses("must be a .html file")
    (tmp_path / "site" / "old").mkdir(parents=True)
    advprop(*words[:-1], tmp_path / "site", "--split").refuses("a new or an empty folder")
    advprop(*words, "--epsilon", "40").refuses("did you mean 40/255")
    advprop(*words, "--epsilon", "40/255").refuses("from 0 to 16/255, got 40/255")
    advprop(*words, "--attack-branch", "aux9").refuses("no branch 'aux9'")
    monkeypatch.setattr("advprop_core.browser.graph.find_spec", lambda name: None)
    advprop(*words).refuses("onnx is not installed: pip install 'advprop-lens[page]'")
