"""Everything about the maps of one image, against the checks it is made of."""

from dataclasses import replace
from functools import partial

import pytest
import torch

from advprop_core.attribution.errors import Unfit
from advprop_core.attribution.grids import MapMaker, options_of
from advprop_core.attribution.maps import explain
from advprop_core.attribution.methods import METHODS as KNOWN
from advprop_core.faithfulness import recomputed
from advprop_core.faithfulness.agreement import agree
from advprop_core.faithfulness.curves import measure_curves
from advprop_core.faithfulness.fidelity import max_sensitivity, measure_infidelity
from advprop_core.faithfulness.maps import Undefined
from advprop_core.faithfulness.randomisation import check_randomisation
from advprop_core.faithfulness.stages import cascade_stages
from advprop_core.faithfulness.trust import measure_trust
from advprop_core.models.folding import fold

METHODS = ["grad-cam", "input-x-gradient", "smoothgrad"]


class Cancelled(Exception):
    pass


def explain_grid(branches, inputs, class_index, methods, layer=None, seed=0, **options):
    """(method, kind, branch) to map, of several methods."""
    maker = MapMaker(branches, inputs, class_index, seed=seed)
    return {
        (method, *cell): drawn
        for method in methods
        for cell, drawn in maker.make(
            method,
            layer if KNOWN[method].needs_layer else None,
            **options_of(KNOWN[method], options),
        ).items()
    }


@pytest.fixture(scope="module")
def model(make_dual):
    return make_dual()


@pytest.fixture(scope="module")
def branches(model):
    return {name: model.branch(name) for name in model.branch_names}


@pytest.fixture(scope="module")
def inputs(pixels):
    return {"clean": pixels(1, 32), "adversarial": pixels(1, 32, seed=1)}


@pytest.fixture(scope="module")
def maps(branches, inputs):
    return explain_grid(branches, inputs, 2, METHODS, seed=5, samples=3)


@pytest.fixture(scope="module")
def found(branches, inputs, maps):
    return measure_trust(branches, inputs, maps, samples=3, seed=5)


def figures(one):
    """Plain values, which can be compared."""
    curves = one.curves
    return (
        [curves.insertion.probabilities.tolist(), curves.deletion.probabilities.tolist()],
        one.infidelity,
        one.sensitivity,
        one.randomisation,
        one.across_branches,
        one.under_attack,
    )


def test_there_is_a_result_for_every_map(found, maps):
    assert list(found) == list(maps)
    assert len(found) == 12


@pytest.mark.parametrize("cell", [("grad-cam", "clean", "aux"), ("smoothgrad", "clean", "main")])
def test_the_figures_are_those_of_the_single_checks(branches, inputs, maps, found, cell):
    method, kind, branch = cell
    module, image, one, own = branches[branch], inputs[kind], maps[cell], found[cell]
    (curves,) = measure_curves(module, image, one.values[None], 2, seed=5)
    for name in ("insertion", "deletion", "random_insertion", "random_deletion"):
        line, expected = (getattr(each, name).probabilities for each in (own.curves, curves))
        torch.testing.assert_close(line, expected)
    (infidelity,) = measure_infidelity(module, image, one.values[None], 2, seed=5)
    assert own.infidelity.relative == pytest.approx(infidelity.relative, rel=1e-4)

    def make(network, shown):
        options = {"samples": 3} if method == "smoothgrad" else {}
        return explain(network, shown, 2, method, layer=one.layer, seed=5, **options)

    original = one.values[None]
    (sensitivity,) = max_sensitivity(partial(make, module), image, original, samples=10, seed=5)
    assert own.sensitivity == pytest.approx(sensitivity, rel=1e-3)
    stages = cascade_stages(module)
    (weights,) = check_randomisation(module, image, make, original, stages=stages, draws=3, seed=5)
    assert own.randomisation.verdict == weights.verdict
    assert own.randomisation.kept == pytest.approx(weights.kept, abs=2e-3)
    assert len(own.randomisation.steps) == len(weights.steps)


def test_agreements_are_with_the_other_branch_and_the_other_input(maps, found):
    own = maps["grad-cam", "clean", "main"].values[None]
    aux = maps["grad-cam", "clean", "aux"].values[None]
    attacked = maps["grad-cam", "adversarial", "main"].values[None]
    one = found["grad-cam", "clean", "main"]
    assert one.across_branches == {"aux": agree(own, aux)[0]}
    assert one.under_attack == agree(own, attacked)[0]
    assert one.inside_object is None


def test_one_branch_and_one_input_agree_with_nothing(branches, inputs, maps):
    cell = ("grad-cam", "clean", "main")
    (one,) = measure_trust(branches, inputs, {cell: maps[cell]}).values()
    assert one.across_branches == {}
    assert one.under_attack is None


def test_other_maps_do_not_change_a_maps_own_figures(branches, inputs, maps, found):
    cell = ("input-x-gradient", "adversarial", "aux")
    (alone,) = measure_trust(branches, inputs, {cell: maps[cell]}, seed=5).values()
    together = found[cell]
    assert alone.sensitivity == pytest.approx(together.sensitivity, rel=1e-3)
    assert alone.curves.insertion_gain == pytest.approx(together.curves.insertion_gain, abs=1e-5)
    assert alone.infidelity.relative == pytest.approx(together.infidelity.relative, rel=1e-4)
    assert alone.randomisation.kept == pytest.approx(together.randomisation.kept, abs=2e-3)


def test_a_seed_gives_the_same_again(branches, inputs, maps):
    some = {cell: one for cell, one in maps.items() if cell[::2] == ("grad-cam", "aux")}
    first, again, other = (measure_trust(branches, inputs, some, seed=seed) for seed in (1, 1, 2))
    for cell in some:
        assert figures(first[cell]) == figures(again[cell])
        assert figures(first[cell]) != figures(other[cell])


def test_folded_branches_lose_the_same_weights(branches, inputs, found):
    """A plain branch's norm layers forget what they learnt; a folded one has none to forget."""
    folded = {name: fold(module, inputs["clean"]) for name, module in branches.items()}
    grid = explain_grid(folded, inputs, 2, METHODS, seed=5, samples=3)
    for cell, one in measure_trust(folded, inputs, grid, samples=3, seed=5).items():
        plain = found[cell].randomisation
        assert [step.stage for step in one.randomisation.steps] == [s.stage for s in plain.steps]
        assert one.randomisation.kept == pytest.approx(plain.kept, abs=0.01), cell
        assert one.sensitivity == pytest.approx(found[cell].sensitivity, rel=0.02), cell


# -- making maps again ---------------------------------------------------------------------------


@pytest.fixture
def asked(monkeypatch):
    """What `explain` is called with when maps are made again."""
    calls = []

    def remember(module, shown, classes, method, **options):
        calls.append((method, len(shown), tuple(classes), options))
        return explain(module, shown, classes, method, **options)

    monkeypatch.setattr(recomputed, "explain", remember)
    return calls


def test_maps_are_made_again_as_they_were_made(branches, inputs, asked):
    some = {"aux": branches["aux"]}
    grid = explain_grid(some, inputs, 4, ["grad-cam", "smoothgrad"], "layer1", seed=7, samples=2)
    measure_trust(some, inputs, grid, samples=2, seed=7)
    assert {classes for _, _, classes, _ in asked} == {(4, 4)}
    assert {count for _, count, _, _ in asked} == {2}  # both inputs of a branch together
    assert {options["seed"] for *_, options in asked} == {7}
    cam, noisy = (
        [options for name, *_, options in asked if name == method]
        for method in ("grad-cam", "smoothgrad")
    )
    assert {options["layer"] for options in cam} == {"layer1"}
    assert {options["samples"] for options in noisy} == {2}
    assert not any("samples" in options for options in cam)


def test_the_maps_that_are_known_are_not_made_once_more(branches, inputs, maps, asked):
    cell = ("input-x-gradient", "clean", "main")
    (one,) = measure_trust(branches, inputs, {cell: maps[cell]}).values()
    assert len(asked) == 10 + 3 * len(one.randomisation.steps)


def test_a_slow_method_is_asked_less_often(branches, inputs, asked):
    grid = explain_grid(branches, inputs, 0, ["occlusion"], window=12, stride=12)
    cell = ("occlusion", "clean", "main")
    (one,) = measure_trust(branches, inputs, {cell: grid[cell]}, window=12, stride=12).values()
    assert len(asked) == 3 + 1
    (step,) = one.randomisation.steps
    assert step.draws == 1
    assert {(o["window"], o["stride"]) for *_, o in asked} == {(12, 12)}


def test_all_stages_at_once_are_all_weights(branches, inputs, asked, monkeypatch):
    seen = []

    def look(module, shown, classes, method, **options):
        seen.append([parameter.clone() for parameter in module.parameters()])
        return explain(module, shown, classes, method, **options)

    monkeypatch.setattr(recomputed, "explain", look)
    grid = explain_grid(branches, inputs, 0, ["occlusion"], window=12, stride=12)
    cell = ("occlusion", "clean", "main")
    measure_trust(branches, inputs, {cell: grid[cell]}, window=12, stride=12)
    kept = list(branches["main"].parameters())
    assert not any(torch.equal(*pair) for pair in zip(kept, seen[-1], strict=True))


# -- what cannot be said -------------------------------------------------------------------------


def test_a_map_that_says_nothing_has_no_figures(branches, inputs, maps):
    cell, other = ("grad-cam", "clean", "main"), ("grad-cam", "clean", "aux")
    empty = replace(maps[cell], values=torch.zeros(32, 32))
    found = measure_trust(branches, inputs, {cell: empty, other: maps[other]})
    nothing = Undefined("the map is zero everywhere")
    one = found[cell]
    assert one.curves == one.infidelity == one.sensitivity == nothing
    assert one.randomisation.verdict == "undefined"
    assert one.randomisation.kept == nothing
    assert one.across_branches["aux"].rank_correlation == nothing
    assert found[other].across_branches["main"].iou == nothing
    assert not isinstance(found[other].curves, Undefined)


def test_a_method_that_refuses_a_random_network_is_undefined_there(
    branches, inputs, maps, monkeypatch
):
    def refuse(module, *args, **options):
        if not any(module is branch for branch in branches.values()):
            raise Unfit("it does not add up")
        return explain(module, *args, **options)

    monkeypatch.setattr(recomputed, "explain", refuse)
    cell = ("input-x-gradient", "clean", "main")
    (one,) = measure_trust(branches, inputs, {cell: maps[cell]}).values()
    assert one.randomisation.verdict == "undefined"
    assert one.randomisation.words == (
        "With every weight random there is no map: it does not add up."
    )
    assert isinstance(one.sensitivity, float)


def test_a_refused_picture_does_not_spoil_the_others(branches, inputs, maps, monkeypatch):
    def refuse(module, shown, *args, **options):
        near = (shown - inputs["clean"]).abs().amax((1, 2, 3)) < 0.05
        if near.any() and any(module is branch for branch in branches.values()):
            raise Unfit("not this one")
        return explain(module, shown, *args, **options)

    monkeypatch.setattr(recomputed, "explain", refuse)
    some = {cell: one for cell, one in maps.items() if cell[::2] == ("input-x-gradient", "main")}
    found = measure_trust(branches, inputs, some)
    clean, attacked = (found["input-x-gradient", kind, "main"] for kind in inputs)
    assert clean.sensitivity == Undefined(
        "a picture that is changed a little has no map: not this one"
    )
    assert isinstance(attacked.sensitivity, float)
    assert isinstance(clean.randomisation.kept, float)


# -- objects -------------------------------------------------------------------------------------


def test_figures_about_the_object(make_linear):
    """Weights 3, 1, −2 and 0 on white pixels; the object is the first of them, then the third."""
    weights = torch.tensor([3.0, 1.0, -2.0, 0.0]).view(1, 1, 1, 4).expand(2, 3, 1, 4)
    branches, inputs = {"main": make_linear(weights)}, {"clean": torch.ones(1, 3, 1, 4)}
    grid = explain_grid(branches, inputs, 0, ["input-x-gradient"])
    for mask, share in (([1, 0, 0, 0], 0.75), ([0, 0, 1, 0], 0.0)):
        (one,) = measure_trust(branches, inputs, grid, mask=torch.tensor([mask]) > 0).values()
        assert one.inside_object == pytest.approx(share)
    nowhere = torch.zeros(1, 4, dtype=torch.bool)
    (one,) = measure_trust(branches, inputs, grid, mask=nowhere).values()
    assert one.inside_object == Undefined("the scene shows no object")


# -- conduct -------------------------------------------------------------------------------------


def test_progress_counts_up_to_all(branches, inputs, maps):
    told, some = [], {cell: one for cell, one in maps.items() if cell[2] == "main"}
    measure_trust(branches, inputs, some, samples=3, progress=lambda *x: told.append(x))
    done = [one for one, _ in told]
    assert done == sorted(done)
    assert {total for _, total in told} == {done[-1]}
    assert len(told) > 100


@pytest.mark.parametrize("after", [1, 40, 120])
def test_what_progress_raises_ends_it(branches, inputs, maps, after):
    told = []

    def stop(done, total):
        told.append(done)
        if len(told) == after:
            raise Cancelled

    with pytest.raises(Cancelled):
        measure_trust(branches, inputs, maps, samples=3, progress=stop)
    assert len(told) == after


def test_the_branches_stay_as_they_were(branches, inputs, maps):
    before = {
        name: [tensor.clone() for tensor in module.state_dict().values()]
        for name, module in branches.items()
    }
    measure_trust(branches, inputs, {cell: maps[cell] for cell in list(maps)[:2]})
    for name, module in branches.items():
        kept = zip(before[name], module.state_dict().values(), strict=True)
        assert all(torch.equal(*pair) for pair in kept)
        assert not any(p._forward_hooks or p._backward_hooks for p in module.modules())
