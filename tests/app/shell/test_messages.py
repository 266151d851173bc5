import pytest
import torch

from advprop_core.types import AttributionMap
from app.shell import messages

NAMES = ("star", "heart")
SURE, UNSURE = (0.9, 0.1), (0.4, 0.35)
LOW = (0.1, 0.09, 0.09, 0.09, 0.09, *[0.54 / 15] * 15)
"""Of twenty classes: even five together are less than half."""


@pytest.mark.parametrize(
    ("fields", "heading", "answers"),
    [
        ({}, "main was fooled; aux kept its answer.",
         "**main** star 90 % → heart 80 %  \n**aux** star 70 % → star 60 %"),
        ({"main": (SURE, SURE), "aux": (SURE, SURE)}, "main and aux kept their answers.",
         "**main** star 90 % → star 90 %  \n**aux** star 90 % → star 90 %"),
        ({"main": ((0.1, 0.9),) * 2, "aux": ((0.2, 0.8),) * 2},
         "main and aux were wrong before and stay so.",
         "**main** heart 90 % → heart 90 %  \n**aux** heart 80 % → heart 80 %"),
        ({"main": (SURE, (0.2, 0.8)), "aux": (SURE, (0.3, 0.7)), "true_class": None},
         "main and aux changed their answers.",
         "**main** star 90 % → heart 80 %  \n**aux** star 90 % → heart 70 %"),
        ({"main": (SURE, (0.1, 0.9)), "true_class": 1},
         "main was wrong before and is now right.", "**main** star 90 % → heart 90 %"),
        ({"main": (SURE, (0.1, 0.9)), "true_class": 2},
         "main was wrong before and changed its answer.", "**main** star 90 % → heart 90 %"),
        ({"main": (SURE, SURE), "change": 0.0}, "Nothing was changed.", "**main** star 90 %"),
    ],
)  # fmt: skip
def test_the_verdict_says_what_happened_to_whom(make_result, fields, heading, answers):
    said, moves = messages.verdict(make_result(**fields), NAMES)
    assert said == heading
    assert "  \n".join(f"**{branch}** {move}" for branch, move in moves.items()) == answers


@pytest.mark.parametrize(
    ("target", "aim"), [(1, "heart, which main says"), (0, "star, which aux says")]
)
def test_the_verdict_says_what_the_attack_aimed_at(make_result, target, aim):
    said, _ = messages.verdict(make_result(), NAMES, target)
    assert said == f"main was fooled; aux kept its answer. The attack aimed at {aim}."
    nobody, _ = messages.verdict(make_result(), (*NAMES, "ring"), 2)
    assert nobody.endswith("aimed at ring, which no branch says.")
    unchanged, _ = messages.verdict(make_result(change=0.0), NAMES, target)
    assert unchanged == "Nothing was changed."


def test_quoted_text_is_one_short_line_of_code():
    assert messages.quote("a\n`b`\tc") == "`a b c`"
    assert messages.quote("") == "` `"
    assert messages.quote("x" * 99) == f"`{'x' * 40}…`"


def test_foreign_names_have_no_power_over_a_page():
    assert messages.tame("![x](https://e.example/x.png)") == "!［x］(https://e.example/x.png)"
    assert messages.tame("<b>*a*</b>\n $x$ ~~y~~ `z`") == "‹b›∗a∗‹/b› ＄x＄ ∼∼y∼∼ ˋzˋ"
    assert messages.tame("cock-of-the-rock (bird), 2.5 %") == "cock-of-the-rock (bird), 2.5 %"


def test_class_names_of_a_checkpoint_can_be_shown(tiny_info_of):
    info = tiny_info_of(class_ids=("a", "b"), class_names=("<script>", " "))
    assert messages.tamed(info).class_names == ("‹script›", "–")
    assert messages.tamed(info).class_ids == ("a", "b")


def test_what_is_read_out_has_no_marks():
    assert messages.plain("**main** at `s1` flips \\*now\\*") == "main at s1 flips *now*"


def test_a_photo_of_something_unknown_is_labelled_so(make_result, tiny_info_of):
    result = make_result(main=(UNSURE, SURE), aux=((0.3, 0.45), SURE), true_class=None)
    sentence = messages.unfamiliar(result, tiny_info_of())
    assert "at most 45 %" in sentence
    assert "never learnt, the network may be poorly trained" in sentence
    assert tiny_info_of().class_names[0] in sentence
    assert "and more" not in sentence


def test_no_label_where_one_branch_is_sure_or_right(make_result, tiny_info_of):
    info = tiny_info_of()
    sure = make_result(main=(UNSURE, UNSURE), aux=((0.5, 0.4), UNSURE), true_class=None)
    assert messages.unfamiliar(sure, info) is None
    right = make_result(main=(UNSURE, UNSURE), aux=((0.3, 0.45), SURE), true_class=0)
    assert messages.unfamiliar(right, info) is None


def test_a_class_that_somebody_says_makes_no_network_surer(make_result, tiny_info_of):
    info = tiny_info_of()
    result = make_result(main=(UNSURE, UNSURE), true_class=1)
    sentence = messages.unfamiliar(result, info)
    assert f"at most 40 %), and none says {info.class_names[1]}." in sentence
    assert "never learnt" not in sentence, "it has that class"


def test_many_classes_are_not_all_listed(make_result, tiny_info_of):
    many = tuple(f"class {i}" for i in range(20))
    info = tiny_info_of(class_ids=many, class_names=many)
    result = make_result(main=(LOW, LOW), aux=(LOW, LOW), true_class=None)
    sentence = messages.unfamiliar(result, info)
    assert "class 11 and 8 more" in sentence
    assert "class 12" not in sentence
    assert "one of 20 classes" in messages.learnt(info, True)


def test_of_many_classes_five_may_share_the_answer(make_result, tiny_info_of):
    """Kinds of one animal do; a picture of nothing known leaves all of them low."""
    many = tuple(f"class {i}" for i in range(20))
    info = tiny_info_of(class_ids=many, class_names=many)
    kinds = (0.12, 0.11, 0.1, 0.1, 0.1, *[0.47 / 15] * 15)
    assert messages.unfamiliar(make_result(main=(kinds, kinds), true_class=None), info) is None
    result = make_result(main=(LOW, LOW), aux=(LOW, LOW), true_class=None)
    assert "any five (at most 46 %)" in messages.unfamiliar(result, info)


def test_a_move_to_a_class_that_was_likely_before_is_told_from_a_far_one(make_result, tiny_info_of):
    many = tuple(f"class {i}" for i in range(20))
    info = tiny_info_of(class_ids=many, class_names=many)
    rest = [0.005] * 17
    clean = (0.6, 0.3, 0.015, *rest)
    close, far = (0.1, 0.8, 0.015, *rest), (0.1, 0.015, *rest, 0.8)
    result = make_result(main=(clean, close), aux=(clean, far), true_class=None)
    assert messages.close_classes(result, info) == [
        "Before the attack, class 1 was already answer number 2 of main (30 %), so a small change "
        "was enough."
    ]
    same = make_result(main=(clean, clean), aux=(clean, clean), true_class=None)
    assert messages.close_classes(same, info) == []
    few = make_result(true_class=None)  # moves between two classes
    assert messages.close_classes(few, tiny_info_of()) == []


def test_what_the_network_can_answer_and_the_tick(tiny_info_of):
    info = tiny_info_of()
    assert info.class_names[-1] in messages.learnt(info, False)
    assert "✓" in messages.learnt(info, True)
    assert "✓" not in messages.learnt(info, False)


def test_the_caption_of_maps_names_class_layer_and_scale():
    values = torch.zeros(2, 2)
    shown = AttributionMap(values, "grad-cam", "main", "clean", 0, "layer4")
    caption = messages.map_caption([shown], NAMES)
    assert "layer `layer4`" in caption
    assert "**star**" in caption
    assert "colour scale, which ends at the 99th percentile" in caption
    shown = AttributionMap(values, "integrated-gradients", "main", "clean", 0, None)
    caption = messages.map_caption([shown], NAMES)
    assert "layer" not in caption


def test_maps_of_different_classes_say_which_each_explains():
    maps = [
        AttributionMap(torch.zeros(2, 2), "grad-cam", branch, kind, index)
        for branch, kind, index in (("main", "clean", 0), ("aux", "adversarial", 1))
    ]
    caption = messages.map_caption(maps, NAMES)
    assert "for the class below each map, which is the answer of its branch" in caption


def test_a_weak_map_is_said_to_be():
    strengths = {"main": 1.0, "aux": 0.1, "aux2": 0.3, "aux3": 0.0}
    maps = {
        ("clean", branch): AttributionMap(torch.full((4, 4), -s), "saliency", branch, "clean", 0)
        for branch, s in strengths.items()
    }
    assert messages.faint_maps(maps) == [
        "The map of aux3 on the clean picture is 0 everywhere.",
        "The map of aux on the clean picture is weak: 10 % of that of main on the clean picture.",
    ]


def test_a_map_of_nothing_is_said(make_result):
    zeros, some = [[0.0, 0.0]], [[0.0, 1.0]]
    maps = {
        ("clean", "main"): some, ("clean", "aux"): zeros,
        ("adversarial", "main"): zeros, ("adversarial", "aux"): some,
    }  # fmt: skip
    (sentence,) = messages.faint_maps(make_result(maps=maps).maps)
    assert "maps of aux on the clean picture and main on the perturbed picture are 0" in sentence
    assert messages.faint_maps(make_result().maps) == []


def test_an_answer_that_stays_but_is_far_less_sure_is_told_from_one_that_holds(make_result):
    sure, unsure = (0.9, 0.1), (0.44, 0.3)
    result = make_result(main=(sure, unsure), aux=(sure, unsure), true_class=0)
    assert (
        messages.verdict(result, NAMES)[0]
        == "main and aux kept their answers, but are far less sure."
    )
    result = make_result(main=(sure, (0.46, 0.3)), aux=(sure, unsure), true_class=0)
    assert (
        messages.verdict(result, NAMES)[0]
        == "main kept its answer; aux kept its answer, but is far less sure."
    )


def test_an_attack_through_one_branch_is_said_to_be_one(make_result):
    through_aux = messages.one_attack(make_result(attack_branch="aux"))
    assert through_aux == "The attack was made against aux alone."
    assert messages.one_attack(make_result(attack_branch=None)) == ""


# -- honesty -------------------------------------------------------------------------------------


def honesty(result, info):
    return " ".join(messages.honesty(result, info))


def test_honesty_says_who_was_attacked_and_which_class(make_result, tiny_info_of):
    name = tiny_info_of().class_names[0]
    known = honesty(make_result(attack_branch="aux"), tiny_info_of())
    assert "gradient of **aux**" in known
    assert f"{name}, its true class" in known
    unknown = honesty(make_result(true_class=None), tiny_info_of())
    assert "what that branch said" in unknown
    assert "gradient" not in honesty(make_result(attack_branch=None), tiny_info_of())


def test_honesty_says_what_a_png_would_lose_and_who_was_wrong_before(make_result, tiny_info_of):
    clean_facts = honesty(make_result(), tiny_info_of())
    assert "8 bits" not in clean_facts
    assert "wrong before" not in clean_facts
    result = make_result(
        main=((0.1, 0.9), SURE), aux=(SURE, SURE), survives={"main": True, "aux": False}
    )
    text = honesty(result, tiny_info_of())
    assert "gets another answer from aux" in text
    assert "main was wrong before" in text


def test_two_branches_wrong_before_are_spoken_of_in_the_plural(make_result, tiny_info_of):
    wrong = ((0.1, 0.9), (0.1, 0.9))
    assert "main and aux were wrong before" in honesty(
        make_result(main=wrong, aux=wrong), tiny_info_of()
    )


def test_a_branch_that_was_not_trained_is_never_passed_off_as_one(make_result, tiny_info_of):
    for origin, words in (
        ("copied", "**aux** was not trained: a copy of main."),
        ("calibrated", "**aux** was not trained: its statistics were re-estimated"),
        ("adapted", "**aux** was trained alone: its norm layers only"),
    ):
        assert words in honesty(
            make_result(), tiny_info_of(branches={"main": "trained", "aux": origin})
        )
    assert "**aux** was" not in honesty(make_result(), tiny_info_of())


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, ""),
        (2.0, ", a few seconds left"),
        (44.0, ", about 40 seconds left"),
        (99.0, ", about 2 minutes left"),
        (400.0, ", about 7 minutes left"),
    ],
)
def test_the_time_left_in_words(seconds, text):
    assert messages.time_left(seconds) == text
