import pytest

from advprop_core.errors import InputError
from advprop_core.text import did_you_mean, ends, exact_radius, join, parse_radius, percent, radius


@pytest.mark.parametrize(
    ("text", "value"),
    [("4/255", 4 / 255), (" 4 / 255 ", 4 / 255), ("0.5", 0.5), ("1", 1.0), ("1e-2", 0.01)],
)
def test_a_radius_is_read_as_people_write_it(text, value):
    assert parse_radius(text) == value


@pytest.mark.parametrize(
    "text", ["", "x", "4/", "/255", "1/0", "1/2/3", "nan", "inf", "1e400", "1e999999999", "4:255"]
)
def test_a_radius_that_is_no_number_is_named(text):
    with pytest.raises(InputError, match="fraction such as 4/255") as caught:
        parse_radius(text)
    assert repr(text) in str(caught.value)


@pytest.mark.parametrize(
    ("value", "norm", "text"),
    [
        (4 / 255, "linf", "4/255"),
        (0.0, "linf", "0/255"),
        (1.0, "linf", "255/255"),
        (0.05, "linf", "12.75/255"),
        (0.8125 / 255, "linf", "0.812/255"),
        (0.5, "l2", "0.5"),
        (128 / 255, "l2", "0.502"),
        (1000.0, "l2", "1000"),
        (0.00012, "l2", "0.00012"),
    ],
)
def test_a_radius_is_written_in_the_unit_of_its_norm(value, norm, text):
    assert radius(value, norm) == text


@pytest.mark.parametrize("value", [4 / 255, 0.1, 0.0123, 1 / 3, 1.0, 0.0])
def test_an_exact_radius_is_read_back(value):
    assert parse_radius(exact_radius(value)) == value


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (0.0, "0 %"),
        (0.001, "<1 %"),
        (1 / 200, "1 %"),
        (0.934, "93 %"),
        (199 / 200, ">99 %"),
        (0.9999, ">99 %"),
        (1.0, "100 %"),
    ],
)
def test_percent_keeps_its_side_of_the_edge(share, words) -> None:
    assert percent(share) == words


@pytest.mark.parametrize(
    ("interval", "words"),
    [
        ((0.5, 0.7), ("50", "70")),
        ((0.0, 1.0), ("0", "100")),
        ((0.9956, 0.9985), ("99.6", "99.9")),
        ((0.0, 0.0019), ("0.0", "0.2")),
        ((0.611, 0.614), ("61.1", "61.4")),
    ],
)
def test_ends_of_an_interval_do_not_meet(interval, words) -> None:
    assert ends(interval) == words


@pytest.mark.parametrize(
    ("words", "sentence"), [([], ""), (["a"], "a"), (["a", "b"], "a and b"), ("abc", "a, b and c")]
)
def test_words_are_joined(words, sentence):
    assert join(words) == sentence


@pytest.mark.parametrize(
    ("name", "choices", "hint"),
    [
        ("pdg", ["pgd", "fgsm"], "Did you mean pgd?"),
        ("aux1", ["main", "aux", "aux2"], "Did you mean aux or aux2?"),
        ("x", ["pgd", "fgsm"], "Choose from pgd, fgsm."),
        ("x", map(str, range(100, 120)), "Choose from 100, 101, 102, 103, 104, 105, 106, 107, 108, "
         "109, 110, 111 and 8 more."),
        ("x", [], "There is none."),
    ],
)  # fmt: skip
def test_a_wrong_name_gets_its_near_matches(name, choices, hint):
    assert did_you_mean(name, choices) == hint


def test_no_norm_passes_for_another():
    with pytest.raises(KeyError, match="l1"):
        radius(0.5, "l1")
