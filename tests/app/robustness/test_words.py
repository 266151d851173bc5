"""Sentences above the charts."""

from advprop_core.evaluation.disagreement import Case, Opinion
from app.robustness import words
from app.robustness.measurement import RunRequest
from app.shell import messages
from tests.core.evaluation.rows import attacked, corrupted, make_content, make_row


def test_the_heading_is_about_the_widest_radius_of_the_first_attack():
    rows = [
        make_row("one", "main", 0.9), make_row("two", "main", 0.8), make_row("two", "aux", 0.95),
        attacked("one", "main", 0.3, 1 / 255), attacked("one", "main", 0.1, 2 / 255),
        attacked("two", "main", 0.2, 2 / 255), attacked("two", "aux", 0.6, 2 / 255),
        attacked("two", "aux", 0.7, 4 / 255, attack="FGSM"),
    ]  # fmt: skip
    heading, others, clean = words.headline(rows)
    assert heading == (
        "Under PGD-10 at ε = 2/255 (L∞), **aux** of two keeps 60 % of 20 images right (50 to 70 %)."
    )
    assert others == "The others: **main** of two 20 % and **main** of one 10 %."
    assert clean.startswith("On clean images: **aux** of two 95 %, **main** of one 90 %")


def test_intervals_that_overlap_are_said():
    rows = [attacked("a", "main", 0.6, 2 / 255), attacked("a", "aux", 0.5, 2 / 255)]
    assert "overlap" in words.headline(rows)[1]


def test_without_an_attack_the_heading_is_about_clean_images():
    rows = [
        make_row("one", "main", 0.9),
        attacked("one", "main", 0.1, 1.0),  # a check without a bound
        attacked("one", "main", 0.8, 2 / 255, attack="noise"),
    ]
    assert words.headline(rows) == [
        "On clean images, **main** of one gets 90 % of 20 images right (80 to 100 %)."
    ]


def test_scenes_whose_texture_is_of_another_class_are_about_the_outline():
    rows = [make_row("a", "main", 0.3), make_row("a", "aux", 0.5)]
    one = {"model": "a", "branch": "main", "shape_bias": 0.4, "interval": [0.3, 0.5]}
    none = one | {"branch": "aux2", "shape_bias": None, "interval": None}
    biased = [one, one | {"branch": "aux", "shape_bias": 0.65}, none]
    assert words.headline(rows, biased) == [
        "Where outline and texture disagree, **aux** of a (65 %) goes by the outline most often, "
        "**main** of a (40 %) least."
    ]
    assert words.headline(rows, [one, none]) == words.headline(rows)
    more = [*rows, attacked("a", "main", 0.1, 2 / 255)]
    assert words.headline(more, biased) == words.headline(more)


def test_a_plan_says_all_that_is_measured():
    request = RunRequest(
        ("a", "b"), "shapes", 20, ("pgd", "fgsm"), radii=(1 / 255, 2 / 255), steps=5, restarts=3,
        through_each=True, sanity=True, severities=(1, 3), probed=True, limit=16 / 255,
    )  # fmt: skip
    assert words.plan(request, "Drawn scenes") == (
        "a and b on up to 20 images (drawn scenes): clean, under PGD-5 and FGSM at ε = 1/255 and "
        "2/255 (L∞) with 3 restarts of PGD through each branch, under noise and without a bound, "
        "to check the gradients, under 15 corruptions at severity 1 and 3, under probes and at "
        "the smallest ε up to 16/255 that turns each (PGD-5)."
    )


def test_what_each_branch_keeps_through_whom():
    rows = [
        attacked("a", judge, top1, 2 / 255, attack_branch=source)
        for source, judge, top1 in (
            ("main", "main", 0.1),
            ("aux", "main", 0.6),
            ("aux", "aux", 0.5),
        )
    ]
    assert words.harm(rows) == (
        "**main** keeps 10 % through itself and 60 % through aux and **aux** keeps 50 % through "
        "itself."
    )


def test_smallest_radii_with_what_was_never_turned_first():
    one = {"model": "a", "attack": "PGD-10", "norm": "linf", "limit": 16 / 255}
    told = words.smallest(
        [
            one | {"branch": "main", "median": 0.0, "interval": [0.0, 1 / 255]},
            one | {"branch": "aux", "median": None, "interval": [8 / 255, None]},
            one | {"branch": "aux2", "median": 2 / 255, "interval": [1 / 255, 3 / 255]},
        ]
    )
    assert told == (
        "The ε at which PGD-10 has turned half of the images: **aux** of a above 16/255 (8/255 to "
        "above 16/255), **aux2** of a 2/255 (1/255 to 3/255) and **main** of a 0/255 (0/255 to "
        "1/255), for half are wrong before."
    )


def test_shape_biases_leave_out_who_answered_by_neither():
    one = {"model": "a", "branch": "main", "shape_bias": 0.4, "interval": [0.3, 0.5]}
    more = one | {"branch": "aux", "shape_bias": 0.6, "interval": [0.5, 0.7]}
    none = one | {"branch": "aux2", "shape_bias": None, "interval": None}
    assert words.biases([one, more, none]) == (
        "Shape bias: **aux** of a 60 % (50 to 70 %) and **main** of a 40 % (30 to 50 %)."
    )
    assert words.biases([none]) == "No branch answered by shape or by texture."


def test_a_gain_over_corruptions():
    first = [
        corrupted("a", "main", 0.5, "fog", 1),
        corrupted("a", "main", 0.5, "snow", 3),
    ]
    second = [
        corrupted("a-b", "aux", 0.7, "fog", 1),
        corrupted("a-b", "aux", 0.4, "snow", 3),
    ]
    assert words.gain(first, second) == (
        "**aux** of a-b is right 5.0 points more often than **main** of a on average; the gain is "
        "largest at fog, severity 1 (+20), smallest at snow, severity 3 (−10)."
    )
    assert "points less often" in words.gain(second, first)
    assert words.gain(first, [corrupted("b", "main", 0.5, "rain", 1)]) is None


def test_points():
    assert [words.points(share) for share in (0.1, 0.004, -0.001, -0.055)] == [
        "+10",
        "0",
        "0",
        "−6",
    ]


def test_mean_corruption_errors_the_smallest_first():
    rows = [
        {"model": "a", "branch": "main", "error": 0.4, "interval": [0.35, 0.45]},
        {"model": "a", "branch": "aux", "error": 0.3, "interval": [0.25, 0.35]},
    ]
    rows = [one | {"severities": [1, 3], "corruptions": ["fog", "snow"]} for one in rows]
    assert words.corrupted(rows, from_files=True).startswith(
        "Mean corruption error over 2 kinds at severity 1 and 3, of published files: **aux** of a"
    )
    assert words.corrupted(rows, from_files=False) == (
        "Mean corruption error over 2 kinds at severity 1 and 3, generated here: **aux** of a 30 % "
        "(25 to 35 %) and **main** of a 40 % (35 to 45 %)."
    )


def test_corrupted_images_alone_are_not_called_clean():
    assert words.headline([corrupted("a", "main", 0.5, "fog", 1)]) == []


def test_the_articles_mce_the_smallest_first():
    rows = [{"model": "a", "branch": "main", "mce": 0.9, "interval": [0.8, 1.1]},
            {"model": "b", "branch": "main", "mce": 0.7, "interval": [0.6, 0.8]}]  # fmt: skip
    assert words.articles_mce(rows) == (
        "The articles' mCE, of which AlexNet has 100 %: **main** of b 70 % (60 to 80 %) and "
        "**main** of a 90 % (80 to 110 %)."
    )


def test_foreign_names_are_no_markdown():
    heading = words.headline([make_row("![x](http://e)", "main", 0.5)])[0]
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
