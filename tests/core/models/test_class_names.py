"""Which class a word means."""

from advprop_core.models.class_names import classes_by_name, distinct_names

CLASSES = (("n1", "English springer"), ("n2", "crane"), ("n3", "crane"), ("n4", "Church"))


def test_a_class_is_found_by_id_or_by_a_name_of_its_own():
    known = classes_by_name(CLASSES)
    assert known["n3"] == 2
    assert known["english_springer"] == 0
    assert "crane" not in known


def test_equal_names_are_told_apart():
    assert [*distinct_names(CLASSES).values()] == [
        "English springer", "crane (n2)", "crane (n3)", "Church"
    ]  # fmt: skip
