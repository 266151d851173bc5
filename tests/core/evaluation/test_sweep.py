from dataclasses import dataclass, replace

import pytest
import torch

from advprop_core.attacks.autoattack import AutoAttackConfig
from advprop_core.evaluation import inputs
from advprop_core.evaluation import sweep as module
from advprop_core.evaluation.cells import Cell, TestedModel, cells_of
from advprop_core.evaluation.conditions import EACH, Condition
from advprop_core.evaluation.inputs import Workshop
from advprop_core.evaluation.results import BranchResult
from advprop_core.evaluation.store import CellStore
from advprop_core.evaluation.sweep import groups_of, sweep
from advprop_core.pictures.corruptions import CorruptionConfig
from advprop_core.pictures.digests import image_seeds
from advprop_core.pictures.probes import ProbeConfig
from advprop_core.pictures.probes.apply import probe
from advprop_core.types import AttackConfig

PGD = AttackConfig.pgd(0.1, steps=2, seed=5)
NOISE = Condition(corruption=CorruptionConfig("gaussian_noise", 3))
SHUFFLED = Condition(probe=ProbeConfig("patch-shuffle", 2, seed=1))
CONDITIONS = (Condition(), Condition(PGD), Condition(PGD, "main"), NOISE)
MODELS = {"one": "digest of one", "two": "digest of two"}


@pytest.fixture
def subjects(model, images, photos):
    branches = model.branch_names
    return [TestedModel(name, model, *images, branches, photos) for name in MODELS]


@pytest.fixture
def made(monkeypatch):
    """Counts how many batches of pixels were attacked, corrupted and probed."""
    counts = {"attack": 0, "corrupt": 0, "probe": 0}
    for name in counts:
        original = getattr(inputs, name)

        def spy(*args, name=name, original=original, **options):
            counts[name] += 1
            return original(*args, **options)

        monkeypatch.setattr(inputs, name, spy)
    return counts


def summed(found):
    return {cell: BranchResult.of(cell.branch, cell.condition, a) for cell, a in found.items()}


def test_cells_share_their_pixels(subjects, made):
    found = sweep(subjects, (*CONDITIONS, SHUFFLED))
    # White box through main is the same as through main by name: two attacks for each model.
    assert made == {"attack": 4, "corrupt": 1, "probe": 1}
    assert list(found)[:2] == [Cell("one", "main", Condition()), Cell("one", "aux", Condition())]
    assert len(found) == 2 * (2 + 3 + 2 + 2)
    for cell, result in summed(found).items():
        if cell.model == "one":
            assert result == summed(found)[replace(cell, model="two")]


def test_each_branch_is_attacked_in_turn_and_all_are_asked(subjects, made):
    one = subjects[0]
    found = summed(sweep([one], [Condition(), Condition(PGD, EACH)]))
    assert made["attack"] == 2
    assert {(cell.condition.attack_branch, cell.branch) for cell in list(found)[2:]} == {
        (source, judge) for source in ("main", "aux") for judge in ("main", "aux")
    }
    alone = summed(sweep([one], [Condition(PGD, "aux")]))
    assert alone == {cell: found[cell] for cell in alone}
    assert cells_of(replace(one, branches=("aux",)), [Condition(PGD, EACH)]) == (
        Cell("one", "aux", Condition(PGD, "main")),
        Cell("one", "aux", Condition(PGD, "aux")),
    )


def test_what_is_shared_is_what_is_measured_alone(subjects):
    together = summed(sweep(subjects, CONDITIONS))
    for condition in CONDITIONS:
        for branch in ("main", "aux"):
            alone = replace(subjects[0], branches=(branch,))
            for cell, result in summed(sweep([alone], [condition])).items():
                assert result == together[cell]


def test_a_probe_is_made_from_the_network_s_own_images(subjects):
    """Not from photos, and with draws that follow from each image and not from its batch."""
    stripes = torch.randint(
        0, 256, (10, 3, 4, 4), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)
    )
    one = replace(subjects[0], images=stripes, photos=None)
    high = Condition(probe=ProbeConfig("low-pass", 0.1))
    found = sweep([one], [Condition(), SHUFFLED, high])
    clean, shuffled, smooth = (found[Cell("one", "main", c)] for c in (Condition(), SHUFFLED, high))
    # The network answers by the mean pixel: patches keep it, and so does smoothing it all away.
    torch.testing.assert_close(shuffled.losses, clean.losses)
    torch.testing.assert_close(smooth.losses, clean.losses, atol=1e-3, rtol=0)
    seeds = image_seeds(stripes, 1)
    group = groups_of([one], [Condition(), SHUFFLED])[1]
    workshop = inputs.Workshop()
    shown, readable = inputs.pixels_of(group, workshop, torch.arange(4, 7), lambda: None)
    assert readable is None
    expected = probe(stripes[4:7].float() / 255, SHUFFLED.probe, seeds=seeds[4:7])
    assert torch.equal(shown, expected)
    assert not torch.equal(shown, stripes[4:7].float() / 255)


def test_models_of_different_size_share_a_corruption(subjects, made):
    small, large = subjects
    wide = large.images.repeat(1, 1, 2, 2)
    found = sweep([small, replace(large, images=wide)], [NOISE])
    assert made["corrupt"] == 1
    one, two = (found[Cell(name, "main", NOISE)] for name in MODELS)
    assert one.losses.tolist() == pytest.approx(two.losses.tolist(), abs=0.2)


def test_an_interrupted_evaluation_goes_on(subjects, made, tmp_path):
    whole = summed(sweep(subjects, CONDITIONS, Workshop(batch_size=4)))
    for name in made:
        made[name] = 0

    def interrupt(done, total):
        if done > 34:  # the first model's three kinds of pixels are through, and 4 noisy images
            raise KeyboardInterrupt

    store = CellStore(tmp_path / "cells", MODELS)
    with pytest.raises(KeyboardInterrupt):
        sweep(subjects, CONDITIONS, Workshop(batch_size=4, store=store), progress=interrupt)
    assert (store.reused, store.written) == (0, 5)
    assert len(list((tmp_path / "cells").iterdir())) == 5
    assert made == {"attack": 6, "corrupt": 2, "probe": 0}
    store = CellStore(tmp_path / "cells", MODELS)
    done = []
    found = sweep(
        subjects,
        CONDITIONS,
        Workshop(batch_size=4, store=store),
        progress=lambda *at: done.append(at),
    )
    assert summed(found) == whole
    assert (store.reused, store.written) == (5, 9)
    assert made == {"attack": 6 + 6, "corrupt": 2 + 3, "probe": 0}
    assert done[-1] == (70, 70)  # 10 images clean and through two branches, twice; and corrupted
    assert [at for at, _ in done] == sorted(at for at, _ in done)


@dataclass
class Unturned:
    """What AutoAttack says of images it could not turn."""

    adversarial: torch.Tensor


def test_an_interrupted_autoattack_loses_a_few_images_only(subjects, tmp_path, monkeypatch):
    seen = []

    def attacked(network, pixels, labels, config, seeds):
        seen.extend(seeds)
        return Unturned(pixels)

    def interrupt(done, total):
        if done >= 8:
            raise KeyboardInterrupt

    monkeypatch.setattr(inputs, "auto_attack", attacked)
    monkeypatch.setattr(module, "_FEW", 4)
    strong = Condition(AutoAttackConfig("linf", 0.1, seed=5), "main")
    one = replace(subjects[0], branches=("aux",))
    with pytest.raises(KeyboardInterrupt):
        sweep([one], [strong], Workshop(store=CellStore(tmp_path, MODELS)), progress=interrupt)
    assert seen == image_seeds(one.images, 5)[:8]  # draws follow from the image
    store = CellStore(tmp_path, MODELS)
    (answers,) = sweep([one], [strong], Workshop(store=store)).values()
    assert seen == image_seeds(one.images, 5)
    assert (store.reused, store.extended, store.written) == (0, 1, 1)
    (clean,) = sweep([one], [Condition()]).values()
    assert torch.equal(answers.losses, clean.losses)


def test_autoattack_can_be_ended_at_every_pass(subjects, monkeypatch):
    passes, told = [], []

    def attacked(network, pixels, labels, config, seeds):
        for _ in range(100):
            passes.append(network(pixels))

    def interrupt(done, total):
        told.append(done)
        if len(told) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(inputs, "auto_attack", attacked)
    with pytest.raises(KeyboardInterrupt):
        sweep(subjects, [Condition(AutoAttackConfig("linf", 0.1), "main")], progress=interrupt)
    assert (len(passes), told) == (2, [0, 0, 0])


def test_more_images_reuse_what_fewer_have_measured(subjects, made, tmp_path):
    def some(rows):
        return [replace(one, images=one.images[rows], labels=one.labels[rows],
                        photos=photos[rows]) for one in subjects]  # fmt: skip

    photos = subjects[0].photos
    conditions = (*CONDITIONS, Condition(PGD, "aux", restarts=2), SHUFFLED)
    whole = sweep(subjects, conditions)
    places = torch.tensor([8, 1, 4])
    few = sweep(some(places), conditions, Workshop(store=CellStore(tmp_path, MODELS)))
    for name in made:
        made[name] = 0
    store, done = CellStore(tmp_path, MODELS), []
    found = sweep(subjects, conditions, Workshop(store=store), progress=lambda *at: done.append(at))
    assert (store.reused, store.extended) == (0, len(found))
    assert done[:2] == [(3, 100), (10, 100)]
    for cell, answers in found.items():
        # The very answers of few, in the places of their images, and fresh ones around them.
        assert torch.equal(answers.losses[places], few[cell].losses)
        torch.testing.assert_close(vars(answers), vars(whole[cell]), atol=1e-4, rtol=1e-4)
    again = CellStore(tmp_path, MODELS)
    fewer = sweep(some(torch.tensor([1, 2])), conditions, Workshop(store=again))
    assert (again.reused, again.written) == (len(found), 0)
    for cell, answers in fewer.items():
        assert torch.equal(answers.losses, found[cell].losses[1:3])


def test_a_cell_that_lacks_an_answer_is_asked_with_those_that_lack_all(subjects, made, tmp_path):
    """Aux knows some images, main none: the attack is made on all, and what was kept stays."""
    one, condition = subjects[0], Condition(PGD, "main")
    part = replace(one, branches=("aux",), images=one.images[:4], labels=one.labels[:4],
                   photos=None)  # fmt: skip
    cell, store = Cell("one", "aux", condition), CellStore(tmp_path, MODELS)
    known = sweep([part], [condition])[cell]
    store.write(part, cell, torch.arange(4), vars(known) | {"losses": known.losses + 1})
    store = CellStore(tmp_path, MODELS)
    found = sweep([one], [condition], Workshop(store=store))
    assert (store.extended, made["attack"]) == (1, 2)
    fresh = sweep([one], [condition])
    assert torch.equal(found[cell].losses[:4], known.losses + 1)
    assert torch.equal(found[cell].losses[4:], fresh[cell].losses[4:])
    again = sweep([one], [condition], Workshop(store=CellStore(tmp_path, MODELS)))
    for cell, answers in found.items():
        assert torch.equal(again[cell].losses, answers.losses)


def test_a_long_cell_is_kept_now_and_then(subjects, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_PATIENCE", -1)
    one = replace(subjects[0], branches=("aux",))

    def interrupt(done, total):
        if done >= 8:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sweep(
            [one],
            [NOISE],
            Workshop(batch_size=4, store=CellStore(tmp_path, MODELS)),
            progress=interrupt,
        )
    store = CellStore(tmp_path, MODELS)
    (found,) = sweep([one], [NOISE], Workshop(batch_size=4, store=store)).values()
    assert (store.extended, store.written) == (1, 1)
    assert torch.equal(
        found.losses, sweep([one], [NOISE], Workshop(batch_size=4)).popitem()[1].losses
    )


@pytest.mark.parametrize(
    "condition",
    [Condition(AttackConfig.noise(0.3)), Condition(PGD, restarts=3),
     Condition(AttackConfig.noise(0.3, norm="l2"))],
)  # fmt: skip
def test_an_answer_depends_on_its_image_alone(make_dual, pixels, condition):
    model, images = make_dual(), (pixels(9) * 255).byte()
    labels = torch.arange(9) % 6

    def losses(rows, batch_size):
        one = TestedModel("one", model, images[rows], labels[rows], ("aux",))
        ((_, found),) = sweep([one], [condition], Workshop(batch_size=batch_size)).items()
        return found.losses

    whole, order = losses(torch.arange(9), 64), torch.tensor([7, 2, 5, 0])
    torch.testing.assert_close(losses(order, 3), whole[order], atol=1e-4, rtol=1e-4)
    shifted = replace(condition, attack=replace(condition.attack, seed=1))
    one = TestedModel("one", model, images, labels, ("aux",))
    ((_, other),) = sweep([one], [shifted]).items()  # the seed matters more than that
    assert (other.losses - whole).abs().max() > 1e-2


def test_a_longer_evaluation_reuses_a_shorter(subjects, made, tmp_path):
    def measure(conditions):
        store = CellStore(tmp_path, MODELS)
        found = sweep(subjects, conditions, Workshop(store=store))
        return summed(found), store.reused

    short, reused = measure(CONDITIONS[:3])
    assert (reused, made["attack"]) == (0, 4)
    long, reused = measure(CONDITIONS)
    assert (reused, made) == (len(short), {"attack": 4, "corrupt": 1, "probe": 0})
    assert short.items() <= long.items()
    stronger = Condition(replace(PGD, epsilon=0.2))
    reseeded = Condition(replace(PGD, seed=6))
    assert measure([stronger, reseeded])[1] == 0


def test_nothing_is_reused_for_other_data_or_models(subjects, tmp_path):
    sweep(subjects, CONDITIONS, Workshop(store=CellStore(tmp_path, MODELS)))

    def reused(subjects, models=MODELS, device="cpu"):
        store = CellStore(tmp_path, models, device=device)
        sweep(subjects, CONDITIONS, Workshop(store=store))
        return store.reused

    assert reused(subjects) == 14
    one = subjects[0]
    darker = replace(one, images=one.images // 2)
    assert reused([darker]) == 2  # corruptions are made on photos
    assert reused([replace(one, labels=1 - one.labels)]) == 0
    assert reused(subjects, {"one": "another digest", "two": "digest of two"}) == 7
    assert reused([one], device="cuda") == 0


def test_cells_are_ordered_by_condition_and_branch(subjects):
    listed = cells_of(subjects[0], [Condition(), Condition(PGD)])
    assert [(c.branch, c.condition.attack_branch) for c in listed] == [
        ("main", None),
        ("aux", None),
        ("main", "main"),
        ("aux", "aux"),
    ]


def test_refusals(subjects, images):
    one = subjects[0]
    with pytest.raises(ValueError, match="different names"):
        sweep([one, one], [Condition()])
    with pytest.raises(ValueError, match="equally many, got 10, 10 and 9"):
        replace(one, photos=one.photos[:9])
    with pytest.raises(ValueError, match="pass photos"):
        sweep([replace(one, photos=None)], [NOISE])
    with pytest.raises(ValueError, match="got attack and corruption: make 2 conditions"):
        Condition(PGD, corruption=CorruptionConfig("fog", 1))
    targeted = replace(PGD, target_class=1)
    for attack in (
        None,
        AttackConfig.fgsm(0.1),
        AttackConfig.noise(0.1),
        AutoAttackConfig(),
        targeted,
    ):
        with pytest.raises(ValueError, match="restarts are for untargeted PGD"):
            Condition(attack, restarts=2)
    with pytest.raises(ValueError, match="restarts must be at least 1, got 0"):
        Condition(PGD, restarts=0)
    with pytest.raises(ValueError, match="got 5 patches for 4 pixels"):
        sweep([one], [Condition(), Condition(probe=ProbeConfig("patch-shuffle", 5))])
    assert torch.equal(one.labels, images[1])
