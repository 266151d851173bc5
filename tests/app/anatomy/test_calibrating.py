"""The store of networks with a calibrated branch."""

from dataclasses import replace

import pytest
import torch

from advprop_core.models.dual_bn import norm_layers
from app.anatomy import calibrating
from app.shell import cache, requests
from app.shell.calibrated import CalibratedLenses, Calibration
from app.shell.jobs import Cancelled, Job
from app.shell.samples import Source
from app.shell.state import View

FEW = Source("shapes", "drawn scenes", 6)


def test_the_store_keeps_few_and_knows_what_must_be_made_again():
    store = CalibratedLenses(2)
    asked = [Calibration(name, FEW) for name in "abc"]
    keys = [store.key(calibration) for calibration in asked]
    assert len({*keys}) == 3
    for calibration in asked[:2]:
        store.put(calibration, calibration.model)
    assert store.get(asked[0]) == "a"  # and is the newest by that
    store.put(asked[2], "c")
    assert [store.get(calibration) for calibration in asked] == ["a", None, "c"]
    same = [store.key(each) == key for each, key in zip(asked, keys, strict=True)]
    assert same == [True, False, True]


@pytest.fixture
def vanilla(tiny):
    """The network with main alone, and the comparison that is asked of it."""
    lens = cache.load_lens("tiny-vanilla")
    view = View(model="tiny-vanilla", steps=1, layer=lens.default_layer)
    return lens, requests.make_request(view, lens.info, None), cache.pixels(view.image, 64)


def test_a_calibrated_branch_is_made_once_and_changes_no_other(vanilla, monkeypatch):
    lens, request, pixels = vanilla
    before = {key: value.clone() for key, value in lens.model.state_dict().items()}
    store, calibration = CalibratedLenses(), Calibration("tiny-vanilla", FEW)
    job = Job("x")
    found = calibrating.compare_calibrated(request, calibration, lens, store, pixels, job)
    assert found.branches == ("main", "aux")
    assert job.progress == 1
    made = store.get(calibration)
    assert made.info.branches == {"main": "trained", "aux": "calibrated"}
    assert made.info.recipe["calibration"]["images"] == 6
    main, aux = (norm_layers(made.model.branch(name).network) for name in ("main", "aux"))
    layer = next(iter(main))
    assert not torch.equal(main[layer].running_mean, aux[layer].running_mean)
    assert torch.equal(main[layer].weight, aux[layer].weight)
    assert lens.model.branch_names == ("main",)
    after = lens.model.state_dict()
    assert all(torch.equal(before[key], after[key]) for key in before)
    monkeypatch.setattr(calibrating, "_calibrate", None)
    again = calibrating.compare_calibrated(request, calibration, lens, store, pixels, job)
    assert torch.equal(again.adversarial, found.adversarial)


def test_calibrating_can_be_stopped(vanilla):
    lens, request, pixels = vanilla
    store, calibration, job = CalibratedLenses(), Calibration("tiny-vanilla", FEW), Job("x")
    job.cancel()
    with pytest.raises(Cancelled):
        calibrating.compare_calibrated(request, calibration, lens, store, pixels, job)
    assert store.get(calibration) is None


def test_photos_that_do_not_fit_are_said(vanilla, tmp_path):
    lens, request, pixels = vanilla
    (tmp_path / "cats").mkdir()
    calibration = Calibration("tiny-vanilla", replace(FEW, name=str(tmp_path)))
    with pytest.raises(ValueError, match="no image"):
        calibrating.compare_calibrated(
            request, calibration, lens, CalibratedLenses(), pixels, Job("x")
        )
