"""The Anatomy page, on tiny networks."""

import importlib
import threading

import pytest
import torch

from advprop_core.attribution import maps
from advprop_core.attribution.errors import Unfit
from advprop_core.errors import InputError
from app.anatomy import work
from app.anatomy.words import PARTS
from tests.app.anatomy.looking import (
    ANATOMY,
    DIAL,
    LAYERS,
    STAGES,
    WHERE,
    WHICH,
    assert_whole,
    look_into,
)
from tests.app.visiting import chosen, jpeg, lose_pictures

pytestmark = pytest.mark.usefixtures("few_pictures")


def test_the_default_view_is_complete(anatomy):
    person = anatomy()
    assert_whole(person)
    assert [tab.label for tab in person.at.tabs] == [*PARTS]
    assert "Which half makes a branch robust?" in person.text
    first = person.text
    assert_whole(look_into(person, WHERE), LAYERS)
    second = person.text
    assert_whole(look_into(person, WHICH), STAGES)
    assert chosen(person).looked_into == person.at.query_params["looked_into"] == WHICH
    assert person.at.title[0].value == "How do the two BatchNorms differ?"
    assert not person.warnings
    for words in ("At 50 % of the way from **main** to **aux**, the network says",
                  "Along the way, the probability of", "differs most on average",
                  "Channel by channel", "Activations of the channels",
                  "mean and variance are estimated again on 4 drawn scenes",
                  "On the perturbed picture **main** gives"):  # fmt: skip
        assert words in first + second + person.text, words


def test_the_dial_changes_what_the_network_says_and_the_link(anatomy):
    person = anatomy()
    person.choose(dial=100)
    assert_whole(person)
    assert "At **aux** itself" in person.text
    assert person.at.query_params["dial"] == "100"
    person.choose(moved="affine")
    assert "At 100 % of the way from **main** to **aux**, with only γ and β moving" in person.text
    assert "**Misleading.**" in person.text
    person.choose(moved="both", moved_layers=["layer1", "layer2"], dial=20)
    assert "At 20 % of the way" in person.text
    assert "with only what is in layer1 and layer2 moving" in person.text
    assert person.at.query_params["moved_layers"] == "layer1,layer2"
    assert chosen(person).moved_layers == ("layer1", "layer2")


def test_a_map_that_does_not_fit_leaves_the_rest_of_the_page(anatomy, monkeypatch):
    def refuse(question):
        raise Unfit("it does not add up")

    monkeypatch.setitem(maps._MAKERS, "deep-lift", refuse)
    person = anatomy(v="1", model="tiny-advprop", method="deep-lift", dial="20")
    assert not person.errors
    assert not person.at.exception
    assert "DeepLIFT is not drawn: it does not add up" in person.text
    assert not person.at.get("html")[1:], "but for the style of all pages"
    assert {"anatomy.curve", "anatomy.bars.clean"} <= {*person.charts}


def test_the_perturbed_picture_is_made_once(anatomy, monkeypatch):
    person = anatomy(looked_into=WHICH)
    calls = []
    comparing = importlib.import_module("advprop_core.compare.compare")
    monkeypatch.setattr(comparing, "attack", lambda *args: calls.append(args))
    person.choose(dial=10, gap_by="layer")
    assert_whole(person, ["gap.here"])
    assert not calls


def test_single_layers_can_move_for_experts_and_from_a_link(anatomy):
    assert "layer1.0.bn1" not in anatomy().widget("moved_layers").options
    person = anatomy(moved_layers="layer1.0.bn1,layer2")
    assert "layer1.0.bn1" in person.widget("moved_layers").options
    assert "layer2.0.bn1" not in person.widget("moved_layers").options
    assert "layer2.0.bn1" in anatomy(expert="1").widget("moved_layers").options


def test_a_link_restores_everything_of_the_page(anatomy):
    asked = {
        "dial": "35", "moved": "statistics", "moved_layers": "layer1", "measure": "divergence",
        "norm_layer": "layer2.0.bn1", "gap_by": "layer",
    }  # fmt: skip
    person = anatomy(v="1", model="tiny-advprop", looked_into=WHERE, **asked)
    assert_whole(person, LAYERS)
    assert not person.warnings
    assert {name: person.at.query_params[name] for name in asked} == asked
    assert "Channel by channel, `layer2.0.bn1`" in person.text
    assert person.widget("measure").value == "divergence"
    assert person.widget("norm_layer").value == "layer2.0.bn1"


def test_what_a_link_asks_in_vain_is_said(anatomy):
    person = anatomy(
        v="1", model="tiny-advprop", moved_layers="layer1,blocks.7", norm_layer="nosuch",
        second="aux9", calibrated="1", dial="101", measure="horoscope",
    )  # fmt: skip
    assert_whole(person)
    assert len(person.warnings) == 6
    view = chosen(person)
    assert (view.moved_layers, view.norm_layer, view.second) == (("layer1",), "", "aux")
    assert (view.calibrated, view.dial) == (False, 50)


def test_another_networks_layers_are_forgotten_without_a_word(anatomy, monkeypatch):
    person = anatomy(looked_into=WHERE).choose(moved_layers=["layer1"], norm_layer="bn1")
    monkeypatch.setattr("advprop_core.anatomy.layers.stages_of_layers", lambda _: {"x.bn": "x"})
    person.choose(model="tiny-vanilla")
    assert not person.warnings
    assert (chosen(person).moved_layers, chosen(person).norm_layer) == ((), "")


def test_the_measure_and_the_layer_that_are_looked_into(anatomy):
    person = anatomy(looked_into=WHERE)
    person.choose(measure="divergence", norm_layer="layer1.0.bn1")
    assert_whole(person, LAYERS)
    assert "`layer1.0.bn1`" in person.text
    # The tiny network's branches share γ: it says so, and shows no channels that differ most.
    person.choose(measure="gamma_change")
    assert_whole(person)
    assert "**Scale γ**: no layer differs at all." in person.text
    assert "Activations of the channels" not in person.text


def test_a_layer_of_equal_channels_says_so_where_others_differ(anatomy, monkeypatch):
    from advprop_core.anatomy.distance import LayerDistance

    same = LayerDistance("bn1", "stem", 3, {"mean_shift": torch.zeros(3)})
    other = LayerDistance("layer1.0.bn1", "layer1", 3, {"mean_shift": torch.ones(3)})
    monkeypatch.setattr(work, "distances", lambda *_, **__: (same, other))
    person = anatomy(looked_into=WHERE, norm_layer="bn1")
    assert_whole(person, ["profile"])
    assert "No channel of `bn1` differs by this measure (Mean)." in person.text


def test_stages_and_layers_and_many_pictures(anatomy):
    person = anatomy(looked_into=WHICH).press("Measure it over 4 drawn scenes")
    over = [name.replace("here", "over") for name in STAGES]
    assert_whole(person, [*STAGES, *over])
    assert "Of 4 " in person.text
    assert "95 % Wilson intervals (n = 4)" in person.text
    person.choose(gap_by="layer")
    assert_whole(person, ["gap.here"])
    person.press("Measure it over 4 drawn scenes")
    assert_whole(person, ["gap.here", "gap.over"])
    # What was measured stays known; what was not is not asked for again by itself.
    person.choose(epsilon=1.0)
    assert_whole(person, ["gap.here"])


HALVES = ["halves.main", "halves.aux", "accuracies"]


def test_halves_are_measured_on_request_and_stand_beside_the_dial(anatomy):
    person = anatomy().press("Measure both halves over 4 drawn scenes")
    assert not person.at.exception, person.at.exception
    assert person.charts == [f"anatomy.{name}" for name in (*DIAL, *HALVES)]
    assert "On 4 drawn scenes under PGD-10 (ε = 2/255): **aux**'s γ and β" in person.text
    assert "without estimating again misleads" in person.text
    person.choose(dial=20)
    assert "anatomy.accuracies" in person.charts


def test_the_network_at_a_place_can_be_downloaded(anatomy):
    person = anatomy(dial="30")
    person.press("Make a file of the network at 30 %")
    label = "Download the network at 30 %"
    assert label in [button.proto.label for button in person.at.get("download_button")]
    assert not person.at.exception
    person.choose(dial=0)
    assert label not in [button.proto.label for button in person.at.get("download_button")]


def test_nothing_changed_has_one_line_and_plain_bars(anatomy):
    person = anatomy(perturbation="none", looked_into=WHICH)
    assert_whole(person, STAGES)
    assert "Nothing was changed" in person.text
    assert "do not change" not in person.text


def test_a_photo_of_unknown_class_follows_the_class_under_attack(anatomy):
    person = anatomy(image="photo:coffee")
    assert_whole(person)
    assert "the class under attack: from" in person.text


def test_any_auxiliary_branch_can_be_compared(
    visit_with, tiny_info_of, save_tiny_network, tmp_path
):
    three = {"main": "trained", "aux": "trained", "aux2": "trained"}
    info = tiny_info_of("three", branches=three)
    person = visit_with(save_tiny_network(tmp_path / "three.safetensors", info), steps="1")
    person.turn_to(ANATOMY).choose(second="aux2")
    assert_whole(person)
    assert "from **main** to **aux2**" in person.text
    assert person.at.query_params["second"] == "aux2"


def test_no_folder_for_a_network_that_knows_other_classes(
    visit_with, tiny_info_of, save_tiny_network, tmp_path, monkeypatch
):
    names = tuple(f"thing {i}" for i in range(10))
    info = tiny_info_of("other", class_ids=names, class_names=names)
    person = visit_with(save_tiny_network(tmp_path / "other.safetensors", info), steps="1")
    look_into(person.turn_to(ANATOMY), WHICH)
    assert_whole(person, STAGES)
    assert "There are no photos of known class here." in person.text
    (tmp_path / "photos" / "cats").mkdir(parents=True)
    monkeypatch.setenv("ADVPROP_IMAGES", str(tmp_path / "photos"))
    assert "it holds `cats`" in person.run().text
    (tmp_path / "photos" / "Thing_3").mkdir()
    person.run().press("Measure it over 4 photos of your folder")
    assert not person.at.exception
    assert "holds no image" in person.errors[0]
    for index in range(3):
        (tmp_path / "photos" / "Thing_3" / f"{index}.jpg").write_bytes(jpeg(seed=index))
    person.choose(dial=20, gap_by="layer")
    person.press("Measure it over 4 photos of your folder")
    assert not person.errors
    assert "n = 3" in person.text


@pytest.mark.parametrize("model", ["tiny-advprop", "tiny-vanilla"])
def test_a_photo_that_is_gone_leaves_what_was_made_of_it(anatomy, model):
    person = anatomy(model=model).upload("mine.jpg", jpeg())
    charts = person.charts
    lose_pictures()
    person.choose(epsilon=2.0)
    assert not person.at.exception
    assert "upload it again" in person.errors[0]
    assert person.charts == charts
    assert person.text


def test_other_maps_of_the_blend(anatomy):
    person = anatomy(method="integrated-gradients", expert="1")
    assert_whole(person)
    assert "Integrated gradients for the class" in person.text


# -- work that takes long, is stopped, or fails ----------------------------------------------------


@pytest.fixture
def held(hold):
    """Blends that wait until they are let go."""
    return hold(work, "blended")


def test_a_slow_blend_leaves_the_one_before_it(anatomy, held):
    held.set()
    person = anatomy()
    held.clear()
    person.widget("dial").set_value(80)
    person.at.run()
    assert person.at.get("progress")
    assert "Previous result" in person.text
    assert "At 50 % of the way" in person.text
    assert_whole(person)
    held.set()
    person.run()
    assert "At 80 % of the way" in person.text
    assert "Previous result" not in person.text


def test_stop_and_go_on(anatomy, held):
    held.set()
    person = anatomy()
    held.clear()
    person.widget("dial").set_value(80)
    person.at.run()
    person.button("Stop").click()
    held.set()
    person.run()
    assert not person.at.exception
    assert "Stopped." in person.text
    assert "At 80 % of the way" not in person.text
    person.press("Go on")
    assert_whole(person)
    assert "At 80 % of the way" in person.text


def test_work_that_fails_is_said_and_the_rest_is_drawn(anatomy, monkeypatch):
    person = anatomy()

    def fail(*_, **__):
        raise InputError("the map is not finite.")

    monkeypatch.setattr("app.anatomy.work.blended", fail)
    person.choose(dial=80)
    assert not person.at.exception
    assert person.errors == ["the map is not finite."]
    assert person.charts == []
    assert "Which half makes a branch robust?" in person.text
    assert person.choose(dial=0).errors == []
    assert_whole(person)


def test_figures_of_another_attack_do_not_stand_under_this_ones_name(anatomy, monkeypatch):
    over = [f"gap.over.{order}" for order in ("alone", "from_stem", "from_head")]
    let_go, real = threading.Event(), work.gap_over

    def slow(*args, **options):
        let_go.wait(30)
        return real(*args, **options)

    monkeypatch.setattr("app.anatomy.work.gap_over", slow)
    monkeypatch.setattr("app.shell.tasks.QUICK", 0.2)
    monkeypatch.setattr("app.shell.tasks.PATIENCE", 0.0)
    let_go.set()
    person = anatomy(looked_into=WHICH).press("Measure it over 4 drawn scenes")
    assert_whole(person, [*STAGES, *over])
    assert "ε = 4/255" in person.text
    person.choose(epsilon=8.0)
    assert_whole(person, STAGES)
    let_go.clear()
    next(b for b in person.at.button if b.label.startswith("Measure it over")).click()
    person.at.run()
    assert_whole(person, STAGES)  # while it is being made there is nothing of it
    let_go.set()
    assert_whole(person.run(), [*STAGES, *over])
