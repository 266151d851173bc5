import math
import random
from dataclasses import fields, replace

import pytest

from advprop_core.attribution.methods import METHODS
from app.shell import state
from app.shell.state import BOUNDS, DEFAULTS, VERSION, View, decode, encode

CHOICES = {
    "perturbation": ("pgd", "i-fgsm", "fgsm", "gaussian", "poisson", "salt-and-pepper", "none"),
    "regions": ("", "1.2.3.4", "0.0.1000.1_999.999.1.1"),
    "norm": ("linf", "l2"),
    "method": tuple(METHODS),
    **{
        name: state._CHOICES[name]
        for name in ("moved", "measure", "gap_by", "fill", "studio", "ball")
    },
}
ODD_TEXTS = ("", "shapes-advprop", "folder:a b/ü&=?#%.jpg", "upload:0f", "日本", "n03028079", "1")


def random_view(draw: random.Random) -> View:
    """Any view a link may hold; half of its fields keep their defaults."""
    values = {}
    for field in fields(View):
        default = getattr(View(), field.name)
        if draw.random() < 0.5:
            continue
        if isinstance(default, tuple):
            known = state._CHOICES.get(field.name, ("s1", "s2.b1", "s3"))
            values[field.name] = tuple(draw.sample(known, draw.randint(0, 3)))
        elif field.name in CHOICES:
            values[field.name] = draw.choice(CHOICES[field.name])
        elif isinstance(default, bool):
            values[field.name] = draw.random() < 0.5
        elif isinstance(default, int):
            values[field.name] = draw.randint(*map(int, BOUNDS[field.name]))
        elif isinstance(default, float):
            low, high = BOUNDS[field.name]
            some = (low, high, 0.1, 1 / 3, draw.uniform(low, high))
            values[field.name] = min(draw.choice(some), high)
        else:
            values[field.name] = draw.choice(ODD_TEXTS)
    return View(**values)


@pytest.mark.parametrize("seed", range(200))
def test_every_view_survives_its_link(seed):
    view = random_view(random.Random(seed))
    assert decode(encode(view)) == (view, [])


def test_lists_in_a_link():
    assert encode(View(maps=("saliency", "cam")))["maps"] == "saliency,cam"
    assert decode({"v": "1", "maps": ""})[0].maps == ()
    most = tuple(METHODS)[: state.MOST_MAPS]
    assert decode(encode(View(maps=most))) == (View(maps=most), [])
    seven = ",".join(tuple(METHODS)[: state.MOST_MAPS + 1])
    for bad in ("saliency,saliency", "saliency,grad", "saliency,", seven):
        view, complaints = decode({"v": "1", "maps": bad})
        assert view == View()
        assert f"maps = `{bad[:40]}" in complaints[0]


def test_link_of_the_defaults_holds_the_version_alone():
    assert encode(View()) == {"v": "1"}
    assert encode(View(epsilon=8.0, expert=True)) == {"v": "1", "epsilon": "8", "expert": "1"}


def test_an_address_without_parameters_shows_the_pages_own_default():
    own = View(model="mine")
    assert decode({}, own) == (own, [])
    assert decode({"epsilon": "2"}, own) == (replace(own, epsilon=2.0), [])


def test_a_link_of_ours_does_not_depend_on_the_pages_own_default():
    assert decode({"v": "1"}, View(model="mine")) == (View(), [])


def test_an_old_link_keeps_the_defaults_of_its_version(monkeypatch):
    newer = replace(View(), epsilon=2.0, method="saliency")
    monkeypatch.setattr(state, "VERSION", 2)
    monkeypatch.setitem(DEFAULTS, 2, newer)
    assert decode({"v": "1", "steps": "20"}) == (View(steps=20), [])
    assert decode({"v": "2", "steps": "20"}) == (replace(newer, steps=20), [])
    # Written anew, the old view says what the newer defaults would change.
    assert encode(View(steps=20)) == {
        "v": "2", "steps": "20", "epsilon": "4", "method": "grad-cam",
    }  # fmt: skip


@pytest.mark.parametrize("version", ["99", "0", "-1", "", "one", "²", "1.0", "9" * 5000])
def test_unknown_version_is_said_and_the_default_shown(version):
    own = View(model="mine")
    view, complaints = decode({"v": version, "epsilon": "2"}, own)
    assert view == own
    (sentence,) = complaints
    assert "version" in sentence
    assert len(sentence) < 150


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("epsilon", "nan"), ("epsilon", "inf"), ("epsilon", "-1"), ("epsilon", "16.1"),
        ("epsilon", "4/255"), ("radius", "NaN"), ("severity", "0.51"), ("severity", "-inf"),
        ("steps", "0"), ("steps", "101"), ("steps", "2.5"), ("steps", "1" * 5000),
        ("step_size", "1e999"), ("seed", "-1"), ("seed", "10000"), ("opacity", "101"),
        ("expert", "yes"), ("expert", ""), ("norm", "l1"), ("perturbation", "rm"),
        ("method", "horoscope"), ("steps", ""),
    ],
)  # fmt: skip
def test_what_cannot_be_is_left_out_and_said(name, text):
    view, complaints = decode({"v": "1", name: text, "image": "scene:3"})
    assert view == View(image="scene:3")
    (sentence,) = complaints
    assert name in sentence
    assert len(sentence) < 150


def test_every_number_has_bounds_that_refuse_what_is_no_number():
    numbers = [f.name for f in fields(View) if type(getattr(View(), f.name)) in (int, float)]
    assert set(numbers) == set(BOUNDS)
    for name in numbers:
        for text in ("nan", "inf", "-inf", str(BOUNDS[name][1] + 1), str(BOUNDS[name][0] - 1)):
            with pytest.raises(ValueError):  # noqa: PT011 (its words are decode's)
                state._read(name, text)
        assert math.isfinite(getattr(DEFAULTS[VERSION], name))


def test_parameters_of_others_are_no_concern():
    assert decode({"v": "1", "utm_source": "mail", "embed": "true"}) == (View(), [])


def test_a_links_markdown_has_no_effect_in_a_complaint():
    (sentence,) = decode({"v": "1", "steps": "![x](http://evil.example/x.png)"})[1]
    assert "`![x](http://evil.example/x.png)`" in sentence
    (sentence,) = decode({"v": "1", "steps": "`![x](//e.example)"})[1]
    assert sentence.count("`") == 2
