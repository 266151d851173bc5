from types import SimpleNamespace

import torch

from advprop_core.compare.matrix import AttackMatrix
from advprop_core.compare.sweep import Flip, Sweep
from advprop_core.evaluation.conditions import Condition
from advprop_core.evaluation.results import BranchResult
from advprop_core.types import AttackConfig, Prediction
from app.playground import words
from app.playground.matrix import how_measured

NAMES = ("star", "heart", "ring")
PGD = AttackConfig.pgd(16 / 255)


def says(*shares):
    probabilities = torch.tensor(shares)
    return Prediction(probabilities.clamp_min(1e-9).log(), probabilities)


STAR, HEART = says(0.9, 0.05, 0.05), says(0.2, 0.7, 0.1)


def swept(target=None, **flips):
    made = {b: Flip(b, e, None if e == 0 else 0.0, 1) for b, e in flips.items()}
    curve = dict.fromkeys(flips, (STAR, HEART))
    expected = dict.fromkeys(flips, 0)
    return Sweep((0.0, 16 / 255), curve, made, expected, target, 0, "main", 0.05 / 255)


def test_the_radius_of_a_flip_is_rounded_up_so_that_it_still_flips():
    assert words.reachable(3.3125 / 255, "linf") == 3.32
    assert words.reachable(5.45 / 255, "linf") == 5.45
    assert words.reachable(109 * (0.05 / 255), "linf") == 5.45
    assert words.flip_radius(0.42, "l2") == "0.42"


def test_the_flips_in_one_sentence():
    assert words.flips(swept(main=0.8 / 255, aux=5.1 / 255), "linf", NAMES) == (
        "**main** flips to heart at 0.8/255 and **aux** flips to heart at 5.1/255; "
        "searched up to 16/255 (L∞)."
    )
    assert words.flips(swept(main=None), "linf", NAMES) == (
        "**main** keeps its answer; searched up to 16/255 (L∞)."
    )


def test_a_branch_that_is_wrong_already_is_said_to_be():
    assert "**aux** is wrong on the clean picture (at 0: heart)" in words.flips(
        swept(main=None, aux=0.0), "linf", NAMES
    )


def test_the_flips_of_a_targeted_attack():
    found = swept(target=1, main=2 / 255, aux=None, aux2=0.0)
    assert words.flips(found, "linf", NAMES) == (
        "**main** says heart from 2/255, **aux** never says heart and **aux2** says heart on "
        "the clean picture (at 0); searched up to 16/255 (L∞)."
    )


def test_a_sweep_says_how_it_was_made_and_that_it_is_a_bound():
    said = words.how_swept(swept(main=None), PGD, NAMES)
    for part in ("PGD-10, L∞, through main", "2 radii", "0.05/255", "upper bound"):
        assert part in said
    assert "towards ring" in words.attack(AttackConfig.pgd(0.1, target_class=2), None, NAMES)


def test_a_film_says_when_steps_were_left_out():
    whole = SimpleNamespace(steps=(-1, 0, 1, 2), all_steps=2, class_index=0, maps_refused=None)
    said = words.how_filmed(whole, "PGD", "Grad-CAM", NAMES)
    assert said.startswith("PGD. Grad-CAM for the class **star**")
    part = SimpleNamespace(steps=(-1, 0, 50, 100), all_steps=100, class_index=0, maps_refused=None)
    assert "The film shows 3 of 101 pictures" in words.how_filmed(part, "PGD", "Grad-CAM", NAMES)


def matrix(clean, attacked, true_class=0, target=None):
    expected = {b: said.class_index if true_class is None else 0 for b, said in clean.items()}
    return AttackMatrix(clean, attacked, expected, true_class, target)


def test_who_fools_whom():
    clean = {"main": STAR, "aux": STAR}
    cells = {("main", "main"): HEART, ("main", "aux"): STAR,
             ("aux", "main"): STAR, ("aux", "aux"): STAR}  # fmt: skip
    assert words.fooled(matrix(clean, cells), NAMES) == [
        "The attack through **main** fools **main**, not **aux**.",
        "The attack through **aux** fools no branch.",
    ]
    assert words.fooled(matrix(clean, cells, None), NAMES)[0] == (
        "The attack through **main** changes the answer of **main**, not **aux**."
    )
    assert words.fooled(matrix(clean, cells, target=1), NAMES) == [
        "The attack through **main** makes **main** say heart, not **aux**.",
        "The attack through **aux** makes no branch say heart.",
    ]


def test_a_branch_that_is_wrong_already_is_not_fooled():
    cells = {("main", "main"): HEART}
    said = words.fooled(matrix({"main": HEART}, cells), NAMES)
    assert said == ["Every branch is wrong already before the attack through **main**."]


def cell(branch, source, top1):
    condition = Condition(PGD, source) if source else Condition()
    figures = {"n": 100, "top1": top1, "top5": 1.0, "loss": 0.5}
    interval = (top1 - 0.1, top1 + 0.05)
    return BranchResult(branch=branch, condition=condition, interval=interval, **figures)


def test_accuracies_of_many_pictures():
    cells = (cell("main", None, 0.9), cell("aux", None, 0.8), cell("main", "main", 0.25),
             cell("aux", "main", 0.5))  # fmt: skip
    assert words.robustness(cells) == (
        "Accuracy on clean pictures: **main** 90 % and **aux** 80 %; "
        "attacked through **main**: **main** 25 % and **aux** 50 %."
    )


def test_many_pictures_say_how_they_were_measured():
    result = SimpleNamespace(data="shapes", config=PGD, cells=(cell("main", None, 0.9),),
                             unreadable=0, ignored_classes=())  # fmt: skip
    sentence = how_measured(result, "shapes-advprop", NAMES)
    for part in (
        "shapes-advprop on n = 100 drawn scenes it was not trained on",
        "PGD-10",
        "16/255",
        "Wilson",
    ):
        assert part in sentence
    result.data, result.config = "/photos", AttackConfig.fgsm(0.1, target_class=1)
    result.unreadable, result.ignored_classes = 2, ("cat",)
    sentence = how_measured(result, "mine", NAMES)
    for part in ("photos of your folder", "pictures of heart are left out", "2 files", "cat"):
        assert part in sentence
    assert "trained on" not in sentence


def test_whether_a_target_was_reached(make_result):
    result = make_result(main=((0.9, 0.1), (0.2, 0.8)), aux=((0.7, 0.3), (0.6, 0.4)))
    assert words.reached(result, 1, NAMES) == (
        "The target heart was reached on **main** (80 %) and not reached on **aux**, which says "
        "star (heart 40 %)."
    )
