"""The Playground on tiny networks: each control changes the result, and says so."""

import pytest
import torch

from advprop_core.models import checkpoints, timm_networks
from app.playground.view import PlaygroundView as View
from app.shell import cache
from app.shell.links import encode
from tests.app.visiting import chosen


def test_the_first_view_is_a_drawn_scene_and_complete(visit):
    person = visit()
    person.assert_whole()
    assert person.at.title[0].value == "What do the two BatchNorms see in this picture?"
    assert not person.errors
    assert not person.warnings
    assert chosen(person) == View(model="tiny-advprop", image="scene:2")
    assert list(person.maps) == [
        ("clean", "main"), ("clean", "aux"), ("adversarial", "main"), ("adversarial", "aux"),
    ]  # fmt: skip
    assert person.result.true_class is not None
    for words in ("✓ marks the true class", "How large is this perturbation?",
                  "The attack followed the gradient of **main**"):  # fmt: skip
        assert words in person.text
    facts = {fact["title"]: fact["value"] for fact in person.board["facts"]}
    assert list(facts) == ["Largest change", "Length", "Range of colours", "Saved as PNG"]
    assert facts["Largest change"] == "4.00/255"


def test_a_change_of_strength_changes_the_result_and_the_link(visit):
    person = visit()
    before = person.result
    person.choose(epsilon=1.0)
    person.assert_whole()
    assert person.at.query_params == {
        "v": "3", "model": "tiny-advprop", "image": "scene:2", "epsilon": "1"
    }  # fmt: skip
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


def test_what_maps_explain_and_which_share_a_scale(visit):
    """Each branch's own answer on its own scale; or one class, or one scale for all."""
    person = visit(epsilon="16", attack_branch="main")
    names = cache.model_info("tiny-advprop").class_names
    answers = {cell: p.class_index for cell, p in person.result.predictions.items()}
    assert {cell: drawn.class_index for cell, drawn in person.maps.items()} == answers
    assert len(set(answers.values())) > 1, "or nothing would be seen of it"
    assert "for the class below each map" in person.text
    assert "Each map has its own colour scale" in person.text
    person.choose(scale="shared")
    assert "All maps have one colour scale" in person.text
    person.choose(expert=True, explained="attacked")
    attacked = person.result.attacked_class
    assert {drawn.class_index for drawn in person.maps.values()} == {attacked}
    assert f"for the class **{names[attacked]}**" in person.text


def test_maps_with_more_cells_are_a_click_away(visit):
    person = visit()
    lens = cache.load_lens("tiny-advprop")
    (coarse,) = {drawn.layer for drawn in person.maps.values()}
    assert coarse == lens.default_layer != lens.finer_layer
    person.press("Finer maps")
    assert {drawn.layer for drawn in person.maps.values()} == {lens.finer_layer}
    assert f"Grad-CAM at layer `{lens.finer_layer}`" in person.text
    person.press("Coarser maps")
    assert {drawn.layer for drawn in person.maps.values()} == {coarse}
    person.choose(expert=True, method="saliency")
    assert "Finer maps" not in [button.label for button in person.at.button]


def test_a_network_without_the_map_is_compared_without_and_says_why(
    visit, offer, tiny_info_of, tmp_path
):
    info = tiny_info_of(
        "tiny-vit", architecture="test_vit", input_size=160, branches={"main": "trained"}
    )
    file = tmp_path / "tiny-vit.safetensors"
    torch.manual_seed(0)  # of its weights: another draw might say what the picture shows
    checkpoints.save(file, timm_networks.create(info).freeze(), info)
    offer(file)
    person = visit(studio="film", steps="1", expert="1")
    assert not person.errors
    assert not person.at.exception
    assert person.board["maps"] is None
    unsure, warning = person.warnings
    assert unsure.startswith("On the clean picture no branch is sure"), "it learnt nothing"
    assert warning.startswith("Grad-CAM is not drawn: the network has no stage with a spatial map")
    assert "Grad-CAM is not drawn" in person.text
    assert len(person.at.session_state["shown.studio.film"].result.frames) == 3
    person.choose(method="saliency")
    assert person.warnings == [unsure]
    person.assert_whole()


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
    explained = person.maps["clean", "main"]
    assert explained.class_index == cache.model_info("tiny-advprop").class_ids.index("ring")
    assert explained.layer is None
    assert "for the class **ring**" in person.text
    assert "Each map has its own colour scale, which ends at the 99th percentile" in person.text


@pytest.mark.parametrize("method", ["saliency", "smoothgrad"])
def test_other_maps(visit, method):
    person = visit(method=method, steps="2")
    person.assert_whole()
    assert person.maps["clean", "aux"].method == method


def test_another_layer(visit):
    person = visit(expert="1", steps="1")
    default = person.maps["clean", "main"]
    assert default.layer == cache.load_lens("tiny-advprop").default_layer
    person.choose(layer="layer1.0")
    person.assert_whole()
    assert person.maps["clean", "main"].layer == "layer1.0"
    assert "at layer `layer1.0`" in person.text
    assert not torch.equal(person.maps["clean", "main"].values, default.values)


def test_a_network_with_main_alone(visit):
    person = visit(model="tiny-vanilla")
    person.assert_whole()
    assert person.result.branches == ("main",)
    assert person.widget("attack_branch").options == ["main"]
    assert "no auxiliary branch" in person.text


def test_a_sample_is_chosen(visit):
    person = visit().look_at("Photos").take("photo:coffee")
    person.assert_whole()
    assert chosen(person).image == "photo:coffee"
    assert person.result.true_class is None
    assert "Clean: Coffee" in person.pictures
    assert "✓ marks" not in person.text


def test_the_chosen_view_survives_the_way_to_another_page(visit):
    person = visit(expert="1").choose(epsilon=2.0, method="saliency")
    view = chosen(person)
    person.at.switch_page("app/models/page.py")
    person.run()
    assert not person.at.exception
    assert "networks" in person.at.title[0].value
    person.at.switch_page("app/playground/page.py")
    person.run().assert_whole()
    assert chosen(person) == view
    assert person.at.query_params == encode(view)


def test_what_a_network_cannot_know_is_said_first(visit):
    assert "has no class for this picture (Coffee)" in visit(image="photo:coffee").warnings[0]
    alone = visit(model="tiny-vanilla", image="scene:2")
    assert "one set of BatchNorm" in alone.text
    assert not any("has no class" in warning for warning in alone.warnings)
