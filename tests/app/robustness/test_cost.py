"""What a run takes, told before it."""

from types import SimpleNamespace

import pytest

from app.robustness.measurement import RunRequest, passes
from app.robustness.words import besides
from app.shell.results_page import in_words

INFOS = {"two": SimpleNamespace(branches={"main": "", "aux": ""}),
         "one": SimpleNamespace(branches={"main": ""})}  # fmt: skip
RADII = (1 / 255, 2 / 255)


@pytest.mark.parametrize(
    ("options", "each"),
    [
        ({}, 1),
        ({"kinds": ("pgd",), "radii": RADII, "steps": 5}, 1 + 2 * 11),
        ({"kinds": ("pgd", "fgsm"), "radii": RADII, "steps": 5, "restarts": 3}, 1 + 2 * (33 + 3)),
        ({"severities": (1, 3)}, 1 + 30),
        ({"kinds": ("autoattack",), "radii": RADII}, 1),
    ],
)
def test_each_branch_and_each_image_is_counted(options, each):
    request = RunRequest(("one", "two"), "shapes", 10, **options)
    assert passes(request, INFOS) == {"one": 10 * each, "two": 20 * each}


def test_attacks_through_each_branch_are_shown_to_the_others():
    request = RunRequest(("two",), "shapes", 1, ("pgd",), radii=RADII, steps=5, through_each=True)
    assert passes(request, INFOS) == {"two": 2 * (1 + 2 * 11 + 2)}


def test_it_is_said_in_round_figures_and_without_what_cannot_be_told():
    request = RunRequest(("two",), "shapes", 123, ("pgd", "autoattack"), radii=RADII, steps=10)
    sentence = in_words(passes(request, INFOS), besides(request))
    assert sentence.startswith(
        "At most about 11\u202f000 passes of an image through a network, and "
    )
    assert "AutoAttack" in sentence


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.001, "a few seconds"), (0.2, "about 40 seconds"), (1.0, "about 4 minutes"),
     (100.0, "about 6 hours")],
)  # fmt: skip
def test_the_time_is_that_of_the_passes_of_each_network(seconds, words):
    speeds = {"one": 0.2 * seconds, "two": seconds}
    said = in_words({"one": 100, "two": 200}, "{sentence}.", speeds)
    assert (
        said == f"At most about 300 passes of an image through a network, {words} on this machine."
    )
