"""The Models page: all networks in a table, and a card with what was measured and how."""

import os

import pytest
import timm
import torch

from app.shell import cache


def networks(person):
    return list(person.at.dataframe[0].value["Network"])


def test_all_networks_are_in_a_table_and_one_has_its_card_below(visit):
    person = visit(steps="1").turn_to("app/models/page.py")
    assert not person.at.exception
    assert networks(person) == ["tiny-advprop", "tiny-vanilla"]
    assert [s.value for s in person.at.header] == ["tiny-advprop"]
    assert "64 × 64 px" in person.text
    person.choose(**{"models.card": "tiny-vanilla"})
    assert [s.value for s in person.at.header] == ["tiny-vanilla"]
    person.press("Open in Playground")
    assert person.at.session_state["view.model"] == "tiny-vanilla"
    assert "What do the two BatchNorms see in this picture?" in person.text
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
    cache.described.clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("app.shell.cache.read_info", lambda path: info)
        person.at.switch_page("app/models/page.py")
        person.run()
    assert not person.at.exception
    assert "**aux** was not trained: a copy of main." in person.text
    line = person.at.dataframe[0].value.iloc[0]
    assert (line["main, clean"], line["aux, PGD-10, L∞ ε = 2/255"]) == (75, 75)
    assert line["Images"] == "400"
    table = person.at.table[0].value
    assert list(table["Result"]) == ["75.0\u00a0%"] * 3
    assert "PGD-10" in table.iloc[1].to_string()
    assert "2/255" in table.iloc[1].to_string()
    assert person.at.code[0].value == "advprop train --data shapes"


def test_a_card_says_where_everything_of_a_foreign_file_is_known_from(offer, visit_other, tmp_path):
    file = tmp_path / "mine.pth"
    network = timm.create_model("test_resnet", num_classes=6)
    torch.save({"model_ema": network.state_dict(), "arch": "test_resnet", "epoch": 3}, file)
    offer(file)
    person = visit_other(perturbation="none").turn_to("app/models/page.py")
    lines = person.at.table[0].value.set_index("What")
    assert lines["Known from"]["architecture"] == "read in the file"
    assert lines["Known from"]["size"] == "guessed: check it"
    assert "**main** was trained." in person.text
    assert "**aux** was not trained: a copy of main." in person.text
    assert "averaged" in person.text


def test_the_models_page_names_every_damaged_file(visit_with, damaged, tiny_models):
    person = visit_with(*damaged.values(), tiny_models["tiny-advprop"], model="tiny-advprop")
    person.at.switch_page("app/models/page.py")
    person.run()
    assert not person.at.exception
    assert networks(person) == ["truncated", "tiny-advprop"]  # its header is whole
    assert len(person.errors) == 3
    for words in ("not-safetensors.safetensors", "empty.safetensors", "input_size"):
        assert any(words in error for error in person.errors), words


@pytest.mark.parametrize(
    "metric",
    [
        {"branch": "main", "condition": {"kind": "clean"}, "top1": 0.5},
        {"branch": "main", "condition": {"kind": "other"}, "top1": 0.5, "interval": [0.4, 0.6]},
        {"branch": "main", "condition": {"kind": "clean"}, "top1": 0.5, "interval": 3},
    ],
)
def test_a_card_that_others_wrote_hides_no_other_card(
    visit_with, tiny_models, tiny_info_of, tmp_path, metric, save_tiny_network
):
    odd = save_tiny_network(tmp_path / "odd.safetensors", tiny_info_of(metrics=(metric,)))
    person = visit_with(odd, tiny_models["tiny-advprop"], model="tiny-advprop")
    person.turn_to("app/models/page.py")
    assert not person.at.exception
    assert networks(person) == ["tiny-advprop"]
    assert person.errors[0].startswith("odd: the card of this file cannot be read")


def test_a_file_that_is_written_anew_is_another_network(
    visit_with, tiny_info_of, tmp_path, save_tiny_network
):
    path = save_tiny_network(tmp_path / "mine.safetensors", tiny_info_of("mine"))
    person = visit_with(path, steps="1", model="mine")
    before = person.result
    save_tiny_network(path, tiny_info_of("mine"), seed=5)
    os.utime(path, ns=(1, 1))
    person.run().assert_whole()
    logits = [one.predictions["clean", "main"].logits for one in (before, person.result)]
    assert not torch.equal(*logits)
