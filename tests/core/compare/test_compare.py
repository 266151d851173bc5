import pytest
import timm
import torch
from torch import nn

from advprop_core.attribution import cams, maps
from advprop_core.attribution.errors import NoGradient, Unfit
from advprop_core.attribution.maps import explain
from advprop_core.compare.compare import MapRequest, compare, with_maps
from advprop_core.errors import InputError
from advprop_core.models.dual_bn import PixelNetwork
from advprop_core.pictures.noise import NoiseConfig, add_noise
from advprop_core.types import AttackConfig

PGD = AttackConfig.pgd(8 / 255, steps=4)


@pytest.fixture
def branches(make_dual):
    model = make_dual(auxiliaries=2)
    return {name: model.branch(name) for name in model.branch_names}


@pytest.fixture
def image(pixels):
    return pixels(1, 48)


def run(branches, image, perturbation=PGD, **fields):
    return compare(branches, image, perturbation, **{"attack_branch": "aux", **fields})


def test_the_main_job(branches, image):
    result = run(branches, image, true_class=2, maps=MapRequest())
    cells = [(kind, name) for kind in ("clean", "adversarial") for name in branches]
    assert list(result.predictions) == cells
    assert list(result.maps) == cells
    assert result.branches == ("main", "aux", "aux2")
    assert result.attack_branch == "aux"
    assert result.true_class == result.attacked_class == 2
    assert torch.equal(result.clean, image[0])
    for kind in ("clean", "adversarial"):
        shown = getattr(result, kind)[None]
        for name, branch in branches.items():
            with torch.no_grad():
                expected = branch(shown)[0]
            got = result.predictions[kind, name].logits
            torch.testing.assert_close(got, expected, rtol=1e-4, atol=1e-5)


def test_maps_share_class_and_layer(branches, image):
    result = run(branches, image, true_class=3, maps=MapRequest("grad-cam"))
    assert {m.class_index for m in result.maps.values()} == {3}
    assert {m.layer for m in result.maps.values()} == {"layer2"}
    assert all(m.values.shape == (48, 48) for m in result.maps.values())
    assert all((m.input_kind, m.branch) == cell for cell, m in result.maps.items())
    for (kind, name), found in result.maps.items():
        shown = getattr(result, kind)[None]
        expected = explain(branches[name], shown, 3, "grad-cam", layer="layer2")[0]
        torch.testing.assert_close(found.values, expected, rtol=1e-3, atol=1e-5)
    chosen = run(branches, image, maps=MapRequest("grad-cam", "layer1", 4)).maps
    assert {(m.class_index, m.layer) for m in chosen.values()} == {(4, "layer1")}
    plain = run(branches, image, maps=MapRequest("saliency")).maps
    assert {m.layer for m in plain.values()} == {None}
    assert run(branches, image).maps == {}


@pytest.mark.parametrize("method", ["grad-cam", "layer-cam", "eigen-cam", "score-cam"])
def test_the_pass_that_answers_serves_maps_at_a_named_layer(branches, image, monkeypatch, method):
    request = MapRequest(method, "layer2", "own")
    plain = run(branches, image)
    expected = with_maps(branches, plain, request)
    monkeypatch.setattr(cams, "forward_pass", lambda *_: pytest.fail("there was a pass before"))
    result = run(branches, image, maps=request)
    for cell, drawn in result.maps.items():
        torch.testing.assert_close(drawn.values, expected.maps[cell].values, rtol=1e-3, atol=1e-5)
        answer, alone = result.predictions[cell], plain.predictions[cell]
        torch.testing.assert_close(answer.logits, alone.logits, rtol=1e-4, atol=1e-5)
    assert result.facts.survives_png == plain.facts.survives_png
    assert with_maps(branches, result, request) is result


def test_other_maps_than_those_there_are_are_made(branches, image):
    result = run(branches, image, maps=MapRequest("grad-cam", "layer2", 1))
    for other in (
        MapRequest("layer-cam", "layer2", 1),
        MapRequest("grad-cam", "layer1", 1),
        MapRequest("grad-cam", "layer2", 2),
        MapRequest("smoothgrad", None, 1, seed=1),
    ):
        drawn = with_maps(branches, result, other)
        assert other.is_met_by(drawn) == (other.method != "smoothgrad")  # its seed is not known
        assert not other.is_met_by(result)


def test_a_transformer_is_compared_without_cams_and_says_why():
    network = timm.create_model("vit_tiny_patch16_224", num_classes=3).eval()
    branches = {"main": PixelNetwork(network, (0.5,) * 3, (0.5,) * 3).eval()}
    image = torch.rand(1, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    asked = {"attack_branch": "main", "perturbation": AttackConfig.fgsm(4 / 255)}
    result = compare(branches, image, maps=MapRequest(), **asked)
    assert result.maps == {}
    assert result.maps_refused == (
        "the network has no stage with a spatial map: use a gradient method, or name a layer that "
        "has one: patch_embed.proj"
    )
    plain = compare(branches, image, **asked)
    assert plain.maps_refused is None
    assert result.predictions == plain.predictions
    assert torch.equal(result.adversarial, plain.adversarial)
    drawn = compare(branches, image, maps=MapRequest("saliency"), **asked)
    assert len(drawn.maps) == 2
    assert drawn.maps_refused is None


@pytest.mark.parametrize("refusal", [Unfit, NoGradient])
def test_maps_that_a_method_refuses_are_left_out_with_its_reason(
    branches, image, monkeypatch, refusal
):
    def refuse(question):
        raise refusal("it does not add up")

    monkeypatch.setitem(maps._MAKERS, "deep-lift", refuse)
    result = run(branches, image, maps=MapRequest("deep-lift"))
    assert (result.maps, result.maps_refused) == ({}, "it does not add up")


def test_maps_are_drawn_with_the_seed_of_their_request(branches, image):
    first, again, other = (
        run(branches, image, None, maps=MapRequest("smoothgrad", seed=seed)).maps["clean", "main"]
        for seed in (1, 1, 2)
    )
    assert torch.equal(first.values, again.values)
    assert not torch.equal(first.values, other.values)


@pytest.mark.parametrize("method", ["grad-cam", "occlusion"])
def test_progress_goes_from_attack_to_maps_and_can_stop_either(branches, image, method):
    told: list[float] = []
    run(branches, image, maps=MapRequest(method), progress=told.append)
    assert told == sorted(told)
    assert told[-1] == 1
    attack = max(share for share in told if share <= (0.1 if method == "occlusion" else 0.9))
    assert sum(share > attack for share in told) >= 2

    def stop(share: float) -> None:
        if share > attack:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        run(branches, image, maps=MapRequest(method), progress=stop)


def test_without_a_true_class_the_attack_branchs_own_prediction_is_attacked(branches, image):
    result = run(branches, image, maps=MapRequest())
    own = result.predictions["clean", "aux"].class_index
    assert result.true_class is None
    assert result.attacked_class == own
    assert {m.class_index for m in result.maps.values()} == {own}
    assert result.facts.clean_wrong is None
    assert torch.equal(result.adversarial, run(branches, image, true_class=own).adversarial)


def test_the_attack_follows_the_attack_branch(branches, image):
    results = {
        name: compare(branches, image, PGD, attack_branch=name, true_class=1) for name in branches
    }
    for name, result in results.items():
        drop = {
            other: float(
                r.predictions["clean", name].probabilities[1]
                - r.predictions["adversarial", name].probabilities[1]
            )
            for other, r in results.items()
        }
        assert max(drop, key=drop.get) == name, drop
        assert result.attack_branch == name


def test_no_perturbation(branches, image):
    result = run(branches, image, None, true_class=1, maps=MapRequest())
    assert torch.equal(result.clean, result.adversarial)
    assert result.attack_branch is None
    assert (result.facts.linf, result.facts.l2) == (0, 0)
    for name in branches:
        clean, other = (result.predictions[kind, name] for kind in ("clean", "adversarial"))
        assert torch.equal(clean.logits, other.logits)


def test_noise(branches, image):
    noise = NoiseConfig("gaussian", 0.1, seed=3)
    result = run(branches, image, noise)
    assert torch.equal(result.adversarial, add_noise(image, noise)[0])
    assert result.attack_branch is None


class Threshold(nn.Module):
    """Class 1 where the mean pixel lies above a value; not learnt, so that facts are literal."""

    def __init__(self, value):
        super().__init__()
        self.value = value

    def forward(self, x):
        score = (x.mean((1, 2, 3)) - self.value) * 100
        return torch.stack([-score, score], 1)


def test_facts_literal():
    """0.5 → 0.25 everywhere: L∞ 1/4, L2 1/4·√12; 63.75 rounds to 64, above a fine threshold."""
    branches = {"main": Threshold(0.2505).eval(), "aux": Threshold(0.4).eval()}
    image = torch.full((1, 3, 2, 2), 0.5)
    result = compare(branches, image, AttackConfig.fgsm(0.25), attack_branch="main", true_class=1)
    facts = result.facts
    assert facts.linf == 0.25
    assert facts.l2 == pytest.approx(0.25 * 12**0.5)
    assert (facts.low, facts.high) == (0.25, 0.25)
    assert dict(facts.survives_png) == {"main": False, "aux": True}
    assert facts.clean_wrong == {"main": False, "aux": False}
    wrong = compare(branches, image, None, attack_branch="main", true_class=0).facts.clean_wrong
    assert wrong == {"main": True, "aux": True}


def test_results_are_detached_and_their_own(branches, image):
    result = run(branches, image, maps=MapRequest())
    tensors = [
        result.clean,
        result.adversarial,
        *(m.values for m in result.maps.values()),
        *(p.logits for p in result.predictions.values()),
    ]
    assert not any(tensor.requires_grad for tensor in tensors)
    before = result.clean.clone()
    image.zero_()
    assert torch.equal(result.clean, before)


def test_same_request_same_result(branches, image):
    one, two = (run(branches, image, maps=MapRequest("smoothgrad")) for _ in range(2))
    assert torch.equal(one.adversarial, two.adversarial)
    for cell, found in one.maps.items():
        assert torch.equal(found.values, two.maps[cell].values)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"attack_branch": "adv"}, "attack_branch must be one of main, aux, aux2, got 'adv'"),
        ({"true_class": 6}, r"true_class must lie in \[0, 5\], got 6"),
        ({"true_class": -1, "perturbation": None}, "true_class"),
        ({"perturbation": AttackConfig.fgsm(0.1, target_class=6)}, "target_class"),
        ({"maps": MapRequest(class_index=6)}, "class_index"),
        ({"maps": MapRequest(layer="nowhere")}, "no layer 'nowhere'"),
        ({"maps": MapRequest("saliency", layer="layer1")}, "Saliency has no layer"),
    ],
)
def test_refusals(branches, image, fields, words):
    with pytest.raises(ValueError, match=words):
        run(branches, image, **fields)


def test_maps_of_each_branchs_own_answer(branches, pixels):
    """Main's and aux's answers to both pictures are what their maps explain."""
    result = run(branches, pixels(1), maps=MapRequest(class_index="own"))
    assert {cell: drawn.class_index for cell, drawn in result.maps.items()} == {
        cell: prediction.class_index for cell, prediction in result.predictions.items()
    }
    for (kind, name), drawn in result.maps.items():
        alone = run(branches, pixels(1), maps=MapRequest(class_index=drawn.class_index)).maps
        assert torch.allclose(drawn.values, alone[kind, name].values, atol=1e-6)


def test_a_film_has_one_class():
    with pytest.raises(InputError, match="class_index must not be own"):
        MapRequest(class_index="own").class_of_all(3)


def test_a_map_request_validates_itself():
    with pytest.raises(ValueError, match="method must be one of grad-cam"):
        MapRequest("lime")


def test_one_image_at_a_time(branches, pixels):
    with pytest.raises(ValueError, match="one image, got 2"):
        run(branches, pixels(2), NoiseConfig("gaussian", 0.1))
