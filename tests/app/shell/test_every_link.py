"""A link opens the view that wrote it, whatever was chosen: field by field, and on the pages."""

from dataclasses import replace

import pytest

from app.anatomy.view import AnatomyView
from app.influence.view import InfluenceView
from app.maps.view import MapsView
from app.playground.view import PlaygroundView
from app.robustness.view import RobustnessView
from app.shell.links import decode, encode
from app.shell.state import key
from app.shell.view import View, rules
from app.transfer.view import TransferView
from app.visualise.view import VisualiseView
from tests.app.visiting import chosen

PAGES = {"playground": PlaygroundView, "maps": MapsView, "anatomy": AnatomyView,
         "robustness": RobustnessView, "transfer": TransferView,
         "influence": InfluenceView, "visualise": VisualiseView}  # fmt: skip
WIDGETS = ("selectbox", "multiselect", "slider", "number_input", "toggle", "button_group",
           "text_input")  # fmt: skip
_TEXTS = ("", "a", "a b", "a,b", "50%", "ε = 4/255", "x&y=z", "0", "1.0", "wide.bn.1")
_REGIONS = ("", "ellipse 0.5 0.5 0.1 0.1")


def values_of(page: type[View], name: str):
    """Every value of a field, or where there are too many its ends and what may go wrong."""
    rule = rules(page)[name]
    kind, limits = type(rule.default), rule.metadata
    if kind is bool:
        return [False, True]
    if kind is tuple:
        options = [*limits.get("titles", ("a", "b,c", "%2C"))]
        most = limits.get("most") or len(options)
        return [(), *((option,) for option in options), tuple(options)[:most]]
    if "bounds" in limits:
        low, high = limits["bounds"]
        middle = low + (high - low) / 3
        return [low, high, kind(middle), rule.default]
    if "titles" in limits:
        return [*limits["titles"]]
    return [""] if "check" in limits else [*_TEXTS]


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_every_value_of_every_field_comes_back(page):
    for name in rules(page):
        for value in values_of(page, name):
            view = replace(page(), **{name: value})
            assert decode(encode(view), page()) == (view, []), (name, value)


def controls(person):
    """The widgets of the page's view that can be moved."""
    fields = {key(name) for name in rules(type(chosen(person)))}
    return [
        widget
        for kind in WIDGETS
        for widget in person.at.get(kind)
        if widget.key in fields and not getattr(widget, "disabled", False)
    ]


def other_values(widget):
    """What may be chosen besides what is: of many options the first, one between and the last."""
    if widget.type in ("slider", "number_input"):
        return [widget.min, widget.max]
    if widget.type in ("toggle",):
        return [not widget.value]
    if widget.type == "text_input":
        return []
    options = list(range(len(widget.options)))
    return [*dict.fromkeys((options[0], options[len(options) // 2], options[-1]))]


def move(person, widget, value):
    if widget.type == "selectbox":
        widget.select_index(value)
    elif widget.type == "multiselect":
        widget.set_value([widget.options[value]])
    elif widget.type == "button_group":
        several = isinstance(widget.value, list)
        widget.set_value([widget.options[value]] if several else widget.options[value])
    else:
        widget.set_value(value)
    return person.run()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("page", "more"),
    [
        ("maps", {"maps": "saliency"}),
        ("anatomy", {"looked_into": "Where do they differ?", "dial": "0"}),
        ("anatomy", {"looked_into": "Which layers carry the gap?", "dial": "0"}),
        ("robustness", {"results": "run", "corrupted": "1"}),
        ("playground", {"studio": "matrix"}),
    ],
)
def test_what_a_control_writes_into_the_link_opens_again(visit, page, more):
    link = {"v": "3", "model": "tiny-advprop", "image": "scene:2", "steps": "1", "expert": "1"}
    path = f"app/{page}/page.py"
    person = visit(**link, **more).turn_to(path)
    assert not person.at.exception, person.at.exception
    names = [widget.key for widget in controls(person)]
    assert len(names) > 5
    for name in names:
        for place in range(3):
            widget = next((one for one in controls(person) if one.key == name), None)
            choices = [] if widget is None else other_values(widget)
            if place >= len(choices):
                continue
            move(person, widget, choices[place])
            written = dict(person.at.query_params)
            view, complaints = decode(written, type(chosen(person))())
            assert complaints == [], (name, choices[place])
            assert view == chosen(person), (name, choices[place])
    again = visit(**dict(person.at.query_params)).turn_to(path)
    assert chosen(again) == chosen(person)
    assert again.at.session_state["complaints"] == []
