"""A run on tiny networks, as a worker does it."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from PIL import Image

from advprop_core.attacks import named
from advprop_core.attacks.autoattack.config import AutoAttackConfig
from advprop_core.datasets.imagenet import wnids_of
from advprop_core.datasets.named import load_images
from advprop_core.datasets.texture_shapes.scenes import SHAPES
from advprop_core.evaluation.cells import TestedModel
from advprop_core.evaluation.conditions import Condition
from advprop_core.evaluation.suite import Suite, evaluate
from advprop_core.models.class_names import imagenet_classes
from advprop_core.pictures.decoding import decode, to_bytes
from app.robustness import words, work
from app.robustness.measurement import RunRequest
from app.robustness.work import measure
from app.shell.jobs import Cancelled, Job
from app.shell.pictures import open_picture
from app.shell.samples import class_folders
from app.shell.store import BoundedStore
from tests.core.datasets.drawn import put_classes

REQUEST = RunRequest(
    ("tiny-advprop", "tiny-vanilla"), "shapes", 14, ("pgd",), "linf", (4 / 255,), 1
)
FIRST, SECOND = sorted(SHAPES)[:2]


@pytest.fixture(autouse=True)
def cells(monkeypatch, tmp_path):
    monkeypatch.setattr(work, "user_cache_path", lambda *_, **__: tmp_path)
    return work.cell_folder()


def test_figures_are_those_of_the_library(tiny_models):
    from advprop_core.models.checkpoints import load

    found = measure(REQUEST, tiny_models, Job("key", None).report)
    own = load(tiny_models["tiny-advprop"])
    images = load_images("shapes", 64, limit=14)
    tested = TestedModel("one", own.model, images.pixels, images.labels)
    wanted = evaluate(Suite([tested], [Condition(), Condition(REQUEST.attacks[0])])).results
    rows = [row for row in found.content["results"] if row["model"] == "tiny-advprop"]
    assert [(row["branch"], row["top1"]) for row in rows] == [
        (one.branch, one.top1) for one in wanted
    ]
    assert found.content["n"] == 14
    assert list(found.content["models"]) == list(REQUEST.models)
    assert list(found.answers("tiny-advprop", found.conditions[1])) == ["main", "aux"]
    assert list(found.answers("tiny-vanilla", found.conditions[0])) == ["main"]


def test_images_are_those_that_the_app_shows_under_their_names(tiny_models):
    found = measure(REQUEST, tiny_models, Job("key", None).report)
    images = load_images("shapes", 64, limit=14)
    for index in (0, 13):
        picture = open_picture(found.sources["tiny-advprop"][index], 64, BoundedStore(1))
        assert picture.label == SHAPES[found.labels["tiny-advprop"][index]]
        assert torch.equal(to_bytes(decode(picture.data)), images.pixels[index])
    shared, other = found.labels.values()
    assert shared is other  # networks that want the same images read them once


def test_corruptions_are_summed_up_and_the_second_run_finds_everything(tiny_models, cells):
    request = RunRequest(("tiny-vanilla",), "shapes", 10, severities=(1,))
    first = measure(request, tiny_models, Job("key", None).report)
    assert (first.found_before, len(first.cells)) == ((0, 0), 16)
    assert len(list(cells.iterdir())) == 16
    again = measure(request, tiny_models, Job("key", None).report)
    assert again.found_before == (16, 0)
    assert again.content == first.content
    (error,) = again.content["mean_corruption_error"]["results"]
    rows = [r for r in again.content["results"] if r["condition"]["kind"] == "corruption"]
    assert error["error"] == pytest.approx(1 - np.mean([row["top1"] for row in rows]))


class Stopping(Job):
    """Is stopped by the person when half is done."""

    def report(self, done: float, total: float = 1.0) -> None:
        if done / total > 0.5:
            self.cancelled = True
        super().report(done, total)


def test_what_was_finished_before_a_stop_is_found_again(tiny_models):
    whole = measure(REQUEST, tiny_models, Job("key", None).report).content
    for path in work.cell_folder().iterdir():
        path.unlink()
    with pytest.raises(Cancelled):
        measure(REQUEST, tiny_models, Stopping("key", None).report)
    again = measure(REQUEST, tiny_models, Job("key", None).report)
    assert 0 < again.found_before[0] < len(again.cells)
    assert again.content == whole


def test_a_run_of_more_images_asks_about_the_new_ones_alone(tiny_models):
    few = RunRequest(("tiny-vanilla",), "shapes", 10)
    more = replace(few, images=14)
    measure(few, tiny_models, Job("key", None).report)
    found = measure(more, tiny_models, Job("key", None).report)
    assert found.found_before == (0, 1)
    assert words.reused(found) == (
        "0 of 1 figures come from earlier runs, and some images of 1 more."
    )
    assert measure(more, tiny_models, Job("key", None).report).content == found.content


def test_without_a_folder_for_them_figures_are_measured_all_the_same(tiny_models, monkeypatch):
    monkeypatch.setattr(work, "cell_folder", lambda: None)
    assert measure(REQUEST, tiny_models, Job("key", None).report).found_before is None


@pytest.fixture
def photos(tmp_path, monkeypatch):
    """Class folders with four photos, one of them no photo at all, and a folder of others."""
    root = tmp_path / "photos"
    draw = np.random.default_rng(0)
    for name, count in {FIRST: 2, SECOND: 2, "other": 1}.items():
        (root / name).mkdir(parents=True)
        for number in range(count):
            pixels = draw.integers(0, 255, (70, 90, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(root / name / f"{number}.png")
    (root / FIRST / "0.png").write_bytes(b"no photo")
    monkeypatch.setenv("ADVPROP_IMAGES", str(root))
    return root


def test_photos_of_the_persons_folder(tiny_models, photos):
    request = RunRequest(("tiny-advprop",), "folder", 20)
    found = measure(request, tiny_models, Job("key", None).report)
    assert found.sources["tiny-advprop"] == (
        f"folder:{FIRST}/1.png", f"folder:{SECOND}/0.png", f"folder:{SECOND}/1.png"
    )  # fmt: skip
    assert found.labels["tiny-advprop"].tolist() == [
        SHAPES.index(name) for name in (FIRST, SECOND, SECOND)
    ]
    assert found.content["data"] == "photos"
    assert found.content["notes"] == [
        "tiny-advprop was not tested on 1 file that cannot be read, such as 0.png; classes that "
        "it does not know: other"
    ]
    assert str(photos) not in str(found.content)


def test_photos_of_the_folder_that_a_network_was_trained_on(tiny_models, photos, monkeypatch):
    """Those of ``val`` are measured: the network has seen the others."""
    whole = photos.parent / "whole"
    whole.mkdir()
    photos.rename(whole / "val")
    put_classes(whole / "train", (FIRST, SECOND), count=3)
    monkeypatch.setenv("ADVPROP_IMAGES", str(whole))
    assert class_folders() == sorted((FIRST, SECOND, "other"))
    found = measure(
        RunRequest(("tiny-advprop",), "folder", 20), tiny_models, Job("key", None).report
    )
    sources = found.sources["tiny-advprop"]
    assert sources[0] == f"folder:val/{FIRST}/1.png"
    assert len(sources) == 3
    assert open_picture(sources[0], 64, BoundedStore(1)).label == FIRST


def test_a_published_set_is_read_as_evaluate_reads_it(
    save_tiny_network, tiny_info_of, tmp_path, monkeypatch
):
    ids, names = zip(*imagenet_classes(), strict=True)
    info = tiny_info_of("thousand", class_ids=ids, class_names=names)
    file = save_tiny_network(tmp_path / "thousand.safetensors", info)
    put_classes(tmp_path / "r", wnids_of("imagenet-r"))
    monkeypatch.setenv("ADVPROP_IMAGES", str(tmp_path / "r"))
    found = measure(
        RunRequest(("thousand",), "folder", 20), {"thousand": file}, Job("key", None).report
    )
    notes = found.content["notes"]
    assert any("answers are among its 200 classes, as in its article" in one for one in notes)
    assert "r is laid out as ImageNet-R: read as imagenet-r:r" in notes
    known = {ids.index(wnid) for wnid in wnids_of("imagenet-r")}
    (answers, _) = found.cells.values()
    assert set(answers.predicted.tolist()) <= known


def test_a_folder_of_one_class_is_refused(tiny_models, photos):
    for path in (photos / SECOND).iterdir():
        path.unlink()
    with pytest.raises(ValueError, match=f"show one class, {FIRST}"):
        measure(RunRequest(("tiny-advprop",), "folder", 20), tiny_models, Job("key", None).report)


def test_attacks_through_each_branch_probes_and_smallest_radii(tiny_models, cells):
    request = replace(
        REQUEST, data="shapes-conflict", through_each=True, probed=True, limit=8 / 255
    )
    shares = []

    class Told(Job):
        def report(self, done, total=1.0):
            shares.append(done / total)

    found = measure(request, tiny_models, Told("key", None).report)
    attacks = [cell for cell in found.cells if cell.condition.attack is not None]
    assert sorted((c.model, c.condition.attack_branch, c.branch) for c in attacks) == [
        *(
            ("tiny-advprop", source, judge)
            for source in ("aux", "main")
            for judge in ("aux", "main")
        ),
        ("tiny-vanilla", "main", "main"),
    ]
    own = found.answers("tiny-advprop", found.conditions[1])
    for branch, answers in own.items():
        cell = next(c for c in attacks if (c.condition.attack_branch, c.branch) == (branch, branch))
        assert answers is found.cells[replace(cell, model="tiny-advprop")]
    kinds = [row["condition"]["kind"] for row in found.content["results"]]
    assert kinds.count("probe") == 3 * len(request.probes)
    assert [one["branch"] for one in found.content["shape_bias"]["results"]] == [
        "main", "aux", "main"
    ]  # fmt: skip
    radii = found.content["smallest_epsilon"]["results"]
    assert [(one["model"], one["branch"], one["n"]) for one in radii] == [
        ("tiny-advprop", "main", 14), ("tiny-advprop", "aux", 14), ("tiny-vanilla", "main", 14)
    ]  # fmt: skip
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    again = measure(request, tiny_models, Job("key", None).report)
    assert again.content == found.content
    assert again.found_before == (len(found.cells) + 3, 0)
    assert words.reused(again).startswith("47 of 47 figures")


def test_gradients_are_checked_beside_the_attacks(tiny_models):
    found = measure(replace(REQUEST, sanity=True), tiny_models, Job("key", None).report)
    attacks = [row["condition"] for row in found.content["results"] if row["branch"] == "aux"]
    assert [(one.get("attack"), one.get("epsilon")) for one in attacks] == [
        (None, None), ("PGD-1", 4 / 255), ("noise", 4 / 255), ("PGD-20", 1.0)
    ]  # fmt: skip
    assert [one.kind for one in found.conditions] == ["clean", "attack"], "checks are no attacks"


def test_autoattack_of_a_page_is_the_librarys(tiny_models, monkeypatch):
    small = partial(AutoAttackConfig, steps=2, targets=1, queries=4)
    monkeypatch.setattr(named, "AutoAttackConfig", small)
    request = replace(REQUEST, models=("tiny-vanilla",), kinds=("autoattack",), steps=None)
    row = measure(request, tiny_models, Job("key", None).report).content["results"][1]
    assert row["condition"]["attack"].startswith("AutoAttack")
    assert row["condition"]["epsilon"] == 4 / 255
