"""Which class a word means."""

import unicodedata

import pytest

from advprop_core.models.class_names import (
    are_indices,
    are_the_same,
    distinct_names,
    find_class,
    match_classes,
)

CLASSES = (("n1", "English springer"), ("n2", "crane"), ("n3", "crane"), ("n4", "Church"))


def named(*names: str) -> tuple[tuple[str, str], ...]:
    return tuple((name, name) for name in names)


@pytest.mark.parametrize(
    ("word", "index"),
    [("n3", 2), ("N3", 2), ("English springer", 0), ("english_SPRINGER", 0), ("crane", None),
     ("Crane", None), (" church ", 3), ("3", 3), ("4", None), ("-1", None), ("9" * 5000, None)],
)  # fmt: skip
def test_a_class_is_found_by_id_by_a_name_of_its_own_or_by_index(word, index):
    assert find_class(CLASSES, word) == index


def test_names_that_differ_in_case_or_underscores_are_different_classes():
    letters = named("A", "a", "a b", "a_b")
    assert match_classes(letters, ["a_b", "a b", "a", "A"]) == {"A": 0, "a": 1, "a b": 2, "a_b": 3}
    assert find_class(letters, "A_B") is None


def test_a_folded_name_counts_only_where_no_other_word_means_the_class():
    assert match_classes(named("cat", "dog"), ["cat", "Cat", "DOG"]) == {"cat": 0, "DOG": 1}
    assert match_classes(named("cat", "dog"), ["CAT", "Cat", "dog"]) == {"dog": 1}


@pytest.mark.parametrize(("classes", "word"), [("NFC", "NFD"), ("NFD", "NFC")])
def test_both_spellings_of_unicode_are_one_name(classes, word):
    names = named(unicodedata.normalize(classes, "été"), "hiver")
    assert find_class(names, unicodedata.normalize(word, "été")) == 0
    assert find_class(names, unicodedata.normalize(word, "ÉTÉ")) == 0


def test_half_characters_are_compared_by_how_they_are_written():
    assert find_class(named("caf\udce9", "bar"), "caf\\udce9") == 0
    assert find_class(named("caf\\udce9", "bar"), "caf\udce9") == 0


def test_numbers_are_indices_only_if_no_class_is_named_so_and_there_are_enough():
    letters = named(*"abcdefghijkl")
    assert match_classes(letters, ["0", "1", "10"]) == {"0": 0, "1": 1, "10": 10}
    assert match_classes(letters, ["00", "01", "10"]) == {"00": 0, "01": 1, "10": 10}
    assert match_classes(letters, ["0", "12"]) == {}
    assert match_classes(letters, ["0", "dog"]) == {}
    assert match_classes(letters, ["1", "01"]) == {}
    assert match_classes(named("1", "0"), ["0", "1"]) == {"1": 0, "0": 1}
    assert are_indices(letters, ["0", "10"])
    assert not are_indices(named("0", "1"), ["0", "1"])


def test_classes_of_two_networks_are_the_same_by_id_or_name():
    assert are_the_same((("n1", "tench"),), (("tench", "Tench"),))
    assert are_the_same(named("English springer"), named("english_springer"))
    assert not are_the_same(named("0"), named("tench"))
    assert not are_the_same(named("a"), named("a", "b"))


def test_equal_names_are_told_apart():
    assert [*distinct_names(CLASSES).values()] == [
        "English springer", "crane (n2)", "crane (n3)", "Church"
    ]  # fmt: skip
