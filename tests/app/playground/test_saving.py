"""What is saved of a comparison: made again from its file, it has the same numbers."""

import base64
import io
import json
import shlex
import subprocess
import sys
import zipfile

import numpy as np
import pytest
import torch
from PIL import Image

from advprop_core.browser import network as page_network
from advprop_core.cli import main
from advprop_core.compare.bundles.network import Source
from advprop_core.compare.bundles.read import read_bundle
from advprop_core.compare.bundles.replay import replay
from advprop_core.models import checkpoints
from advprop_core.models.settings import ModelSettings
from advprop_core.pictures.decoding import decode, to_pixels
from app.figures.pictures import makers
from app.lab import site
from app.playground import saving, words
from tests.app.visiting import jpeg, lose_pictures

WAYS = {
    "as it opens": {},
    "another seed and branch": {"seed": "7", "attack_branch": "aux", "steps": "3"},
    "targeted L2": {"norm": "l2", "radius": "2.5", "target": "heart", "explained": "ring"},
    "fgsm": {"perturbation": "fgsm", "epsilon": "7.5"},
    "noise": {"perturbation": "salt-and-pepper", "severity": "0.07", "method": "saliency"},
    "erased": {"perturbation": "erase", "regions": "100.200.300.400", "fill": "black"},
    "none": {"perturbation": "none", "image": "photo:coffee"},
    "finer maps": {"layer": "layer1.0", "epsilon": "16", "explained": "attacked"},
}


def save_everything(person, file):
    shown, drawn = (
        person.at.session_state[slot] for slot in ("shown.playground", "shown.playground.maps")
    )
    file.write_bytes(saving._bundle(shown, drawn))


@pytest.mark.parametrize("parameters", WAYS.values(), ids=WAYS)
def test_everything_is_made_again_by_the_library_and_by_the_command(
    parameters, visit, tiny_models, tmp_path, monkeypatch
):
    person = visit(**parameters)
    assert not person.errors
    save_everything(person, tmp_path / "saved.zip")
    bundle, network = read_bundle(tmp_path / "saved.zip"), tiny_models["tiny-advprop"]
    assert np.array_equal(bundle.arrays["adversarial"], person.result.adversarial.numpy())
    assert len(bundle.maps) == len(person.maps) == 4
    source = Source.opened(str(network), checkpoints.load(network), ModelSettings())
    result = replay(bundle, source)
    assert result.is_exact, result
    assert not result.causes
    # The command, where the bundle is unpacked and the network's file lies beside it.
    with zipfile.ZipFile(tmp_path / "saved.zip") as archive:
        archive.extractall(tmp_path / "unpacked")
    (tmp_path / "unpacked" / network.name).write_bytes(network.read_bytes())
    monkeypatch.chdir(tmp_path / "unpacked")
    monkeypatch.setattr(sys, "argv", shlex.split(bundle.manifest["command"]))
    with pytest.raises(SystemExit) as ended:
        main.main()
    assert not ended.value.code
    with zipfile.ZipFile("again.zip") as again, zipfile.ZipFile("../saved.zip") as saved:
        for name in ("picture.png", "arrays.npz", "maps.npz", "answers.csv"):
            assert again.read(name) == saved.read(name), name


def test_a_bundle_says_nothing_of_the_servers_folders(visit, tiny_models, tmp_path):
    save_everything(visit(), tmp_path / "saved.zip")
    manifest = json.dumps(read_bundle(tmp_path / "saved.zip").manifest)
    assert "tiny-advprop.safetensors" in manifest
    assert str(tiny_models["tiny-advprop"].parent) not in manifest


def test_an_upload_that_the_server_no_longer_keeps_is_saved_by_its_pixels(visit, tmp_path):
    person = visit().upload("a.jpg", jpeg())
    lose_pictures()
    save_everything(person, tmp_path / "saved.zip")
    with zipfile.ZipFile(tmp_path / "saved.zip") as archive:
        names = archive.namelist()
    assert "picture.png" in names
    assert not any(name.startswith("given.") for name in names)


def test_what_is_not_mapped_yet_is_saved_without_maps(visit, tmp_path):
    person = visit()
    record = saving._record(person.at.session_state["shown.playground"], None)
    assert record.experiment.maps is None
    assert not record.comparison.maps


@pytest.fixture
def no_graph(monkeypatch):
    """The command that writes a page runs in this process, and leaves out its slow part."""

    def run(command, **_):
        assert command[:3] == [sys.executable, "-m", "advprop_core.cli"]
        with pytest.raises(SystemExit) as ended:
            main.main(command[3:])
        return subprocess.CompletedProcess(command, ended.value.code, "", "")

    monkeypatch.setattr(site.subprocess, "run", run)
    monkeypatch.setattr(page_network, "write_graph", lambda *_: b"a graph")
    monkeypatch.setattr(page_network, "check_graph", lambda *_: None)


def test_the_page_without_a_server_begins_with_what_is_shown(visit, no_graph):
    person = visit(epsilon="3", attack_branch="aux")
    page = saving.write_lab(person.at.session_state["shown.playground"]).decode()
    manifest = json.loads(page.split('id="lab-manifest">')[1].split("</script>")[0])
    settings, (network,) = manifest["first"]["settings"], manifest["networks"]
    assert (settings["epsilon"], settings["attack_branch"]) == (3 / 255, "aux")
    assert [branch["name"] for branch in network["branches"]] == ["main", "aux"]
    shown = to_pixels(
        decode(base64.b64decode(network["pictures"][0]["png"].split(",")[1])), network["size"]
    )
    assert torch.equal(shown[0], person.result.clean)


def test_buttons_and_whether_the_png_gets_the_same_answers(visit, make_result):
    person = visit()
    labels = [button.proto.label for button in person.at.get("download_button")]
    assert labels == [
        "Save the perturbed picture (PNG)",
        "Save everything (zip)",
        "A page that needs no server (HTML)",
        "One page (PNG)",
        "Perturbed picture, exact (npz)",
        "Answers (CSV)",
        "Maps (npz)",
        "This picture (PNG)",
    ]
    assert "Measured: saved as PNG" in person.text
    lost = words.survival(make_result(survives={"main": True, "aux": False}))
    assert "gets another answer from **aux**" in lost


def test_each_picture_of_the_board_is_a_file(visit):
    person = visit()
    titles = person.widget("save.which").options
    assert titles == [
        "Clean picture", "Perturbed picture", "Change, amplified",
        "Map of main, clean picture", "Map of main, perturbed picture",
        "Map of aux, clean picture", "Map of aux, perturbed picture",
    ]  # fmt: skip
    pictures = makers(person.at.session_state["shown.playground.maps"].result, "each", 0.7)
    images = [Image.open(io.BytesIO(pictures[title]())) for title in titles]
    saved = np.asarray(images[1]).transpose(2, 0, 1)
    assert np.array_equal(saved, (255 * person.result.adversarial.numpy()).round())
    assert len({image.tobytes() for image in images}) == len(titles)
    assert images[-1].width == 448


def test_every_chart_can_be_saved(visit):
    person = visit(studio="sweep")
    assert person.charts == ["studio.curve"]
    names = [element.proto.component_name for element in person.at.get("bidi_component")]
    assert names.count("advprop_chart_files") == 1
    labels = [button.proto.label for button in person.at.get("download_button")]
    assert "Numbers (CSV)" in labels
