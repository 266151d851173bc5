"""The Transfer page, on tiny networks."""

import json

import pytest

from advprop_core.errors import InputError
from advprop_core.transfer import results_file
from app.transfer.view import read_amounts

PAGE = "app/transfer/page.py"
LINK = {
    "v": "3", "contenders": "tiny-vanilla,tiny-advprop:aux", "amounts": "10, 20", "repeats": "2",
    "rounds": "6", "learned": "run",
}  # fmt: skip


@pytest.fixture
def come(tiny, visit, monkeypatch):
    monkeypatch.setattr("app.transfer.controls.TEST_IMAGES", 20)
    return lambda **choices: visit(**LINK | choices).turn_to(PAGE)


def test_a_run_is_started_and_all_of_it_shown(come):
    person = come()
    assert not person.at.exception
    assert "There is no run yet" in person.at.info[0].value
    assert "8 new heads, each trained for 6 epochs" in person.text
    assert "At most about 120 passes of an image through a network" in person.text
    person.press("Run")
    assert not person.at.exception, person.at.exception
    assert "Against tiny-vanilla (natural), head only:" in person.text.replace("\\", "")
    assert "## With 10 images" in person.text
    assert "Differences are to tiny-vanilla" in person.text.replace("\\", "")
    assert person.charts == ["transfer.images.0"]
    assert [tab.label for tab in person.at.tabs] == ["Images", "Differences", "Epochs"]
    assert len(person.at.table[0].value) == 4
    assert "--source" in person.at.code[0].value
    person.at.session_state["view.learned_part"] = "Epochs"
    person.run()
    assert person.charts == ["transfer.epochs.0.10", "transfer.epochs.0.20"]
    content = person.at.session_state["shown.transfer"].result
    data = json.dumps(content).encode()
    assert results_file.parse("mine.json", data) == json.loads(data), (
        "what is taken away comes back"
    )


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"amounts": "5"}, "num\\_images is 5, but shapes has 10 classes"),
        ({"amounts": "many"}, "must be 1 to 6 whole numbers"),
        ({"amounts": "20, 4000"}, "must lie between 2 and 400 here"),
    ],
)
def test_what_cannot_be_trained_is_one_sentence(come, choices, message):
    person = come(**choices)
    if not person.errors:
        person.press("Run")
    assert not person.at.exception
    assert message.replace("\\", "") in person.errors[0].replace("\\", "")


def test_amounts_are_read_once_each_and_sorted():
    assert read_amounts("50, 20,50") == (20, 50)
    with pytest.raises(InputError, match="whole numbers"):
        read_amounts("9" * 5000)  # more digits than int() takes


def test_a_file_that_is_no_transfer_experiment(tmp_path):
    for data, message in (
        (b"{}", "holds no results of advprop transfer"),
        (b'{"kind": "transfer", "format": 9}', "in format 9, this version reads format 1"),
        (b'{"kind": "transfer", "format": 1}', "is damaged: command is missing"),
    ):
        with pytest.raises(ValueError, match=message):
            results_file.parse("x.json", data)


def test_where_strangers_use_the_server_nothing_is_trained(visit, monkeypatch):
    monkeypatch.setenv("ADVPROP_PUBLIC", "1")
    person = visit().turn_to("app/transfer/page.py")
    assert "so it trains nothing" in person.at.info[0].value
    assert not [button for button in person.at.button if button.label == "Run"]
    assert not person.errors
