"""Sentences of the Anatomy page."""

from dataclasses import replace

import pytest
import torch

from advprop_core.anatomy.dial import Blended, Curve, Way
from advprop_core.anatomy.distance import MEASURES, LayerDistance
from advprop_core.anatomy.gap import Gap, GapRow, Score
from advprop_core.anatomy.halves import ENDS, ESTIMATED, NAIVE, MixtureAccuracy
from advprop_core.types import Prediction
from app.anatomy import gap, halves, layers, words
from app.shell.samples import Source

NAMES = ("star", "heart")
SCENES = Source("shapes", "drawn scenes", 100)


def prediction(*shares):
    probabilities = torch.tensor(shares)
    return Prediction(probabilities.clamp_min(1e-9).log(), probabilities)


def test_every_measure_that_can_be_chosen_is_the_librarys_and_explained():
    assert {*words.MEASURES} == {*layers.EXPLAINED} == {*MEASURES}
    assert {*layers.UNITS} <= {*MEASURES}


@pytest.mark.parametrize(
    ("way", "t", "expected"),
    [
        (Way("aux"), 0, "At **main** itself"),
        (Way("aux"), 1, "At **aux** itself"),
        (Way("aux"), 0.5, "At 50 % of the way from **main** to **aux**"),
        (Way("aux", "statistics"), 1,
         "At 100 % of the way from **main** to **aux**, with only mean and variance moving"),
        (Way("aux", "affine", layers=("s1", "s2")), 0.3,
         "At 30 % of the way from **main** to **aux**, with only γ and β in s1 and s2 moving"),
        (Way("aux2", layers=("s1",)), 0.3,
         "At 30 % of the way from **main** to **aux2**, with only what is in s1 moving"),
    ],
)  # fmt: skip
def test_where_the_dial_stands(way, t, expected):
    assert words.place(way, t) == expected


def test_the_dial_names_the_answer_and_the_true_class_it_misses(make_result):
    said = {"clean": prediction(0.9, 0.1), "adversarial": prediction(0.3, 0.7)}
    blend = Blended(Way("aux"), 0.5, said, {})
    sentence = words.dial(make_result(), blend, NAMES)
    assert sentence.endswith(
        "says **star** (90 %) for the clean picture and **heart** (70 %; star, the true class, "
        "30 %) for the perturbed picture."
    )
    assert "true class" not in words.dial(make_result(true_class=None), blend, NAMES)


def test_the_curve_tells_its_ends_and_a_summit_between():
    def line(*shares):
        return torch.tensor([[share, 1 - share] for share in shares])

    found = Curve(
        Way("aux"),
        (0.0, 0.5, 1.0),
        {"clean": line(0.9, 0.8, 0.7), "adversarial": line(0.1, 0.6, 0.5)},
    )
    sentence = words.curve(found, 0, "star", is_true=True)
    assert "**star**, the true class: from 90 % to 70 % on the clean picture, from" in sentence
    assert sentence.endswith("from 10 % to 50 % on the perturbed picture (at most 60 %, at 50 %).")
    assert "the class under attack" in words.curve(found, 0, "star", is_true=False)


def distance(layer, stage, *values):
    changes = {"mean_shift": torch.tensor(values)} if values else {}
    return LayerDistance(layer, stage, max(1, len(values)), changes)


def test_which_layers_differ_most_and_least():
    three = (
        distance("a", "stem", 0.1, -0.1), distance("b", "s1", 1.0, 1.0), distance("c", "s1"),
    )  # fmt: skip
    assert layers.most_different(three, "mean_shift").layer == "b"
    sentence = layers.differing(three, "mean_shift")
    assert "stage **s1** differs most on average (1 σ)" in sentence
    assert "`b` differs most (1 σ) and `a` least (0.1 σ)" in sentence
    assert "no layer differs" in layers.differing(three, "gamma_change")
    assert "no layer differs" in layers.differing([distance("a", "stem", 0.0)], "mean_shift")
    assert "`c` has no values for this measure" in layers.without(three[2], "mean_shift")


def test_channels_in_words():
    sentence = layers.channels(
        distance("a", "stem", 0.1, -0.5, 0.3), "mean_shift", [1, 2, 0], "aux"
    )
    assert "half of its 3 channels differ by less than 0.3 σ; channel 1 differs most (−0.5 σ)" in (
        sentence
    )
    assert sentence.endswith("**aux** has more than main in 2 channels and less in 1.")
    assert "more than main" not in layers.channels(
        distance("a", "stem", 0.1), "mean_shift", [0], "aux"
    )


def test_what_a_network_with_main_alone_is_offered():
    offered = words.offer(replace(SCENES, limit=256), [])
    assert "at most 256 drawn scenes" in offered
    assert "not training" in offered
    without = words.offer(None, [])
    assert "advprop app --images FOLDER" in without
    assert "no photos of known class" in without
    assert "it holds `cats` and `dogs`" in words.offer(None, ["cats", "dogs"])
    said = words.calibrated(200, SCENES)
    assert "calibrated, not trained" in said
    assert "200 drawn scenes" in said


def test_where_mean_and_variance_come_from_is_said():
    estimated = words.statistics(Way("aux", estimated=True), SCENES, [])
    assert "estimated again on 100 drawn scenes" in estimated
    assert "**Misleading.** Only γ and β move" in words.statistics(Way("aux", "affine"), SCENES, [])
    without = words.statistics(Way("aux"), None, ["cats"])
    assert "it holds `cats`" in without
    assert "trap" not in without


# -- the halves ------------------------------------------------------------------------------------


def accuracies():
    """Main's γ and β keep 40 of 100 under attack, aux's 60 or 62; naive swaps break the network."""
    counts = {ENDS[0]: (80, 41), ENDS[1]: (78, 61), NAIVE[0]: (25, 5), NAIVE[1]: (22, 15)}
    counts |= dict(zip(ESTIMATED, [(79, 40), (80, 40), (77, 60), (78, 62)], strict=True))
    return {mixture: MixtureAccuracy(mixture, 100, *row) for mixture, row in counts.items()}


def test_the_verdict_on_halves_follows_from_the_numbers():
    sentence = halves.verdict(accuracies(), "aux", "PGD-10", "photos")
    assert sentence.startswith("On 100 photos under PGD-10: **aux**'s γ and β instead of main's")
    assert "by **+21.0 points**" in sentence  # 61 is the mean of 60 and 62, and main's is 40
    assert "by at most **+2.0 points**" in sentence
    assert "falls from 80 % to 25 % (mean and variance swapped) and to 22 % (γ" in sentence


def test_each_branch_has_a_table_of_four():
    table = halves.table(accuracies(), "aux", "aux")
    assert [(title, row.robust) for title, row in table] == [
        ("as trained", 61), ("of clean pictures", 60), ("of attacked pictures", 62),
        ("main's, naive", 15),
    ]  # fmt: skip
    assert "mean and variance main's, naive: 22 % clean and 15 % attacked" in (
        halves.alt("aux", table)
    )
    assert halves.table(accuracies(), "main", "aux2")[3][0] == "aux2's, naive"
    assert "from 80 % clean and 41 % attacked at **main** to 78 % clean" in (
        halves.line(accuracies(), "aux")
    )


# -- the gap ---------------------------------------------------------------------------------------


def gap_of(alone, front, back, clean=(0.9, 0.9), n=1):
    """From values on perturbed pictures; clean ones stay at main's value until the last row."""

    def rows(names, values):
        return tuple(
            GapRow(name, (), {
                "clean": score(clean[place == len(values) - 1], n), "adversarial": score(value, n)
            })
            for place, (name, value) in enumerate(zip(names, values, strict=True))
        )  # fmt: skip

    return Gap(
        rows={
            "alone": rows((None, "stem", "s1", None), alone),
            "from_stem": rows((None, "stem", "s1"), front),
            "from_head": rows((None, "s1", "stem"), back),
        },
        naive=None,
        by="stage",
        n=n,
    )


def score(share, n):
    return Score(share, round(share * n), n)


def test_one_stage_that_carries_the_gap():
    found = gap_of((0.1, 0.2, 0.7, 0.9), (0.1, 0.2, 0.9), (0.1, 0.7, 0.9))
    assert gap.verdict(found, "aux", "star") == (
        "On the perturbed picture **main** gives **star** 10 % and **aux** 90 %. **s1** alone "
        "closes 75 % of this gap. Half of the gap is closed, and stays closed, with all stages "
        "from the front (up to **s1**) or 1 stage from the back (up to **s1**)."
    )


def test_a_stage_that_does_more_than_the_whole():
    found = gap_of((0.1, 0.2, 0.95, 0.9), (0.1, 0.2, 0.9), (0.1, 0.7, 0.9))
    assert "**s1** alone closes more than this gap." in gap.verdict(found, "aux", "star")


def test_no_single_stage():
    found = gap_of((0.1, 0.2, 0.3, 0.9), (0.1, 0.2, 0.9), (0.1, 0.3, 0.9))
    sentence = gap.verdict(found, "aux", "star")
    assert "No single stage closes half of this gap: **s1** closes most, 25 %" in sentence
    found = gap_of((0.1, 0.1, 0.05, 0.9), (0.1, 0.2, 0.9), (0.1, 0.3, 0.9))
    assert "No single stage closes any" in gap.verdict(found, "aux", "star")


def test_half_of_a_gap_that_comes_and_goes_is_not_made_up_for_good():
    found = gap_of((0.1, 0.8, 0.2, 0.9), (0.1, 0.8, 0.9), (0.1, 0.8, 0.9))
    assert "1 stage from the front" in gap.verdict(found, "aux", "star")
    walk = replace(found, rows=found.rows | {"from_stem": (*found.rows["from_stem"][:2], *[
        replace(found.rows["from_stem"][2], unit=u, scores={"adversarial": score(v, 1)})
        for u, v in (("s1", 0.2), ("s2", 0.9))
    ])})  # fmt: skip
    assert "all stages from the front (up to **s2**)" in gap.verdict(walk, "aux", "star")


def test_no_gap_and_a_gap_on_the_clean_picture_alone():
    still = (0.1, 0.1, 0.1, 0.1), (0.1,) * 3, (0.1,) * 3
    assert "no gap to explain" in gap.verdict(gap_of(*still), "aux", "star")
    found = gap_of(*still, clean=(0.3, 0.9))
    assert gap.verdict(found, "aux", "star").startswith("On the clean picture **main** gives")


def test_many_pictures_are_counted():
    found = gap_of((0.1, 0.2, 0.7, 0.9), (0.1, 0.2, 0.9), (0.1, 0.7, 0.9), n=100)
    sentence = gap.verdict(found, "aux", "star", "drawn scenes")
    assert sentence.startswith(
        "Of 100 perturbed drawn scenes, **main** gets 10 % right and **aux**"
    )
    caption = gap.caption(found, "aux", "PGD attack", "")
    assert "95 % Wilson intervals (n = 100)" in caption
    assert "PGD attack) do not change" in caption
    assert "do not change" not in gap.caption(found, "aux", "", "")
    both = replace(found, naive=found.rows)
    estimated = gap.caption(both, "aux", "", "128 drawn scenes")
    assert "estimated again on 128 drawn scenes" in estimated
    assert "this causes part of every loss" in caption
    assert "clean 90 %, 90 %, 90 %; perturbed 10 %, 20 %, 90 %" in (
        gap.alt(found, "from_stem", "aux")
    )
