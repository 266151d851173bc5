"""What is said of the halves of the norm is what was measured."""

import json
from pathlib import Path

import pytest

from advprop_core.anatomy.halves import MIXTURES, NAIVE, by_pair
from advprop_core.cli.networks import calibrate, export
from app.anatomy.words import CALIBRATED_GAIN

REPO = Path(__file__).parents[2]
CONTENT = json.loads((REPO / "assets" / "results" / "norm-halves.json").read_text("utf-8"))


def share(counts, kind):
    return f"{100 * counts[kind] / counts['n']:.1f} %"


@pytest.mark.parametrize("text", [CALIBRATED_GAIN, calibrate.__doc__], ids=["app", "command"])
def test_where_calibration_is_offered_its_gain_is_said(text):
    (row,) = (
        row
        for row in CONTENT["calibrated"]
        if (row["model"], row["affine_epochs"]) == ("imagenette-vanilla", 0)
    )
    said = " ".join(text.split())
    assert (
        f"imagenette-vanilla gets {share(row['main'], 'robust')} right and its calibrated" in said
    )
    assert f"branch {share(row['aux'], 'robust')}" in said


def test_the_command_says_what_a_naive_swap_costs():
    rows = by_pair(CONTENT)["imagenette-advprop", "aux"]
    lowest = min(rows[mixture].share("clean") for mixture in NAIVE)
    assert f"to {100 * lowest:.0f} % on clean photos" in " ".join(export.__doc__.split())


def test_every_pair_has_every_mixture_and_the_same_count():
    for rows in by_pair(CONTENT).values():
        assert {*rows} == {*MIXTURES}
        assert len({accuracy.n for accuracy in rows.values()}) == 1
