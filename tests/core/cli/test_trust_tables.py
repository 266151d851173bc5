"""How far maps can be trusted, as a table and as plain values."""

import json

import numpy as np
import pytest
import torch
from rich.console import Console

from advprop_core.attribution.methods import METHODS
from advprop_core.attribution.rows import MapRow
from advprop_core.cli.trust_tables import curve_array, legend, trust_json, trust_table
from advprop_core.faithfulness.agreement import Agreement
from advprop_core.faithfulness.curves import Curve, Curves
from advprop_core.faithfulness.fidelity import Infidelity
from advprop_core.faithfulness.maps import Undefined
from advprop_core.faithfulness.randomisation import RandomisationCheck, RandomisationStep
from advprop_core.faithfulness.trust import Trust

NOTHING = Undefined("the map is constant")
SHARES = torch.tensor([0.0, 0.5, 1.0])


def line(*values):
    return Curve(SHARES, torch.tensor(values))


def trust(**fields):
    """Deletion gains 0.5 − 0.25, insertion 0.75 − 0.5."""
    curves = Curves(
        deletion=line(1.0, 0.0, 0.0),
        insertion=line(0.0, 1.0, 1.0),
        random_deletion=line(1.0, 0.5, 0.0),
        random_insertion=line(0.0, 0.5, 1.0),
    )
    step = RandomisationStep("stem", 0.3, 0.25, 1)
    values = {
        "curves": curves,
        "infidelity": Infidelity(1.0, 4.0, 64),
        "sensitivity": 0.123,
        "randomisation": RandomisationCheck((step,)),
        "across_branches": {"aux": Agreement(0.5, 0.1, 0.2)},
        "under_attack": None,
        "inside_object": None,
    }
    return Trust(**{**values, **fields})


def undefined():
    step = RandomisationStep("stem", NOTHING, NOTHING, 1)
    return trust(
        curves=NOTHING,
        infidelity=NOTHING,
        sensitivity=NOTHING,
        randomisation=RandomisationCheck((step,)),
        across_branches={"aux": Agreement(NOTHING, NOTHING, NOTHING)},
        under_attack=Agreement(NOTHING, NOTHING, NOTHING),
    )


def shown(figures, width=160):
    """The table's lines, for rows that are named as their methods."""
    rows = []
    for name in dict.fromkeys(name for name, *_ in figures):
        cells = {(kind, branch): None for row, kind, branch in figures if row == name}
        rows.append(MapRow(name, METHODS[name], "s3" if name == "grad-cam" else None, cells))
    console = Console(width=width)
    with console.capture() as captured:
        console.print(trust_table(rows, figures))
    return [one.rstrip() for one in captured.get().splitlines()]


def test_a_line_per_map_under_its_name():
    figures = {
        ("grad-cam", "clean", "main"): trust(),
        ("grad-cam", "clean", "aux"): undefined(),
        ("saliency", "clean", "main"): trust(across_branches={}),
    }
    head, *lines = shown(figures)
    headings = "map insertion deletion infidelity sensitivity random weights branches"
    assert " ".join(head.split()) == headings
    assert [one.split() for one in lines] == [
        ["Grad-CAM", "at", "s3"],
        ["main", "+0.25", "+0.25", "0.25", "0.12", "+0.30", "partly", "0.50"],
        ["aux", *"––––––"],
        ["Saliency"],
        ["main", "+0.25", "+0.25", "0.25", "0.12", "+0.30", "partly", "–"],
    ]
    assert "stability" not in legend(figures)


def test_under_attack_it_says_how_steady_a_map_is():
    steady = trust(under_attack=Agreement(0.875, 0.1, 0.2))
    figures = {
        ("saliency", "clean", "main"): steady,
        ("saliency", "adversarial", "main"): undefined(),
    }
    head, _, clean, attacked = shown(figures)
    assert head.endswith("stability")
    assert clean.split()[:2] == ["main", "clean"]
    assert clean.endswith("0.88")
    assert attacked.split() == ["main", "adversarial", *"–––––––"]
    assert "stability" in legend(figures)


def test_several_other_branches_are_named():
    agreements = {"aux": Agreement(0.5, 0.1, 0.2), "aux2": Agreement(NOTHING, 0.1, 0.2)}
    *_, last = shown({("saliency", "clean", "main"): trust(across_branches=agreements)})
    assert last.endswith("aux 0.50, aux2 –")


@pytest.mark.parametrize("width", [80, 100])
def test_nothing_is_cut_off_in_a_narrow_terminal(width):
    steady = trust(under_attack=Agreement(0.875, 0.1, 0.2))
    figures = {("saliency", "adversarial", "main"): steady}
    lines = shown(figures, width)
    assert max(map(len, lines)) <= width
    text = "".join("".join(lines).split())
    assert "…" not in text
    for number in ("+0.25", "0.12", "+0.30", "0.50", "0.88"):
        assert number in text


def test_plain_values_literal():
    found = trust_json(trust())
    assert json.loads(json.dumps(found)) == found
    assert found["curves"] == {
        "insertion_gain": 0.25,
        "deletion_gain": 0.25,
        "insertion_area": 0.75,
        "deletion_area": 0.25,
        "shares": [0.0, 0.5, 1.0],
        "insertion": [0.0, 1.0, 1.0],
        "deletion": [1.0, 0.0, 0.0],
        "random_insertion": [0.0, 0.5, 1.0],
        "random_deletion": [1.0, 0.5, 0.0],
    }
    assert found["infidelity"] == {
        "relative": 0.25,
        "value": 1.0,
        "reference": 4.0,
        "samples": 64,
    }
    assert found["max_sensitivity"] == 0.123
    assert found["randomisation"]["correlation"] == pytest.approx(0.3)
    assert found["randomisation"]["steps"][0]["stage"] == "stem"
    assert found["across_branches"]["aux"]["rank_correlation"] == 0.5
    assert found["stability"] is None


def test_what_is_undefined_has_its_reason():
    found, reason = trust_json(undefined()), {"undefined": "the map is constant"}
    assert found["curves"] == found["infidelity"] == found["max_sensitivity"] == reason
    assert found["randomisation"]["correlation"] == reason
    assert found["across_branches"]["aux"]["iou"] == found["stability"]["overlap"] == reason
    still = trust_json(trust(infidelity=Infidelity(0.0, 0.0, 64)))["infidelity"]
    assert still["relative"] == {"undefined": "the score changes under no perturbation"}


def test_curves_as_an_array():
    expected = [[0, 0.5, 1], [0, 1, 1], [1, 0, 0], [0, 0.5, 1], [1, 0.5, 0]]
    np.testing.assert_array_equal(curve_array(trust().curves), np.array(expected, np.float32))
