"""What the tests of the Anatomy page look at."""

from app.anatomy.words import PARTS

ANATOMY = "app/anatomy/page.py"
DIAL = ["curve", "bars.clean", "bars.adversarial"]
LAYERS = ["profile", "channels"]
HALF, WHERE, WHICH = PARTS
STAGES = [f"gap.here.{order}" for order in ("alone", "from_stem", "from_head")]


def assert_whole(person, more=()):
    """The dial is complete, and what the open tab shows."""
    assert not person.at.exception, person.at.exception
    assert not person.errors
    assert person.charts == [f"anatomy.{name}" for name in (*DIAL, *more)]
    for chart in person.at.get("plotly_chart"):
        assert len(chart.proto.alt) > 20, chart.key


def look_into(person, part):
    person.at.session_state["view.looked_into"] = part
    return person.run()
