"""Sentences above the charts."""

import numpy as np

from advprop_core.evaluation.paired import pack
from advprop_core.report import sentences
from tests.core.evaluation.rows import attacked, corrupted, make_content, make_row


def headline_of(rows, biases=()):
    return sentences.headline(make_content(rows, shape_bias={"results": biases}))


def test_the_heading_is_about_the_widest_radius():
    rows = [
        make_row("one", "main", 0.9), make_row("two", "main", 0.8), make_row("two", "aux", 0.95),
        attacked("one", "main", 0.3, 1 / 255), attacked("one", "main", 0.1, 2 / 255),
        attacked("two", "main", 0.2, 2 / 255), attacked("two", "aux", 0.6, 2 / 255),
        attacked("two", "aux", 0.1, 0.5, norm="l2"),
    ]  # fmt: skip
    heading, others, clean = headline_of(rows)
    assert heading == (
        "Under PGD-10, the strongest of 2 attacks, at ε = 2/255 (L∞), **aux** of two gets 60 % of "
        "20 images right (50 to 70 %)."
    )
    assert others == "The others: **main** of two 20 % and **main** of one 10 %."
    assert clean.startswith("On clean images: **aux** of two 95 %, **main** of one 90 %")


def test_the_heading_is_about_the_strongest_attack():
    def rows(*radii):
        return [
            attacked("a", "main", 0.5, 2 / 255), attacked("a", "main", 0.3, 4 / 255),
            attacked("a", "main", 0.6, 4 / 255, attack="FGSM"),
            *(attacked("a", "main", 0.2, radius, attack="AutoAttack") for radius in radii),
        ]  # fmt: skip

    strongest = "Under AutoAttack, the strongest of 3 attacks, at ε = "
    assert headline_of(rows(4 / 255))[0].startswith(f"{strongest}4/255")
    # At no radius that all have, it counts as the strongest.
    assert headline_of(rows(1 / 255))[0].startswith(f"{strongest}1/255")
    only = [row for row in rows() if row["condition"]["epsilon"] == 4 / 255]
    assert headline_of(only)[0].startswith("Under PGD-10, the strongest of 2 attacks, at ε = 4/255")


def with_answers(row, right, images="0f"):
    return row | {"right": pack(np.arange(20) < right), "images": images}


def test_the_best_two_are_compared_on_the_same_images():
    first, second, third = (
        attacked("a", branch, top1, 2 / 255)
        for branch, top1 in (("main", 0.6), ("aux", 0.3), ("aux2", 0.2))
    )
    rows = [with_answers(first, 12), with_answers(second, 6)]
    assert sentences.verdict(rows) == (
        "Of the same 20 images, only **main** of a is right on 6, and only **aux** of a is right "
        "on 0: more than chance explains (McNemar's test, p = 0.031)."
    )
    assert "chance alone may explain that (McNemar's test, p = 0.094, corrected for 3 pairs of" in (
        sentences.verdict([*rows, with_answers(third, 4)])
    )
    assert sentences.verdict(rows[:1]) == ""


def test_without_answers_to_each_image_intervals_that_overlap_say_nothing():
    rows = [attacked("a", "main", 0.6, 2 / 255), attacked("a", "aux", 0.5, 2 / 255)]
    assert "does not show whether they differ" in headline_of(rows)[1]
    other = [with_answers(rows[0], 12), with_answers(rows[1], 10, "10")]
    assert "does not show whether they differ" in sentences.verdict(other)


def test_without_an_attack_the_heading_is_about_clean_images():
    rows = [
        make_row("one", "main", 0.9),
        attacked("one", "main", 0.1, 1.0),  # a check without a bound
        attacked("one", "main", 0.8, 2 / 255, attack="noise"),
    ]
    assert headline_of(rows) == [
        "On clean images, **main** of one gets 90 % of 20 images right (80 to 100 %)."
    ]


def test_scenes_whose_texture_is_of_another_class_are_about_the_outline():
    rows = [make_row("a", "main", 0.3), make_row("a", "aux", 0.5)]
    one = {"model": "a", "branch": "main", "shape_bias": 0.4, "interval": [0.3, 0.5]}
    none = one | {"branch": "aux2", "shape_bias": None, "interval": None}
    biased = [one, one | {"branch": "aux", "shape_bias": 0.65}, none]
    assert headline_of(rows, biased) == [
        "Where outline and texture disagree, **aux** of a (65 %) decides by the outline most "
        "often, **main** of a (40 %) least often."
    ]
    assert headline_of(rows, [one, none]) == headline_of(rows)
    more = [*rows, attacked("a", "main", 0.1, 2 / 255)]
    assert headline_of(more, biased) == headline_of(more)


def test_what_each_branch_keeps_through_whom():
    rows = [
        attacked("a", judge, top1, 2 / 255, attack_branch=source)
        for source, judge, top1 in (
            ("main", "main", 0.1),
            ("aux", "main", 0.6),
            ("aux", "aux", 0.5),
        )
    ]
    assert sentences.transfers(rows) == (
        "**main** is right on 10 % (attacked through itself) and 60 % (attacked through aux) and "
        "**aux** is right on 50 % (attacked through itself)."
    )


def test_smallest_radii_with_what_was_never_turned_first():
    one = {"model": "a", "attack": "PGD-10", "norm": "linf", "limit": 16 / 255}
    told = sentences.smallest_radii(
        {
            "results": [
                one | {"branch": "main", "median": 0.0, "interval": [0.0, 1 / 255]},
                one | {"branch": "aux", "median": None, "interval": [8 / 255, None]},
                one | {"branch": "aux2", "median": 2 / 255, "interval": [1 / 255, 3 / 255]},
            ]
        }
    )
    assert told == (
        "Median ε at which PGD-10 fools the branch: **aux** of a above 16/255 (8/255 to "
        "above 16/255), **aux2** of a 2/255 (1/255 to 3/255) and **main** of a 0/255 (0/255 to "
        "1/255), because half are wrong when clean."
    )


def test_shape_biases_leave_out_who_answered_by_neither():
    one = {"model": "a", "branch": "main", "shape_bias": 0.4, "interval": [0.3, 0.5]}
    more = one | {"branch": "aux", "shape_bias": 0.6, "interval": [0.5, 0.7]}
    none = one | {"branch": "aux2", "shape_bias": None, "interval": None}
    assert sentences.shape_biases({"results": [one, more, none]}) == (
        "Shape bias: **aux** of a 60 % (50 to 70 %) and **main** of a 40 % (30 to 50 %)."
    )
    assert (
        sentences.shape_biases({"results": [none]}) == "No branch answered by shape or by texture."
    )


def test_mean_corruption_errors_the_smallest_first():
    rows = [
        {"model": "a", "branch": "main", "error": 0.4, "interval": [0.35, 0.45]},
        {"model": "a", "branch": "aux", "error": 0.3, "interval": [0.25, 0.35]},
    ]
    rows = [one | {"severities": [1, 3], "corruptions": ["fog", "snow"]} for one in rows]
    assert sentences.corruption_errors({"results": rows}, from_files=True).startswith(
        "Mean corruption error over 2 kinds at severity 1 and 3, of published files: **aux** of a"
    )
    assert sentences.corruption_errors({"results": rows}, from_files=False) == (
        "Mean corruption error over 2 kinds at severity 1 and 3, generated here: **aux** of a 30 % "
        "(25 to 35 %) and **main** of a 40 % (35 to 45 %)."
    )


def test_corrupted_images_alone_are_not_called_clean():
    assert headline_of([corrupted("a", "main", 0.5, "fog", 1)]) == []


def test_the_articles_mce_the_smallest_first():
    rows = [{"model": "a", "branch": "main", "mce": 0.9, "interval": [0.8, 1.1]},
            {"model": "b", "branch": "main", "mce": 0.7, "interval": [0.6, 0.8]}]  # fmt: skip
    assert sentences.articles_mce({"results": rows}) == (
        "The mCE of articles, where AlexNet has 100 %: **main** of b 70 % (60 to 80 %) and "
        "**main** of a 90 % (80 to 110 %)."
    )


def test_models_that_were_tested_on_different_images_are_not_ranked():
    rows = [make_row("one", "main", 0.9), make_row("two", "main", 0.5) | {"n": 12}]
    assert headline_of(rows) == [sentences.DIFFERENT_IMAGES]


def test_only_the_names_of_branches_are_emphasised():
    sentence = "**aux** of a_b**c**"
    assert sentences.with_emphasis(sentence, str.upper, "<b>", "</b>") == "<b>aux</b> OF A_B**C**"
