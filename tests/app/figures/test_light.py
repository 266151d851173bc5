"""A figure of a dark page has the colours of a light one in a file."""

import json

import pytest

from advprop_core.evaluation.studies import Gain
from advprop_core.report import plots
from app.figures import at_a_glance, robustness
from app.figures.style import FAINT, INK, MUTED, STRIP_SCALES, TO_LIGHT
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
    "draw",
    [
        lambda dark: at_a_glance.standings(
            [make_row()], [attacked("one", "main", 0.3, 0.1)], dark=dark
        ),
        lambda dark: robustness.gains(
            [Gain("a", "aux", "clean", 0.5, 0.1, (0.0, 0.2), 3)], {"a": "A"}, dark=dark
        ),
        lambda dark: robustness.difference({("fog", 1): 0.1}, dark=dark),
        lambda dark: robustness.of_report(plots.reliability(make_row()), dark),
    ],
)
def test_every_colour_of_a_dark_page_has_its_like_on_white(draw):
    dark, light = (json.loads(draw(is_dark).to_json()) for is_dark in (True, False))
    assert dark != light
    assert in_light(dark) == light


def test_no_colour_stands_for_two():
    pairs = [(colours[True], colours[False]) for colours in (INK, FAINT, MUTED)]
    scales = zip(STRIP_SCALES[True], STRIP_SCALES[False], strict=True)
    pairs += [(on_dark, on_light) for (_, on_dark), (_, on_light) in scales]
    assert all(TO_LIGHT[on_dark] == on_light for on_dark, on_light in pairs)
    assert all(colour == colour.upper() for colour in TO_LIGHT)
