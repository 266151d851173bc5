"""Undo, redo, reset and the link to share."""

from dataclasses import replace

import pytest

from app.anatomy.view import AnatomyView
from app.influence.view import InfluenceView
from app.maps.view import MapsView
from app.playground.view import PlaygroundView
from app.robustness.view import RobustnessView
from app.shell import cache, workbench
from app.shell.history import _TITLES, History, changes, link, not_carried, record
from app.shell.view import View, rules
from app.transfer.view import TransferView
from app.visualise.view import VisualiseView
from tests.app.visiting import chosen

START = View()
STRONGER, LONGER = replace(START, epsilon=8.0), replace(START, epsilon=8.0, steps=20)


def history_of(*views):
    history = History([START])
    for view in views:
        history.choose(view)
    return history


def test_what_was_undone_is_forgotten_once_something_else_is_chosen():
    history = history_of(STRONGER, LONGER)
    assert history.views == [START, STRONGER, LONGER]
    assert not history.has(1)
    history.at -= 2
    assert (history.views[history.at], history.has(-1), history.has(2)) == (START, False, True)
    other = replace(START, steps=3)
    for _ in range(2):  # the same once more is no step
        history.choose(other)
        assert (history.views, history.has(1)) == ([START, other], False)


def test_a_step_back_to_what_a_network_lacks_does_not_cut_off_the_way_forward(monkeypatch):
    history = History([replace(START, layer="gone"), STRONGER])
    session = {"history.View": history, "history.View.step": True, "left": None}
    monkeypatch.setattr("app.shell.history.st.session_state", session)
    record(START)
    assert (history.views, history.at) == ([START, STRONGER], 0)


def test_only_the_newest_views_are_remembered():
    history = history_of(*(replace(START, seed=seed) for seed in range(1, 301)))
    assert len(history.views) == 200
    assert history.views[history.at].seed == 300


def test_changes_in_words():
    after = replace(STRONGER, perturbation="fgsm", image="photo:coffee", expert=True, target="n1")
    assert changes(START, after) == [
        "picture", "perturbation PGD attack → FGSM attack", "ε 4 → 8", "target class none → `n1`",
        "expert controls off → on",
    ]  # fmt: skip


def test_values_are_called_as_their_widgets_call_them():
    after = replace(START, norm="l2", step_size=0.5, scale="row", method="smoothgrad", fill="blur")
    assert changes(START, after) == [
        "norm L∞: every pixel a little → L2: the whole change together",
        "step size automatic → 0.5", "fill with Grey → Blur", "map Grad-CAM → SmoothGrad",
        "colour scale each map → each branch",
    ]  # fmt: skip
    attacks = replace(RobustnessView(), attacks=("fgsm", "autoattack"))
    assert changes(RobustnessView(), attacks) == ["attacks PGD attack → FGSM attack and AutoAttack"]


def test_to_open_a_tab_is_no_step_and_nothing_to_reset(visit):
    start = RobustnessView()
    looking = replace(start, part="Studies")
    history = History([start])
    history.choose(looking)
    assert (history.views, history.at) == ([looking], 0)
    person = visit(looked_into="Where do they differ?").turn_to("app/anatomy/page.py")
    assert chosen(person).looked_into == "Where do they differ?"
    assert person.button("Reset").disabled
    person.choose(epsilon=8.0)
    person.press("Reset")
    assert (chosen(person).epsilon, chosen(person).looked_into) == (4.0, "Where do they differ?")


@pytest.mark.parametrize(
    "view",
    [
        PlaygroundView,
        MapsView,
        VisualiseView,
        AnatomyView,
        RobustnessView,
        TransferView,
        InfluenceView,
    ],
)
def test_every_field_has_a_name_that_other_languages_translate(view):
    assert rules(view).keys() <= _TITLES.keys()


def test_a_class_is_called_by_its_name(monkeypatch, tiny_info_of):
    info = tiny_info_of(class_ids=("n1", "n2"), class_names=("tench", "tiger cat"))
    monkeypatch.setattr(cache, "known_models", lambda _: {START.model: info})
    assert changes(replace(START, target="n1"), replace(START, target="n2", explained="n1")) == [
        "target class `tench` → `tiger cat`",
        "what the maps explain each branch's own answer → `tench`",
    ]


def test_a_link_and_what_it_cannot_carry():
    assert link(STRONGER, "https://lens.example/?v=1") == "https://lens.example/?v=3&epsilon=8"
    assert not_carried(START, "https://lens.example/") == []
    (upload,) = not_carried(replace(START, image="upload:0f"), "https://lens.example/")
    assert "Your photo is not in the link" in upload
    (network,) = not_carried(replace(START, model="mine~0123456789abcdef"), "https://lens.example/")
    assert "The network is not in the link" in network
    folder, here = not_carried(replace(START, image="folder:a.jpg"), "http://localhost:8501/")
    assert "a folder of this server" in folder
    assert "works only on this machine" in here


def test_undo_redo_and_reset_on_a_page(visit):
    person = visit()
    assert person.button("Undo").disabled
    person.choose(epsilon=8.0, attack_branch="aux")
    person.press("Undo")
    assert (chosen(person).epsilon, chosen(person).attack_branch) == (8.0, "main")
    assert person.at.toast[0].value == "Undo: attack through `aux` → `main`"
    person.press("Undo")
    assert chosen(person).epsilon == 4.0
    assert person.at.query_params == {"v": "3", "model": "tiny-advprop", "image": "scene:2"}
    assert person.button("Undo").disabled
    person.press("Redo")
    assert (chosen(person).epsilon, chosen(person).attack_branch) == (8.0, "main")
    person.press("Reset")
    assert chosen(person) == PlaygroundView(model="tiny-advprop", image="scene:2")
    person.press("Undo")
    assert chosen(person).epsilon == 8.0


def test_reset_after_another_network_was_linked_comes_back_to_the_first_picture(visit, monkeypatch):
    pictures = {"tiny-advprop": "scene:2", "tiny-vanilla": "scene:3"}
    monkeypatch.setattr(workbench, "suggested", lambda info: pictures[info.name])
    person = visit(model="tiny-vanilla")
    assert chosen(person).image == "scene:3"
    person.press("Reset")
    assert chosen(person) == PlaygroundView(model="tiny-advprop", image="scene:2")


@pytest.mark.parametrize("page", ["robustness", "transfer", "visualise"])
def test_what_a_page_fills_in_when_it_opens_is_nothing_to_reset(visit, page):
    person = visit().turn_to(f"app/{page}/page.py")
    assert person.button("Reset").disabled


def test_a_strength_can_be_typed(visit):
    person = visit()
    person.widget("typed.epsilon").set_value(2.3)
    person.run()
    assert chosen(person).epsilon == 2.3
    assert person.widget("epsilon").value == 2.3
