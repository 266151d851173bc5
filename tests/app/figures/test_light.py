"""A figure of a dark page has the colours of a light one in a file."""

import json

import pytest

from advprop_core.evaluation.studies import Gain
from advprop_core.report import plots
from app.figures import robustness
from app.figures.style import TO_DARK, TO_LIGHT, on_page
from tests.core.evaluation.rows import attacked, make_row


def in_light(value):
    """As chart_files.js exchanges colours."""
    if isinstance(value, str):
        return TO_LIGHT.get(value.upper(), value)
    if isinstance(value, list):
        return [in_light(item) for item in value]
    if isinstance(value, dict):
        return {key: in_light(item) for key, item in value.items()}
    return value


@pytest.mark.parametrize(
    "figure",
    [
        robustness.standings([make_row()], [attacked("one", "main", 0.3, 0.1)]),
        robustness.gains([Gain("a", "aux", "clean", 0.5, 0.1, (0.0, 0.2), 3)], {"a": "A"}),
        robustness.difference({("fog", 1): 0.1}),
        plots.reliability(make_row()),
    ],
)
def test_every_colour_of_a_dark_page_has_its_like_on_white(figure):
    dark, light = (json.loads(json.dumps(on_page(figure, dark=dark))) for dark in (True, False))
    assert dark != light
    assert in_light(dark) == light


def test_no_colour_stands_for_two():
    assert {on_dark: on_light for on_light, on_dark in TO_DARK.items()} == TO_LIGHT
    assert len(TO_LIGHT) == len(TO_DARK) == 6
    assert all(colour == colour.upper() for colour in TO_LIGHT)
