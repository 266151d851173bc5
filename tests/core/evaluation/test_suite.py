import json

import pytest
import torch
from torch import nn

import advprop_core
from advprop_core.attacks.autoattack import AutoAttackConfig
from advprop_core.evaluation.cells import TestedModel
from advprop_core.evaluation.conditions import Condition
from advprop_core.evaluation.intervals import wilson_interval
from advprop_core.evaluation.store import CellStore
from advprop_core.evaluation.suite import Suite, attack_conditions
from advprop_core.evaluation.suite import evaluate as evaluate_suite
from advprop_core.pictures.corruptions import CorruptionConfig
from advprop_core.types import AttackConfig

FGSM = AttackConfig.fgsm(0.1)
LEVELS = torch.linspace(0.05, 0.95, 10)


def evaluate(model, images, labels, conditions, *, branches=(), photos=None, **options):
    tested = TestedModel("one", model, images, labels, tuple(branches), photos)
    return evaluate_suite(Suite([tested], conditions), **options).results


def test_accuracies_of_a_hand_made_model(model, images):
    results = evaluate(model, *images, (Condition(), Condition(FGSM)))
    assert [(r.branch, r.condition.kind) for r in results] == [
        ("main", "clean"),
        ("aux", "clean"),
        ("main", "attack"),
        ("aux", "attack"),
    ]
    # Attacked by 0.1, main loses 0.45 and 0.55; aux is wrong on 0.55 and 0.65, then on 0.75 too.
    assert [r.top1 for r in results] == [1.0, 0.8, 0.8, 0.7]
    assert [r.top5 for r in results] == [1.0] * 4
    assert [r.n for r in results] == [10] * 4
    assert results[0].interval == wilson_interval(10, 10)
    scores = 10 * (images[0][:, 0, 0, 0].float() / 255 - 0.5)
    logits = torch.stack([torch.zeros(10), scores], 1)
    expected = nn.functional.cross_entropy(logits, images[1]).item()
    assert results[0].loss == pytest.approx(expected, rel=1e-5)


def test_white_box_unless_an_attack_branch_is_named(make_dual, pixels):
    model = make_dual()
    images = (pixels(24) * 255).byte()
    with torch.no_grad():
        labels = model.branch("main")(images.float() / 255).argmax(1)
    white = evaluate(model, images, labels, [Condition(FGSM)])
    assert [r.condition.attack_branch for r in white] == ["main", "aux"]
    transfer = evaluate(model, images, labels, [Condition(FGSM, "main")])
    assert [r.condition.attack_branch for r in transfer] == ["main", "main"]
    assert transfer[0] == white[0]
    assert transfer[1].loss < white[1].loss


def test_only_the_branches_asked_for(model, images):
    results = evaluate(model, *images, [Condition(FGSM, "aux")], branches=["main"])
    assert [(r.branch, r.condition.attack_branch) for r in results] == [("main", "aux")]


def test_the_size_of_batches_does_not_matter(model, images):
    whole = evaluate(model, *images, (Condition(), Condition(FGSM)))
    done = []
    parts = evaluate(
        model,
        *images,
        (Condition(), Condition(FGSM)),
        batch_size=3,
        progress=lambda *args: done.append(args),
    )
    assert [r.top1 for r in parts] == [r.top1 for r in whole]
    assert [r.loss for r in parts] == pytest.approx([r.loss for r in whole])
    # Clean, through main and through aux: each image counts three times.
    assert done == [(n, 30) for n in (3, 6, 9, 10, 13, 16, 19, 20, 23, 26, 29, 30)]


def test_top5_counts_the_five_best(make_dual, pixels):
    model = make_dual()
    images = (pixels(40) * 255).byte()
    with torch.no_grad():
        logits = model.branch("main")(images.float() / 255)
    labels = logits.argsort(1, descending=True)[torch.arange(40), torch.arange(40) % 6]
    (result,) = evaluate(model, images, labels, [Condition()], branches=["main"])
    assert result.top1 == pytest.approx(7 / 40)
    assert result.top5 == pytest.approx(34 / 40)


def test_json_form(model, images):
    how = AttackConfig.pgd(2 / 255, steps=10)
    clean, attacked = (
        evaluate(model, *images, [condition], branches=["aux"])[0].to_json()
        for condition in (Condition(), Condition(how, "main"))
    )
    assert set(clean) == {
        *("branch", "condition", "n", "top1", "top5", "loss"),
        *("interval", "top5_interval", "loss_interval"),
    }
    assert clean["condition"] == {"kind": "clean"}
    assert clean["top1"] == 0.8
    condition = attacked["condition"]
    assert condition["kind"] == "attack"
    assert condition["attack"] == "PGD-10"
    assert condition["epsilon"] == pytest.approx(0.00784, abs=1e-5)
    assert condition["attack_branch"] == "main"
    assert (condition["norm"], condition["steps"]) == ("linf", 10)
    low, high = attacked["interval"]
    assert 0 <= low < attacked["top1"] < high <= 1
    assert json.loads(json.dumps(attacked)) == attacked


def test_the_model_is_left_as_it_was(model, images):
    state = {key: value.clone() for key, value in model.state_dict().items()}
    evaluate(model, *images, [Condition(FGSM)])
    assert all(torch.equal(state[key], value) for key, value in model.state_dict().items())
    assert all(p.grad is None for p in model.parameters())


def test_corruptions_are_made_on_the_photos(model, photos):
    images, labels = torch.zeros(10, 3, 4, 4, dtype=torch.uint8), (LEVELS > 0.5).long()
    bright = Condition(corruption=CorruptionConfig("brightness", 1))
    results = evaluate(model, images, labels, [bright], photos=photos)
    # 0.1 brighter, main is wrong on 0.45; aux on 0.55 alone, for 0.65 lies at 0.75.
    assert [(r.branch, r.top1) for r in results] == [("main", 0.9), ("aux", 0.9)]
    condition = {"kind": "corruption", "corruption": "brightness", "severity": 1}
    assert results[0].to_json()["condition"] == condition
    with pytest.raises(ValueError, match="pass photos"):
        evaluate(model, images, labels, [bright])


@pytest.mark.parametrize("kind", ["gaussian_noise", "snow", "elastic_transform"])
def test_a_corrupted_image_does_not_depend_on_its_batch(kind, model, photos):
    images, labels = torch.zeros(10, 3, 4, 4, dtype=torch.uint8), (LEVELS > 0.5).long()
    noisy = [Condition(corruption=CorruptionConfig(kind, 5, seed=3))]
    whole = evaluate(model, images, labels, noisy, photos=photos)
    parts = evaluate(model, images, labels, noisy, photos=photos, batch_size=3)
    assert [one.loss for one in parts] == pytest.approx([one.loss for one in whole], rel=1e-5)
    back = evaluate(model, images.flip(0), labels.flip(0), noisy, photos=photos.flip(0))
    assert [one.loss for one in back] == pytest.approx([one.loss for one in whole], rel=1e-5)


def test_refusals(model, images, make_dual):
    pixels, labels = images
    with pytest.raises(ValueError, match="network has no branch"):
        evaluate(model, pixels, labels, [Condition()], branches=["aux2"])
    with pytest.raises(ValueError, match="network has no branch"):
        evaluate(model, pixels, labels, [Condition(FGSM, "aux2")])
    with pytest.raises(ValueError, match="eval mode"):
        evaluate(make_dual().train(), pixels, labels, [Condition()])


def test_logits_that_are_not_finite_are_no_accuracy(model, images):
    model.branch("aux").network.norm.weight.data.fill_(torch.nan)
    with pytest.raises(ValueError, match="finite"):
        evaluate(model, *images, [Condition()])


def test_the_search_is_counted_with_the_sweep(model, images):
    suite = Suite([TestedModel("one", model, *images)], smallest=AttackConfig.pgd(0.3, steps=2))
    done = []
    evaluation = evaluate_suite(suite, progress=lambda *at: done.append(at))
    assert [search.branch for search in evaluation.radii] == ["main", "aux"]
    # Ten clean images, and twenty searches that count as ten attacks each.
    assert done == [(10, 210), (110, 210), (210, 210)]


def test_what_was_measured_before_is_taken_from_the_store(model, images, tmp_path):
    suite = Suite([TestedModel("one", model, *images)], smallest=AttackConfig.pgd(0.3, steps=2))
    stores = [CellStore(tmp_path, {"one": "digest"}) for _ in range(2)]
    first, again = (evaluate_suite(suite, store=store) for store in stores)
    assert [store.reused for store in stores] == [0, 4]
    assert again.results == first.results
    assert again.radii == first.radii


def test_autoattack_on_few_classes_is_refused_before_the_work(model, images, make_info):
    info = make_info(class_ids=("a", "b"), class_names=("a", "b"))
    tested = TestedModel("one", model, *images, info=info)
    with pytest.raises(ValueError, match="one has 2"):
        Suite([tested], [Condition(AutoAttackConfig())])


def test_checks_of_gradients_follow_the_attacks():
    attacks = [AttackConfig.pgd(0.1, steps=2), FGSM]
    found = attack_conditions(attacks, "aux", restarts=3, sanity=True)
    assert [(c.attack.name, c.attack_branch, c.restarts) for c in found] == [
        ("PGD-2", "aux", 3), ("FGSM", "aux", 1), ("noise", None, 1), ("PGD-20", None, 1)
    ]  # fmt: skip


def test_the_public_face_is_enough_for_an_evaluation():
    models = {"shapes": advprop_core.open_model("shapes-advprop")}
    attack = advprop_core.Condition(advprop_core.AttackConfig.pgd(8 / 255, steps=2))
    suite = advprop_core.Suite.open(models, "shapes", (advprop_core.Condition(), attack), limit=14)
    results = advprop_core.evaluate(suite).results
    assert [(one.branch, one.condition.kind, one.n) for one in results] == [
        ("main", "clean", 14), ("aux", "clean", 14), ("main", "attack", 14), ("aux", "attack", 14)
    ]  # fmt: skip
    assert results[0].top1 > results[2].top1
