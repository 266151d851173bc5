from dataclasses import replace

import pytest

from app.playground.view import PlaygroundView as View
from app.shell import controls
from app.shell.links import encode
from app.shell.view import bounds, rules
from tests.app.visiting import chosen


@pytest.mark.parametrize(
    ("view", "words"),
    [
        (View(), "PGD attack, L∞ ε = 4/255, through main"),
        (View(epsilon=0.5, attack_branch="aux"), "PGD attack, L∞ ε = 0.5/255, through aux"),
        (View(perturbation="fgsm", norm="l2", radius=1.5), "FGSM attack, L2 ε = 1.5, through main"),
        (View(target="star"), "PGD attack, L∞ ε = 4/255, through main, towards star"),
        (View(perturbation="poisson"), "Poisson noise"),
        (View(perturbation="none"), "None"),
        (View(perturbation="erase"), "nothing is erased yet"),
        (View(perturbation="erase", regions="1.2.3.4"), "1 region painted grey by hand"),
        (View(perturbation="erase", regions="1.2.3.4_5.6.7.8", fill="blur"), "2 regions blurred"),
    ],
)
def test_captions_say_what_was_done(view, words, tiny_info_of):
    assert controls.describe(view, tiny_info_of()).startswith(words)


# -- on the page ---------------------------------------------------------------------------------

SIMPLE = {"view.model", "view.perturbation", "view.epsilon", "view.attack_branch", "view.expert",
          "view.studio", "view.scale"}  # fmt: skip
EXPERT = {"view.norm", "view.steps", "view.target", "view.seed", "view.method",
          "view.layer", "view.explained", "view.opacity"}  # fmt: skip


def shown_fields(visit):
    return {key for key in visit.keys() if key.startswith("view.")}  # noqa: SIM118


def test_an_empty_step_size_says_what_it_stands_for(visit):
    person = visit(expert="1", steps="5")
    step = person.widget("typed.step_size")
    assert (step.value, step.placeholder) == (None, "automatic: 2")
    step.set_value(0.5)
    person.run()
    assert chosen(person).step_size == 0.5
    person.widget("typed.step_size").set_value(None)
    person.run()
    assert chosen(person).step_size == 0
    person.choose(perturbation="fgsm")
    assert "typed.step_size" not in person.keys()  # noqa: SIM118 -- a method of AppTest's wrapper


def test_few_controls_at_first_the_rest_behind_one_switch(visit):
    person = visit()
    assert shown_fields(person) == SIMPLE
    person.choose(expert=True)
    assert shown_fields(person) == SIMPLE | EXPERT
    person.choose(perturbation="fgsm")
    assert shown_fields(person) == (SIMPLE | EXPERT) - {"view.steps"}
    person.choose(perturbation="gaussian")
    assert {"view.severity", "view.seed"} <= shown_fields(person)
    assert not {"view.epsilon", "view.attack_branch", "view.norm"} & shown_fields(person)
    person.choose(perturbation="none")
    assert not {"view.severity", "view.seed", "view.epsilon"} & shown_fields(person)
    assert all(
        widget.help
        for kind in ("selectbox", "slider", "number_input", "toggle", "button_group")
        for widget in person.at.get(kind)
        if widget.key != "language.switch"  # it names the languages themselves
    ), "every control has a plain-language help"


@pytest.fixture
def of_imagenet(tmp_path, save_tiny_network, tiny_info_of):
    """A tiny network with thirteen classes, of which one is ImageNet's cat."""
    others = tuple(f"class-{index}" for index in range(12))
    info = tiny_info_of(
        "cats", class_ids=(*others, "n02124075"), class_names=(*others, "Egyptian cat")
    )
    return save_tiny_network(tmp_path / "cats.safetensors", info)


def test_a_proposed_picture_changes_with_the_network_and_a_chosen_one_stays(
    visit_with, tiny_models, of_imagenet
):
    person = visit_with(*tiny_models.values(), of_imagenet, steps="1")
    assert chosen(person).image == "scene:2"
    assert chosen(person.choose(model="cats")).image == "photo:chelsea"
    assert chosen(person.choose(model="tiny-vanilla")).image == "scene:2"
    assert chosen(person.look_at("Photos").take("photo:coffee")).image == "photo:coffee"
    assert chosen(person.choose(model="cats")).image == "photo:coffee"


def test_a_network_in_the_address_comes_with_a_picture_that_it_knows(
    visit_with, tiny_models, of_imagenet
):
    networks = (*tiny_models.values(), of_imagenet)
    assert chosen(visit_with(*networks, steps="1", model="cats")).image == "photo:chelsea"
    assert chosen(visit_with(*networks, steps="1", model="tiny-vanilla")).image == "scene:2"


def test_many_classes_are_searched_by_id_too(visit_with, of_imagenet):
    person = visit_with(of_imagenet, steps="1", expert="1")
    assert "Egyptian cat (n02124075)" in person.widget("target").options
    assert "class-3" in person.widget("target").options


def test_a_link_may_ask_for_every_bound(visit):
    """A number that a link may hold must be one that its widget takes."""
    for place in (0, 1):
        numbers = [name for name, rule in rules(View).items() if "bounds" in rule.metadata]
        ends = {name: bounds(View, name)[place] for name in numbers if name != "steps"}
        for norm, kind in (("linf", "i-fgsm"), ("l2", "i-fgsm"), ("linf", "gaussian")):
            view = replace(
                View(model="tiny-advprop", norm=norm, perturbation=kind, steps=1, expert=True),
                **ends,
            )
            person = visit(**encode(view))
            assert not person.at.exception
            assert not person.errors
            assert person.at.session_state["view"] == view


def test_the_choice_of_a_hidden_control_is_remembered(visit):
    person = visit(expert="1").choose(steps=3, method="saliency", opacity=20)
    person.choose(expert=False).choose(epsilon=2.0).choose(expert=True)
    view = person.at.session_state["view"]
    assert (view.steps, view.method, view.opacity, view.epsilon) == (3, "saliency", 20, 2.0)
    assert person.widget("steps").value == 3


def test_another_networks_branch_and_class_are_given_up_in_silence(visit_with, tiny_models):
    person = visit_with(*tiny_models.values())
    person.choose(attack_branch="aux").choose(perturbation="gaussian").choose(model="tiny-vanilla")
    person.assert_whole()
    assert not person.errors
    assert not any("not available" in warning for warning in person.warnings)
    assert person.at.session_state["view"].attack_branch == "main"


def test_classes_that_were_chosen_stay_where_the_next_network_has_them(
    visit_with, tiny_models, save_tiny_network, tiny_info_of, tmp_path
):
    """By name: the next network's ids and its order are its own."""
    names = tiny_info_of().class_names
    other = tiny_info_of("renamed", class_ids=tuple(f"c{i}" for i in range(len(names))))
    other = replace(other, class_names=(*names[1:], names[0]))
    file = save_tiny_network(tmp_path / "renamed.safetensors", other)
    target = tiny_info_of().class_ids[3]
    person = visit_with(*tiny_models.values(), file, steps="1", expert="1", target=target)
    person.choose(model="renamed")
    assert chosen(person).target == "c2"
    assert chosen(person.choose(model="tiny-vanilla")).target == target
