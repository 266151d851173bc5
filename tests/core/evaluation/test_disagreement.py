import pytest
import torch

from advprop_core.evaluation.disagreement import disagreement
from advprop_core.evaluation.results import Answers

LABELS = torch.tensor([0, 1, 2, 0, 1])


def answers(said, sure, labels=LABELS):
    predicted = torch.tensor(said, dtype=torch.int32)
    right = predicted == labels
    return Answers(predicted, right, right, torch.tensor(sure), torch.zeros(len(said)))


# Images: 0 both right; 1 main alone; 2 aux alone; 3 both wrong, alike; 4 both wrong, differing.
MAIN = answers([0, 1, 0, 2, 2], [0.9, 0.8, 0.7, 0.99, 0.6])
AUX = answers([0, 0, 2, 2, 0], [0.9, 0.5, 0.95, 0.4, 0.55])
BOTH = {"main": MAIN, "aux": AUX}


def indices(cases):
    return [case.index for case in cases]


def test_images_on_which_branches_differ_the_surest_pair_first():
    found = disagreement(BOTH, LABELS)
    assert found.n == 5
    assert indices(found.differing) == [2, 4, 1]  # the less sure of both: 0.7, 0.55, 0.5
    case = found.differing[0]
    assert case.label == 2
    assert [(o.branch, o.class_index, o.right) for o in case.opinions] == [
        ("main", 0, False),
        ("aux", 2, True),
    ]
    assert [o.confidence for o in case.opinions] == pytest.approx([0.7, 0.95])


def test_the_surest_wrong_answer_comes_first_whoever_gave_it():
    # Image 2: main is wrong and 0.7 sure; that aux is surer, and right, does not count.
    assert indices(disagreement(BOTH, LABELS).wrong) == [3, 2, 4, 1]


def test_what_only_one_branch_gets_right():
    found = disagreement(BOTH, LABELS)
    assert indices(found.alone["main"]) == [1]
    assert indices(found.alone["aux"]) == [2]


def test_a_branch_survives_only_what_nobody_got_wrong_before():
    clean_main = answers([0, 1, 2, 0, 1], [0.9] * 5)
    clean_aux = answers([0, 2, 2, 0, 1], [0.9] * 5)  # wrong of image 1 from the start
    found = disagreement(BOTH, LABELS, {"main": clean_main, "aux": clean_aux})
    assert indices(found.alone["main"]) == []
    assert indices(found.alone["aux"]) == [2]
    assert indices(found.differing) == [2, 4, 1]


def test_of_three_branches_one_alone():
    third = answers([0, 1, 0, 0, 0], [0.9, 0.9, 0.9, 0.3, 0.9])
    found = disagreement({**BOTH, "aux2": third}, LABELS)
    assert {branch: indices(cases) for branch, cases in found.alone.items()} == {
        "main": [],  # aux2 gets image 1 right as well
        "aux": [2],
        "aux2": [3],
    }
    assert indices(found.differing) == [2, 4, 1, 3]


def test_a_single_branch_differs_from_nobody():
    found = disagreement({"main": MAIN}, LABELS)
    assert found.differing == ()
    assert found.alone == {"main": ()}
    assert indices(found.wrong) == [3, 2, 4]


def test_equally_sure_images_keep_their_order():
    alike = {"main": answers([1] * 5, [0.5] * 5), "aux": answers([2] * 5, [0.5] * 5)}
    assert indices(disagreement(alike, LABELS).differing) == [0, 1, 2, 3, 4]
