"""The Models page: a card for each network, with what was measured and how."""

import pytest

from app import cache


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
