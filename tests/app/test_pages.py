"""Every page with good and bad input, through the router, on tiny networks."""

import io
import threading
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from app import cache, requests, state
from app.state import View


def jpeg(size=(80, 60), seed=0, **options):
    noise = np.random.default_rng(seed).integers(0, 255, (4, 4, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).resize(size).save(buffer, "JPEG", **options)
    return buffer.getvalue()


def png(size):
    buffer = io.BytesIO()
    Image.new("RGB", size, "teal").save(buffer, "PNG")
    return buffer.getvalue()


def gif():
    frames = [Image.new("RGB", (40, 40), colour) for colour in ("red", "blue", "green")]
    buffer = io.BytesIO()
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:], duration=50)
    return buffer.getvalue()


def chosen(person):
    return person.at.session_state["view"]


# -- the Playground ------------------------------------------------------------------------------


def test_the_first_view_is_a_drawn_scene_and_complete(visit):
    person = visit()
    person.assert_whole()
    assert person.at.title[0].value == "What do the two BatchNorms make of this picture?"
    assert not person.errors
    assert not person.warnings
    assert chosen(person) == View(model="tiny-advprop")
    assert list(person.result.maps) == [
        ("clean", "main"), ("clean", "aux"), ("adversarial", "main"), ("adversarial", "aux"),
    ]  # fmt: skip
    assert person.result.true_class is not None
    for words in ("✓ marks the true class", "How honest is this perturbation?",
                  "The attack followed the gradient of **main**"):  # fmt: skip
        assert words in person.text
    assert [m.label for m in person.at.metric] == [
        "Largest change (L∞)", "Length (L2)", "Range", "After saving as PNG",
    ]  # fmt: skip
    assert person.at.metric[0].value == "4.00/255"


def test_a_change_of_strength_changes_the_result_and_the_link(visit):
    person = visit()
    before = person.result
    person.choose(epsilon=1.0)
    person.assert_whole()
    assert person.at.query_params == {"v": "1", "model": "tiny-advprop", "epsilon": "1"}
    assert person.result.facts.linf == pytest.approx(1 / 255, rel=1e-3)
    assert before.facts.linf == pytest.approx(4 / 255, rel=1e-3)
    person.choose(epsilon=0.0)
    assert "Nothing was changed" in person.text
    assert not person.at.exception


def test_the_attack_may_go_through_either_branch(visit):
    person = visit()
    main = person.result
    person.choose(attack_branch="aux")
    person.assert_whole()
    assert person.result.attack_branch == "aux"
    assert not torch.equal(person.result.adversarial, main.adversarial)
    assert "gradient of **aux**" in person.text


@pytest.mark.parametrize("kind", ["gaussian", "poisson", "salt-and-pepper", "none"])
def test_noises_and_nothing(visit, kind):
    person = visit(perturbation=kind)
    person.assert_whole()
    assert person.result.attack_branch is None
    assert "followed the gradient" not in person.text
    assert ("Nothing was changed" in person.text) == (kind == "none")
    if kind != "none":
        person.choose(severity=0.0)
        assert "Nothing was changed" in person.text


def test_expert_controls_change_the_result(visit):
    person = visit(expert="1")
    person.choose(norm="l2").choose(radius=2.0).choose(steps=2)
    assert person.result.facts.l2 == pytest.approx(2, rel=0.02)
    person.choose(target="heart", explained="ring", method="integrated-gradients")
    person.assert_whole()
    explained = person.result.maps["clean", "main"]
    assert explained.class_index == cache.model_info("tiny-advprop").class_ids.index("ring")
    assert explained.layer is None
    assert "for the class **ring**" in person.text
    assert "around 0" in person.text


@pytest.mark.parametrize("method", ["saliency", "smoothgrad"])
def test_other_maps(visit, method):
    person = visit(method=method, steps="2")
    person.assert_whole()
    assert person.result.maps["clean", "aux"].method == method


def test_another_layer(visit):
    person = visit(expert="1", steps="1")
    default = person.result.maps["clean", "main"]
    assert default.layer == cache.load_lens("tiny-advprop").default_layer
    person.choose(layer="layer1.0")
    person.assert_whole()
    assert person.result.maps["clean", "main"].layer == "layer1.0"
    assert "at layer `layer1.0`" in person.text
    assert not torch.equal(person.result.maps["clean", "main"].values, default.values)


def test_a_network_with_main_alone(visit):
    person = visit(model="tiny-vanilla")
    person.assert_whole()
    assert person.result.branches == ("main",)
    assert person.widget("attack_branch").options == ["main"]
    assert "no auxiliary branch" in person.text


def test_a_sample_is_chosen_by_its_button(visit):
    person = visit()
    person.choose(**{"gallery.group": "Photos"})
    person.at.button(key="gallery.photo:coffee").click()
    person.run().assert_whole()
    assert chosen(person).image == "photo:coffee"
    assert person.result.true_class is None
    assert "Clean: Coffee" in person.pictures
    assert "✓ marks" not in person.text


def test_the_chosen_view_survives_the_way_to_another_page(visit):
    person = visit(expert="1").choose(epsilon=2.0, method="saliency")
    view = chosen(person)
    person.at.switch_page("app/pages/models.py")
    person.run()
    assert not person.at.exception
    assert "networks" in person.at.title[0].value
    person.at.switch_page("app/pages/playground.py")
    person.run().assert_whole()
    assert chosen(person) == view
    assert person.at.query_params == state.encode(view)


def test_a_photo_it_never_learnt_is_labelled_so(visit, monkeypatch):
    monkeypatch.setattr("app.messages.UNSURE", 1.1)  # so that no network is sure
    assert "never learnt" in visit(image="photo:coffee").warnings[0]


# -- uploads -------------------------------------------------------------------------------------


def test_an_upload_is_chosen_and_its_link_shows_it_to_others(visit):
    person = visit().upload("mine.jpg", jpeg())
    person.assert_whole()
    source = chosen(person).image
    assert source.startswith("upload:")
    assert "Clean: Your photo" in person.pictures
    assert person.at.query_params["image"] == source
    other = visit(**person.at.query_params)
    other.assert_whole()
    assert torch.equal(other.result.clean, person.result.clean)
    assert torch.equal(other.result.adversarial, person.result.adversarial)


def test_an_upload_does_not_come_back_by_itself(visit):
    """The file stays in the uploader, and a sample chosen after it is what is shown."""
    person = visit().upload("mine.jpg", jpeg())
    person.choose(**{"gallery.group": "Scenes"})
    person.at.button(key="gallery.scene:4").click()
    person.run().choose(epsilon=2.0)
    assert chosen(person).image == "scene:4"


def test_an_animated_gif_is_its_first_frame(visit):
    person = visit().upload("moving.gif", gif(), "image/gif")
    person.assert_whole()
    assert not person.errors
    red, green, blue = person.result.clean.mean((1, 2)).tolist()
    assert red > 0.9 > 0.1 > max(green, blue)


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("notes.jpg", b"just some words", "not an image"),
        ("page.jpg", b"<!DOCTYPE html><html></html>", "web page"),
        ("empty.jpg", b"", "empty"),
        ("cut.jpg", jpeg((400, 400), quality=95)[:3000], "cut off"),
        ("dot.png", png((1, 1)), "1×1"),
        ("line.png", png((10_000, 3)), "10000×3"),
    ],
    ids=["words", "web page", "empty", "truncated", "1×1", "10000×3"],
)
def test_a_bad_upload_is_named_and_everything_else_stays(visit, name, data, words):
    person = visit(steps="2", epsilon="3")
    before, view = person.result, chosen(person)
    person.upload(name, data)
    message, beside_the_uploader = person.errors
    assert message == beside_the_uploader
    assert name in message
    assert words in message
    assert "stays" in message
    person.assert_whole()
    assert chosen(person) == view
    assert torch.equal(person.result.adversarial, before.adversarial)


def test_after_a_bad_upload_a_good_one_is_taken(visit):
    person = visit(steps="2").upload("notes.jpg", b"just some words")
    assert person.errors
    assert not person.run().errors, "the message is said once"
    person.upload("good.jpg", jpeg()).assert_whole()
    assert not person.errors
    assert chosen(person).image.startswith("upload:")


def test_a_decompression_bomb_is_refused(visit):
    bomb = bytearray(png((8, 8)))
    bomb[16:24] = (60_000).to_bytes(4, "big") * 2  # IHDR's width and height
    person = visit(steps="1").upload("bomb.png", bytes(bomb), "image/png")
    assert "bomb.png" in person.errors[0]
    person.assert_whole()


# -- the person's own folder ---------------------------------------------------------------------


def test_one_bad_file_of_the_folder_is_named_and_the_others_work(visit, tmp_path, monkeypatch):
    (tmp_path / "good.jpg").write_bytes(jpeg())
    (tmp_path / "bad.jpg").write_bytes(b"no photo")
    (tmp_path / "z.jpg").symlink_to("/etc/hostname")
    person_folder = visit  # the fixture removes the variable, so it is set after it
    monkeypatch.setenv("ADVPROP_IMAGES", str(tmp_path))
    person = person_folder(steps="1").choose(**{"gallery.group": "Your folder"})
    person.assert_whole()
    buttons = {b.label: b.disabled for b in person.at.button if b.key.startswith("gallery.folder:")}
    assert buttons == {"bad.jpg": True, "good.jpg": False, "z.jpg": True}
    person.at.button(key="gallery.folder:good.jpg").click()
    assert chosen(person.run()).image == "folder:good.jpg"


def test_a_large_folder_is_shown_page_by_page(visit, tmp_path, monkeypatch):
    for number in range(30):
        (tmp_path / f"{number:02}.jpg").write_bytes(jpeg((16, 16)))
    monkeypatch.setenv("ADVPROP_IMAGES", str(tmp_path))
    person = visit(steps="1").choose(**{"gallery.group": "Your folder"})
    labels = [b.label for b in person.at.button if b.key.startswith("gallery.folder:")]
    assert labels == [f"{number:02}.jpg" for number in range(24)]


# -- links ---------------------------------------------------------------------------------------


def test_a_link_restores_the_whole_view(visit):
    view = View(
        model="tiny-advprop", image="conflict:2", perturbation="i-fgsm", norm="l2", radius=1.5,
        steps=3, step_size=0.25, attack_branch="aux", target="heart", seed=7, method="grad-cam",
        layer="layer2", explained="ring", opacity=35, expert=True,
    )  # fmt: skip
    person = visit(**state.encode(view))
    person.assert_whole()
    assert not person.errors
    assert not person.warnings
    assert chosen(person) == view
    assert person.at.query_params == state.encode(view)
    for name in ("norm", "radius", "steps", "attack_branch", "target", "layer", "opacity"):
        assert person.widget(name).value == getattr(view, name)


@pytest.mark.parametrize("expert", ["0", "1"])
@pytest.mark.parametrize(
    "parameters",
    [
        {"model": "nosuch", "epsilon": "nan"},
        {"target": "n03028079", "explained": "n03028079", "layer": "blocks.9.nosuch"},
        {"attack_branch": "aux7", "method": "horoscope", "steps": "1000000"},
        {"perturbation": "curse", "norm": "l1", "seed": "-1"},
    ],
)
def test_what_a_link_asks_in_vain_is_said_and_the_rest_shown(visit, parameters, expert):
    person = visit(**{"v": "1", "model": "tiny-advprop", "expert": expert, **parameters})
    person.assert_whole()
    assert not person.errors
    assert len(person.warnings) == len(parameters)
    for name in parameters:
        assert any(name in warning for warning in person.warnings), name
    expected = replace(View(model="tiny-advprop"), expert=expert == "1")
    assert chosen(person) == expected
    assert person.run().warnings, "it stays while nothing else is chosen"
    assert not person.choose(perturbation="none").warnings


def test_a_link_of_an_unknown_version_shows_the_first_view(visit):
    person = visit(v="99", model="tiny-vanilla", epsilon="2")
    person.assert_whole()
    assert "99" in person.warnings[0]
    assert chosen(person) == View(model="tiny-advprop")


@pytest.mark.parametrize("image", ["nosuch:1", "upload:00", "folder:../secret.png", "scene:-1"])
def test_a_link_to_a_picture_that_is_not_here(visit, image):
    person = visit(image=image, steps="1")
    assert not person.at.exception
    assert len(person.errors) == 1
    person.choose(**{"gallery.group": "Scenes"})
    person.at.button(key="gallery.scene:1").click()
    person.run().assert_whole()
    assert not person.errors


# -- heavy work ----------------------------------------------------------------------------------


@pytest.fixture
def held(monkeypatch):
    """Work that reports a half and then waits until it is let go."""
    let_go = threading.Event()
    real = requests.run

    def run(request, branches, pixels, job):
        job.report(0.5)
        let_go.wait(30)
        job.report(0.6)
        return real(request, branches, pixels, job)

    monkeypatch.setattr("app.requests.run", run)
    yield let_go
    let_go.set()


def test_what_takes_long_shows_progress_above_the_previous_result(visit, held):
    held.set()
    person = visit(steps="1")
    held.clear()
    person.widget("epsilon").set_value(9.0)
    at = person.at.run()
    assert [p.value for p in at.progress] == [50]
    assert "previous result" in person.text
    person.assert_whole()
    assert person.result.facts.linf == pytest.approx(4 / 255, rel=1e-3)
    held.set()
    person.run()
    assert "previous result" not in person.text
    assert person.result.facts.linf == pytest.approx(9 / 255, rel=1e-3)


def test_stop_goes_back_to_what_is_shown(visit, held):
    held.set()
    person = visit(steps="1")
    view = chosen(person)
    held.clear()
    person.widget("epsilon").set_value(9.0)
    person.at.run()
    next(b for b in person.at.button if b.label == "Stop").click()
    held.set()
    person.run().assert_whole()
    assert chosen(person) == view
    assert person.widget("epsilon").value == 4.0


def test_work_that_fails_is_said_once_and_not_tried_for_ever(visit, monkeypatch):
    person = visit(steps="1")
    runs = []

    def fail(request, branches, pixels, job):
        runs.append(request)
        raise ValueError("the map is not finite.")

    monkeypatch.setattr("app.requests.run", fail)
    person.choose(epsilon=5.0)
    assert "not finite. The previous result stays below." in person.errors[0]
    person.assert_whole()
    person.run()
    assert person.errors
    assert len(runs) == 1
    person.choose(epsilon=4.0)
    assert not person.errors


# -- checkpoints ---------------------------------------------------------------------------------


@pytest.fixture
def damaged(tiny_models, tmp_path):
    """Name to a file that cannot be used, each for a reason of its own."""
    whole = tiny_models["tiny-advprop"].read_bytes()
    length = int.from_bytes(whole[:8], "little")
    content = whole[8 : 8 + length].decode()
    odd_header = content.replace('\\"input_size\\": 64', '\\"input_size\\": -1').encode()
    assert len(odd_header) == length
    assert odd_header != content.encode()
    files = {
        "not-safetensors": b"PK\x03\x04 pickled, or whatever",
        "empty": b"",
        "truncated": whole[: len(whole) // 2],
        "odd-header": whole[:8] + odd_header + whole[8 + length :],
    }
    paths = {}
    for name, data in files.items():
        paths[name] = tmp_path / f"{name}.safetensors"
        paths[name].write_bytes(data)
    return paths


def test_the_playground_works_beside_damaged_files(visit_with, damaged, tiny_models):
    person = visit_with(*damaged.values(), tiny_models["tiny-advprop"], model="tiny-advprop")
    person.assert_whole()
    assert not person.errors
    # Only its header was read until now: the damage shows when it is loaded.
    assert person.widget("model").options == ["truncated", "tiny-advprop"]
    before = person.result
    person.choose(model="truncated")
    assert not person.at.exception
    assert "truncated" in person.errors[0]
    person.assert_whole()
    assert person.result is before
    person.choose(model="tiny-advprop").assert_whole()
    assert not person.errors


def test_a_damaged_file_as_the_only_network(visit_with, damaged):
    person = visit_with(damaged["truncated"])
    assert not person.at.exception
    assert "Choose another" in person.errors[0]
    assert "being loaded" not in person.text
    person = visit_with(damaged["empty"])
    assert not person.at.exception
    assert "No network is here" in person.errors[0]


# -- Models --------------------------------------------------------------------------------------


def test_the_models_page_has_a_card_for_each_network(visit):
    person = visit(steps="1")
    person.at.switch_page("app/pages/models.py")
    person.run()
    assert not person.at.exception
    assert [s.value for s in person.at.subheader] == ["tiny-advprop", "tiny-vanilla"]
    assert "64 × 64 px" in person.text
    assert not person.errors


def test_the_models_page_shows_what_was_measured_and_how(visit_with, tiny_models, tiny_info_of):
    interval = {"interval": [0.7, 0.8], "n": 400, "data": "shapes val", "top1": 0.75}
    attack = {"kind": "attack", "attack": "PGD-10", "norm": "linf", "epsilon": 2 / 255}
    info = tiny_info_of(
        branches={"main": "trained", "aux": "copied"},
        recipe={"command": "advprop train --data shapes", "seed": 0},
        metrics=(
            {"branch": "main", "condition": {"kind": "clean"}, **interval},
            {"branch": "aux", "condition": {**attack, "attack_branch": "aux"}, **interval},
            {"branch": "main", "condition": {"kind": "shape-bias"}, **interval},
        ),
    )
    person = visit_with(tiny_models["tiny-advprop"], steps="1")
    cache.st.cache_data.clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("app.cache.read_info", lambda path: info)
        person.at.switch_page("app/pages/models.py")
        person.run()
    assert not person.at.exception
    assert "**aux** was not trained: a copy of main." in person.text
    table = person.at.table[0].value
    assert list(table["Result"]) == ["75.0%"] * 3
    assert "PGD-10" in table.iloc[1].to_string()
    assert "2/255" in table.iloc[1].to_string()
    assert person.at.code[0].value == "advprop train --data shapes"


def test_the_models_page_names_every_damaged_file(visit_with, damaged, tiny_models):
    person = visit_with(*damaged.values(), tiny_models["tiny-advprop"], model="tiny-advprop")
    person.at.switch_page("app/pages/models.py")
    person.run()
    assert not person.at.exception
    assert [s.value for s in person.at.subheader] == [*damaged, "tiny-advprop"]
    assert len(person.errors) == 3
    for words in ("not-safetensors.safetensors", "empty.safetensors", "input_size"):
        assert any(words in error for error in person.errors), words
