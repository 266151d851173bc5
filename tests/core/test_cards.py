from dataclasses import replace

from advprop_core import bundle
from advprop_core.cards import describe_condition, model_card
from advprop_core.header import read_info


def test_a_card_says_what_the_header_says():
    for name, path in bundle.bundled_models().items():
        info = bundle.open_model(name).info
        card = model_card(info)
        assert path.with_suffix(".md").read_text() == card, "make it again: assets/make_models.py"
        assert card.startswith(f"# {name}\n")
        assert info.recipe["command"] in card
        for metric in info.metrics:
            assert f"| {metric['branch']} | {describe_condition(metric['condition'])}" in card
            assert f"{metric['top1']:.1%}" in card


def test_conditions_in_words():
    attack = {"kind": "attack", "attack": "PGD-10", "norm": "l2", "epsilon": 0.5}
    assert describe_condition(attack) == "robust accuracy, PGD-10, L2 ε = 0.5"
    assert describe_condition({"kind": "clean"}) == "clean accuracy"


def test_a_card_says_what_the_auxiliary_branches_were_shown():
    info = read_info(bundle.bundled_models()["shapes-advprop"])
    three = {"main": "trained", "aux": "trained", "aux2": "trained"}
    several = replace(
        info, branches=three, recipe={**info.recipe, "auxiliaries": ["1/255", "gaussian:0.1"]}
    )
    assert "aux was shown 1/255, aux2 was shown gaussian:0.1." in model_card(several)
    fast = {**info.recipe, "objective": "fast-advprop", "adversarial_share": 0.2}
    assert "20% of the images were attacked." in model_card(replace(info, recipe=fast))
