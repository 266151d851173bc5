import json
import math
from dataclasses import replace

import pytest
import torch

from advprop_core.evaluation import smallest_epsilon
from advprop_core.evaluation.cells import TestedModel
from advprop_core.evaluation.inputs import Workshop
from advprop_core.evaluation.intervals import wilson_interval
from advprop_core.evaluation.smallest_epsilon import (
    measure_smallest,
    smallest_epsilons,
    summed_up,
)
from advprop_core.evaluation.store import CellStore
from advprop_core.types import AttackConfig

FGSM = AttackConfig.fgsm(0.32)


@pytest.fixture
def subject(model, images):
    return TestedModel("one", model, *images, model.branch_names)


def of(*epsilons):
    return summed_up("one", "main", FGSM, epsilons)


def test_each_radius_is_found_as_by_hand(subject):
    """Main calls bright what lies above 0.5, so an image at 0.5 ± d is turned by d."""
    main, aux = measure_smallest(subject, FGSM)
    levels = (subject.images[:, 0, 0, 0].double() / 255).tolist()
    for level, found in zip(levels, main.epsilons, strict=True):
        needed = abs(level - 0.5)
        if needed > 0.32:
            assert found is None
        else:
            assert needed * (1 - 1e-4) <= found <= max(needed * 1.033, needed + 0.32 / 512)
    # Aux is wrong on 0.55 and 0.65, which main's labels call bright.
    assert [found == 0 for found in aux.epsilons] == [False] * 5 + [True] * 2 + [False] * 3
    assert (main.wrong, aux.wrong) == (0.0, 0.2)
    assert main.never == 0.4
    assert (main.model, main.branch, main.attack, main.limit) == ("one", "main", "FGSM", 0.32)


def test_the_attack_succeeds_there_and_not_much_below(dual, pixels):
    branch = dual.branch("aux")
    clean = pixels(4)
    with torch.no_grad():
        labels = branch(clean).argmax(1)
    pgd = AttackConfig.pgd(24 / 255, steps=3, seed=2)
    radii = smallest_epsilons(branch, clean, labels, pgd)
    assert radii.dtype == torch.float64
    assert radii.isfinite().all()
    alone = [smallest_epsilons(branch, clean[i : i + 1], labels[i : i + 1], pgd) for i in range(4)]
    torch.testing.assert_close(torch.cat(alone), radii, rtol=0.04, atol=0)
    stronger = smallest_epsilons(branch, clean, labels, AttackConfig.pgd(24 / 255, steps=10))
    assert stronger.mean() <= radii.mean()


def test_median_and_interval_by_ranks():
    hundred = of(*(i / 1000 for i in range(1, 101)))
    assert hundred.median == pytest.approx(0.0505)
    # The 40th and the 61st of a hundred.
    assert hundred.interval == (0.04, 0.061)
    assert of(0.0, 0.1, 0.3).median == 0.1
    assert of(0.0, 0.1, 0.3).interval == (0.0, 0.3)


@pytest.mark.parametrize(("n", "low", "high"), [(6, 1, 6), (10, 2, 9), (20, 6, 15), (100, 40, 61)])
def test_ranks_of_the_median_are_those_of_the_tables(n, low, high):
    """Exact binomial: the largest rank that at most 2.5 % of samples exceed on either side."""
    assert of(*(float(rank) for rank in range(1, n + 1))).interval == (low, high)


def test_the_interval_holds_the_median_as_often_as_it_says():
    generator = torch.Generator().manual_seed(0)
    draws = torch.rand(1000, 60, generator=generator)
    held = [low <= 0.5 <= high for low, high in (of(*row).interval for row in draws.tolist())]
    assert 0.93 <= sum(held) / 1000 <= 0.99


def test_what_lies_above_the_limit_is_none():
    most = of(0.0, 0.1, math.inf, math.inf, math.inf)
    assert most.median is None
    assert most.interval == (0.0, None)
    assert most.epsilons == (0.0, 0.1, None, None, None)
    assert (most.wrong, most.never, most.n) == (0.2, 0.6, 5)
    assert most.wrong_interval == wilson_interval(1, 5)
    assert most.never_interval == wilson_interval(3, 5)
    assert type(most).model_validate_json(json.dumps(most.model_dump(), allow_nan=False)) == most
    assert of(0.1, math.inf).median is None


def test_batches_progress_and_what_is_kept(subject, tmp_path, monkeypatch):
    digests, told = {"one": "digest"}, []
    whole = measure_smallest(subject, FGSM)
    store = CellStore(tmp_path, digests)
    parts = measure_smallest(
        subject, FGSM, Workshop(batch_size=4, store=store), progress=lambda *at: told.append(at)
    )
    assert parts == whole
    assert told == [(n, 20) for n in (4, 8, 10, 14, 18, 20)]
    assert store.reused == 0
    monkeypatch.setattr(smallest_epsilon, "smallest_epsilons", None)  # nothing is measured again
    again = CellStore(tmp_path, digests)
    assert measure_smallest(subject, FGSM, Workshop(store=again)) == whole
    assert (again.reused, again.written) == (2, 0)
    few = replace(subject, images=subject.images[3:5], labels=subject.labels[3:5])
    assert measure_smallest(few, FGSM, Workshop(store=again))[0].epsilons == whole[0].epsilons[3:5]
    with pytest.raises(TypeError):
        measure_smallest(
            subject, replace(FGSM, seed=1), Workshop(store=CellStore(tmp_path, digests))
        )


def test_what_was_found_before_an_interruption_is_kept(subject, tmp_path, monkeypatch):
    def stop(done, count):
        if done == 8:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measure_smallest(
            subject,
            FGSM,
            Workshop(batch_size=4, store=CellStore(tmp_path, {"one": "d"})),
            progress=stop,
        )
    asked = []

    def count_images(network, pixels, labels, attack):
        asked.append(len(pixels))
        return smallest_epsilons(network, pixels, labels, attack)

    monkeypatch.setattr(smallest_epsilon, "smallest_epsilons", count_images)
    again = measure_smallest(subject, FGSM, Workshop(store=CellStore(tmp_path, {"one": "d"})))
    assert asked == [2, 10]  # what is left of main, all of aux
    assert again == measure_smallest(subject, FGSM)


def test_more_images_reuse_what_fewer_have_measured(subject, tmp_path):
    few = replace(subject, images=subject.images[3:5], labels=subject.labels[3:5])
    measure_smallest(few, FGSM, Workshop(store=CellStore(tmp_path, {"one": "digest"})))
    store, told = CellStore(tmp_path, {"one": "digest"}), []
    found = measure_smallest(
        subject, FGSM, Workshop(store=store), progress=lambda *at: told.append(at)
    )
    assert found == measure_smallest(subject, FGSM)
    assert told == [(n, 20) for n in (2, 10, 12, 20)]
    assert (store.reused, store.extended, store.written) == (0, 2, 2)


def test_answers_are_among_the_classes_of_the_data(make_dual, pixels):
    model = make_dual()
    images = (pixels(4) * 255).byte()
    labels = torch.tensor([0, 3, 0, 3])
    pair = TestedModel("one", model, images, labels, ("main",), among=(0, 3))
    (found,) = measure_smallest(pair, AttackConfig.pgd(0.5, steps=2))
    with torch.no_grad():
        logits = model.branch("main")(images.float() / 255)[:, [0, 3]]
    wrong = logits.argmax(1) != torch.tensor([0, 1, 0, 1])
    assert [one == 0 for one in found.epsilons] == wrong.tolist()


def test_changes_nothing_on_the_model(dual, pixels):
    dual.requires_grad_(True)
    state = {key: value.clone() for key, value in dual.state_dict().items()}
    labels = torch.tensor([0, 1])
    smallest_epsilons(dual.branch("main"), pixels(2), labels, AttackConfig.pgd(0.1, steps=2))
    assert all(p.grad is None for p in dual.parameters())
    assert all(torch.equal(state[key], value) for key, value in dual.state_dict().items())


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"target_class": 1}, "attack must be untargeted"),
        ({"epsilon": 0.0}, "epsilon above 0"),
    ],
)
def test_refusals(dual, pixels, fields, words):
    with pytest.raises(ValueError, match=words):
        smallest_epsilons(
            dual.branch("main"), pixels(2), torch.tensor([0, 1]), replace(FGSM, **fields)
        )
