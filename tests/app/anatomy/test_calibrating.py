"""A calibrated branch for a network with main alone."""

from dataclasses import replace

import pytest
import torch

from advprop_core.models.dual_bn import norm_layers
from app.anatomy import work
from app.anatomy.view import AnatomyView
from app.shell import cache, comparison
from app.shell.jobs import Cancelled, Job
from app.shell.samples import Source
from app.shell.store import BoundedStore

FEW = Source("shapes", "drawn scenes", 6)


@pytest.fixture
def vanilla(tiny):
    """(source, store, job) compares with a calibrated branch; and the network."""
    lens = cache.load_lens("tiny-vanilla")
    view = AnatomyView(model="tiny-vanilla", image="scene:2", steps=1)
    options = comparison.perturbing(view, lens.info)
    options["maps"] = comparison.map_request(view, lens, one_class=True)
    pixels = cache.pixels(view.image, 64)

    def compare(source, store, job):
        return work.compare_calibrated(lens, source, store, pixels, progress=job.report, **options)

    return lens, compare


def test_a_calibrated_branch_is_made_once_and_changes_no_other(vanilla, monkeypatch):
    lens, compare = vanilla
    before = {key: value.clone() for key, value in lens.model.state_dict().items()}
    store, job = BoundedStore(2), Job("x", None)
    compared = compare(FEW, store, job)
    assert compared.branches == ("main", "aux")
    assert job.progress == 1
    made = store.get((lens.network, FEW))
    assert made.info.branches == {"main": "trained", "aux": "calibrated"}
    assert made.info.recipe["calibration"]["images"] == 6
    main, aux = (norm_layers(made.model.branch(name).network) for name in ("main", "aux"))
    layer = next(iter(main))
    assert not torch.equal(main[layer].running_mean, aux[layer].running_mean)
    assert torch.equal(main[layer].weight, aux[layer].weight)
    assert lens.model.branch_names == ("main",)
    after = lens.model.state_dict()
    assert all(torch.equal(before[key], after[key]) for key in before)
    monkeypatch.setattr(work, "_calibrate", None)
    again = compare(FEW, store, job)
    assert torch.equal(again.adversarial, compared.adversarial)


def test_calibrating_can_be_stopped(vanilla):
    lens, compare = vanilla
    store, job = BoundedStore(2), Job("x", None)
    job.cancelled = True
    with pytest.raises(Cancelled):
        compare(FEW, store, job)
    assert store.get((lens.network, FEW)) is None


def test_photos_that_do_not_fit_are_said(vanilla, tmp_path):
    _, compare = vanilla
    (tmp_path / "cats").mkdir()
    source = replace(FEW, name=str(tmp_path))
    with pytest.raises(ValueError, match="no image"):
        compare(source, BoundedStore(2), Job("x", None))
