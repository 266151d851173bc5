"""The Anatomy page of a network with one set of norm layers."""

import io
import zipfile

import pytest
import torch

from app.shell import cache
from tests.app.anatomy.looking import ANATOMY, WHERE, assert_whole, look_into
from tests.app.visiting import jpeg

pytestmark = pytest.mark.usefixtures("few_pictures")


def test_a_network_with_main_alone_says_so_and_is_calibrated_on_request(anatomy):
    person = anatomy(model="tiny-vanilla")
    assert not person.at.exception
    assert person.charts == []
    assert "one set of BatchNorm" in person.text
    before = cache.model_files()["tiny-vanilla"].read_bytes()
    person.press("Calibrate an auxiliary branch")
    assert_whole(person)
    assert "calibrated, not trained" in person.at.info[0].value
    assert person.at.query_params["calibrated"] == "1"
    assert cache.model_files()["tiny-vanilla"].read_bytes() == before
    assert list(cache.model_info("tiny-vanilla").branches) == ["main"]
    look_into(person, WHERE).choose(dial=90, measure="beta_change")
    assert_whole(person)
    assert "no layer differs at all" in person.text
    person.press("Forget it")
    assert person.charts == []
    assert "calibrated" not in person.at.query_params


def test_a_link_calibrates_and_a_dropped_branch_is_made_again(anatomy, monkeypatch):
    person = anatomy(v="1", model="tiny-vanilla", calibrated="1")
    assert_whole(person)
    first = person.at.session_state["shown.anatomy"].result
    store = cache.calibrated_lenses()
    for name in "abc":
        store.put(name, name)
    person.choose(dial=30)
    assert_whole(person)
    again = person.at.session_state["shown.anatomy"].result
    assert again is not first
    assert torch.equal(again.adversarial, first.adversarial)


def test_calibrating_without_pictures_of_its_classes(
    visit_with, tiny_info_of, save_tiny_network, tmp_path
):
    names = tuple(f"thing {i}" for i in range(10))
    alone = {"main": "trained"}
    info = tiny_info_of("other", class_ids=names, class_names=names, branches=alone)
    file = save_tiny_network(tmp_path / "other.safetensors", info)
    person = visit_with(file, steps="1", calibrated="1").turn_to(ANATOMY)
    assert not person.at.exception
    assert "calibrated" in person.warnings[0]
    assert "advprop app --images FOLDER" in person.text
    assert "Calibrate an auxiliary branch" not in [button.label for button in person.at.button]
    person.at.file_uploader(key="photo_sets.upload").set_value(
        ("things.zip", zipped(names), "application/zip")
    )
    person.run().press("Calibrate an auxiliary branch")
    assert_whole(person)
    assert "photos of things under attack" in person.at.info[0].value


def zipped(classes):
    """A photo in a folder for each class."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for number, name in enumerate(classes):
            archive.writestr(f"{name}/photo.jpg", jpeg(seed=number))
    return content.getvalue()
