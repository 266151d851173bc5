"""Sentences above the charts."""

from advprop_core.evaluation.disagreement import Case, Opinion
from advprop_core.report.sentences import headline
from app.robustness import words
from app.robustness.measurement import RunRequest
from app.shell import messages
from tests.core.evaluation.rows import corrupted, make_content, make_row


def test_a_plan_says_all_that_is_measured():
    request = RunRequest(
        ("a", "b"), "shapes", 20, ("pgd", "fgsm"), radii=(1 / 255, 2 / 255), steps=5, restarts=3,
        through_each=True, sanity=True, severities=(1, 3), probed=True, limit=16 / 255,
    )  # fmt: skip
    assert words.plan(request, "Drawn scenes") == (
        "a and b on up to 20 images (drawn scenes): clean, under PGD-5 and FGSM at ε = 1/255 and "
        "2/255 (L∞) with 3 restarts of PGD through each branch, under noise and with no limit on "
        "ε, to check the gradients, under 15 corruptions at severity 1 and 3, under probes and for "
        "the smallest ε up to 16/255 that fools each branch (PGD-5)."
    )


def test_a_gain_over_corruptions():
    first = [
        corrupted("a", "main", 0.5, "fog", 1),
        corrupted("a", "main", 0.5, "snow", 3),
    ]
    second = [
        corrupted("a-b", "aux", 0.7, "fog", 1),
        corrupted("a-b", "aux", 0.4, "snow", 3),
    ]
    gains = words.corruption_gains(first, second)
    assert words.gain(gains, "**main** of a", "**aux** of a-b") == (
        "**aux** of a-b against **main** of a: +5.0 points on average, "
        "from snow, severity 3 (−10) to fog, severity 1 (+20)."
    )
    assert words.corruption_gains(first, [corrupted("b", "main", 0.5, "rain", 1)]) == {}


def test_foreign_names_are_no_markdown():
    rows = [make_row("![x](http://e)", "main", 0.5)]
    heading = messages.emphasised(headline(make_content(rows))[0])
    assert "\\!\\[x\\]\\(http\\://e\\)" in heading
    assert "![x](http://e)" in messages.plain(heading)


def test_what_branches_say_of_an_image():
    one = Case(3, 0, (Opinion("main", 1, 0.91, False), Opinion("aux", 0, 0.6, True)))
    assert words.case(one, ["fish", "star"]) == (
        "fish  \n:material/close: **main** star 91\u00a0%  \n"
        ":material/check: **aux** fish 60\u00a0%"
    )
    assert words.case_alt(one, ["fish", "star"]) == (
        "An image of fish: main says star 91 % and aux says fish 60 %"
    )


def test_where_figures_come_from_and_what_to_know_of_it():
    found = make_content([make_row(), make_row() | {"n": 12}], notes=["photos were *enlarged*"])
    assert words.source(found) == (
        r"n = 12 to 20 images of shapes, seed 0. Photos were \*enlarged\*."
    )
    assert words.source(make_content([make_row()])) == "n = 20 images of shapes, seed 0."
