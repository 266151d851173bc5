from dataclasses import replace

from advprop_core.models import bundle
from advprop_core.models.cards import describe_condition, model_card
from advprop_core.models.header import read_info
from advprop_core.text import percent_in_tenths


def test_a_card_says_what_the_header_says():
    for name, path in bundle.bundled_models().items():
        info = bundle.open_model(name).info
        card = model_card(info)
        assert path.with_suffix(".md").read_text() == card, "make it again: assets/make_models.py"
        assert card.startswith(f"# {name}\n")
        assert info.recipe.get("command", info.recipe.get("source", "")[1:]) in card
        for metric in info.metrics:
            assert f"| {metric['branch']} | {describe_condition(metric['condition'])}" in card
            assert percent_in_tenths(metric["top1"]) in card


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


def test_a_card_tells_the_attacks_that_were_made():
    info = read_info(bundle.bundled_models()["shapes-advprop"])
    assert "; its adversarial images: L∞ ε = 4/255, 1 step of 4/255." in model_card(info)

    def told(*shown):
        recipe = {**info.recipe, "auxiliaries": list(shown)}
        return model_card(replace(info, recipe=recipe))

    each = "images: L∞ ε = 1/255, 1 step of 1/255 and L∞ ε = 8/255, 1 step of 8/255; aux was shown"
    assert each in told("1/255", "8/255", "fog:3")
    assert "adversarial images" not in told("gaussian:0.1")


def test_a_card_says_how_many_images_fast_advprop_attacked():
    info = read_info(bundle.bundled_models()["shapes-advprop"])
    fast = {**info.recipe, "objective": "fast-advprop", "adversarial_share": 0.2}
    assert "20 % of the images were attacked." in model_card(replace(info, recipe=fast))
