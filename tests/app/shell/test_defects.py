"""A mistake shows its sentence, a defect a report, and neither the folders of the server."""

import pytest

from advprop_core.compare import compare as comparing
from advprop_core.errors import InputError
from app.shell import defects


@pytest.fixture
def failing(visit, monkeypatch):
    """(error) is the Playground after its comparison raised it."""

    def start(error):
        person = visit(steps="1")

        def compare(*_, **__):
            raise error

        monkeypatch.setattr(comparing, "compare", compare)
        return person.choose(epsilon=5.0)

    return start


def test_a_mistake_shows_its_sentence(failing):
    person = failing(InputError("Take a larger picture."))
    assert person.errors == ["Take a larger picture. The previous result stays below."]
    assert not person.at.main.code
    person.assert_whole()


def test_a_defect_shows_a_report_and_the_log_has_the_traceback(failing, caplog):
    person = failing(TypeError("cannot add /srv/secret/app/x.py and 4/255"))
    (sentence,) = person.errors
    assert sentence.startswith("This is a bug in AdvProp Lens")
    (report,) = [code.value for code in person.at.main.code]
    for line in ("TypeError: cannot add …/x.py and 4/255", "page: Playground", "epsilon: 5",
                 "model: tiny-advprop", "torch 2."):  # fmt: skip
        assert line in report
    assert "/srv" not in report
    assert "in compare" in caplog.text
    person.assert_whole()


def test_a_page_that_fails_while_it_is_drawn_says_so(visit, monkeypatch):
    def verdict(*_):
        raise KeyError("aux7")

    monkeypatch.setattr("app.shell.messages.verdict", verdict)
    person = visit(steps="1")
    assert not person.at.exception
    assert person.errors[0].startswith(defects.BUG)
    assert "KeyError: 'aux7'" in person.at.main.code[0].value


def test_a_callback_that_fails_says_so_until_something_else_is_chosen(visit, monkeypatch):
    def fail(*_, **__):
        raise KeyError("aux7")

    person = visit(steps="1")
    monkeypatch.setattr("app.shell.history._step", fail)  # as the button of the next run has it
    person.choose(epsilon=2.0).press("Undo")
    assert not person.at.exception
    assert person.errors[0].startswith(defects.BUG)
    assert "KeyError: 'aux7'" in person.at.main.code[0].value
    person.assert_whole()
    assert person.run().errors, "it stays while nothing else is chosen"
    assert not person.choose(epsilon=3.0).errors
    monkeypatch.setattr("app.shell.state.choose", fail)
    assert person.run().press("Reset").errors
    monkeypatch.undo()
    assert not person.run().press("Keep this beside").errors, "another callback takes its place"


def test_a_part_that_fails_says_so_and_the_rest_of_the_page_is_drawn(visit, monkeypatch):
    def differing(*_):
        raise KeyError("s9")

    monkeypatch.setattr("app.anatomy.layers.differing", differing)
    person = visit(steps="1", looked_into="Where do they differ?").turn_to("app/anatomy/page.py")
    assert not person.at.exception
    assert person.errors[0].startswith(defects.BUG)
    assert "KeyError: 's9'" in person.at.main.code[0].value
    assert "anatomy.bars.clean" in person.charts


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            "[Errno 28] No space left: '/home/ann/.cache/x.npz'",
            "[Errno 28] No space left: '…/x.npz'",
        ),
        (r"C:\Users\ann\x.png is gone", "…/x.png is gone"),
        ("1/255 or shapes/val", "1/255 or shapes/val"),
    ],
)
def test_a_file_is_named_without_its_folders(text, shown):
    assert defects.sentence(OSError(text)) == shown


def test_visitors_see_no_traceback():
    from streamlit import config

    assert config.get_option("client.showErrorDetails") == "none"
