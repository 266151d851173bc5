"""The Playground beside checkpoint files that cannot be used, and on them alone."""


def test_the_playground_works_beside_damaged_files(visit_with, damaged, tiny_models):
    person = visit_with(*damaged.values(), tiny_models["tiny-advprop"], model="tiny-advprop")
    person.assert_whole()
    assert not person.errors
    # Only its header was read until now: the damage shows when it is loaded.
    assert person.widget("model").options == ["truncated", "tiny-advprop"]
    before = person.result
    person.choose(model="truncated")
    assert not person.at.exception
    assert "truncated" in person.errors[0]
    person.assert_whole()
    assert person.result is before
    person.choose(model="tiny-advprop").assert_whole()
    assert not person.errors


def test_a_damaged_file_as_the_only_network(visit_with, damaged):
    person = visit_with(damaged["truncated"])
    assert not person.at.exception
    assert "Choose another" in person.errors[0]
    assert "being loaded" not in person.text
    person = visit_with(damaged["empty"])
    assert not person.at.exception
    assert "No network is here" in person.errors[0]
