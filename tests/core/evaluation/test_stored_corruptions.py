from dataclasses import dataclass, field, replace

import pytest
import torch

from advprop_core.evaluation.cells import Cell, TestedModel, cells_of, only_shown
from advprop_core.evaluation.conditions import Condition
from advprop_core.evaluation.inputs import Workshop
from advprop_core.evaluation.results import NOT_SHOWN, BranchResult
from advprop_core.evaluation.store import CellStore
from advprop_core.evaluation.sweep import sweep
from advprop_core.pictures.corruptions import CorruptionConfig

FOG, SNOW = (Condition(corruption=CorruptionConfig(k, 1), stored=True) for k in ("fog", "snow"))
MODELS = {"one": "digest of one", "two": "digest of two"}


@dataclass(eq=False)  # sets are told apart by identity
class Files:
    """Images that fog makes darker, and of which snow hides the first."""

    images: torch.Tensor
    labels: torch.Tensor
    read_rows: list = field(default_factory=list)
    version: int = 1

    def read(self, corruption, rows):
        self.read_rows.append((corruption.kind, *rows.tolist()))
        if corruption.kind == "snow":
            return self.images[rows], rows > 0
        return self.images[rows] // 2, torch.ones(len(rows), dtype=torch.bool)

    def digests(self, corruption):
        return [bytes([self.version, row]) * 8 for row in range(len(self.images))]


@pytest.fixture
def files(images):
    return Files(*images)


@pytest.fixture
def subjects(model, images, files):
    pixels, labels = images
    return [TestedModel(name, model, pixels, labels, stored=files) for name in MODELS]


def test_files_are_read_once_for_all_models_and_a_batch_at_a_time(subjects, files):
    found = sweep(subjects, [Condition(), FOG], Workshop(batch_size=4))
    assert files.read_rows == [("fog", 0, 1, 2, 3), ("fog", 4, 5, 6, 7), ("fog", 8, 9)]
    assert len(found) == 8
    # Half as bright, nothing is above 0.5: main calls all dark, and five of ten are.
    assert found[Cell("one", "main", Condition())].right.all()
    assert found[Cell("one", "main", FOG)].right.tolist() == [True] * 5 + [False] * 5


def test_what_is_read_is_resized_to_each_network(subjects, model, images):
    small = replace(subjects[0], images=torch.empty((0, 3, 2, 2), dtype=torch.uint8))
    large = replace(subjects[1], images=torch.empty((0, 3, 8, 8), dtype=torch.uint8))
    found = sweep([small, large], [FOG])
    for branch in ("main", "aux"):
        one, two = (found[Cell(name, branch, FOG)] for name in MODELS)
        assert torch.equal(one.right, two.right)
        torch.testing.assert_close(one.losses, two.losses)


def test_without_clean_images_there_are_only_stored_corruptions(subjects):
    alone = replace(subjects[0], images=torch.empty((0, 3, 4, 4), dtype=torch.uint8))
    assert alone.size == 4
    assert len(sweep([alone], [FOG, SNOW])) == 4
    with pytest.raises(ValueError, match="only stored corruptions: pass images too"):
        sweep([alone], [Condition(), FOG])
    with pytest.raises(ValueError, match="stored corruptions are read from files: pass stored"):
        sweep([replace(subjects[0], stored=None)], [FOG])
    with pytest.raises(ValueError, match="must be equally many"):
        replace(alone, stored=None)


def test_an_image_that_cannot_be_read_is_left_out_of_every_figure(subjects):
    found = sweep(subjects[:1], [Condition(), FOG, SNOW], Workshop(batch_size=4))
    assert found[Cell("one", "main", SNOW)].predicted.tolist().count(NOT_SHOWN) == 1
    kept = only_shown(found)
    assert {len(answers) for answers in kept.values()} == {9}
    for cell, answers in found.items():
        assert torch.equal(kept[cell].losses, answers.losses[1:])
    untouched = sweep(subjects[:1], [Condition(), FOG])
    for cell, answers in only_shown(untouched).items():
        assert torch.equal(answers.losses, untouched[cell].losses)


def test_models_lose_only_their_own_images(subjects):
    found = sweep(subjects, [FOG])
    cell = Cell("two", "aux", FOG)

    def hide(count):
        shown = torch.arange(10) >= count
        hidden = found[cell].predicted.where(shown, NOT_SHOWN)
        found[cell] = replace(found[cell], predicted=hidden)

    hide(3)
    lengths = {cell.model: len(answers) for cell, answers in only_shown(found).items()}
    assert lengths == {"one": 10, "two": 7}
    hide(10)
    with pytest.raises(ValueError, match="two: no image can be read under every condition"):
        only_shown(found)


def test_a_store_goes_on_where_it_was_and_notices_other_files(subjects, files, tmp_path):
    def run(conditions):
        store = CellStore(tmp_path, MODELS)
        found = sweep(subjects, conditions, Workshop(store=store))
        return store.reused, {
            cell: BranchResult.of(cell.branch, cell.condition, found[cell])
            for one in subjects
            for cell in cells_of(one, conditions)
        }

    reused, first = run([FOG])
    assert reused == 0
    files.read_rows.clear()
    reused, both = run([FOG, SNOW])
    assert (reused, {kind for kind, *_ in files.read_rows}) == (4, {"snow"})
    assert {cell: both[cell] for cell in first} == first
    files.version = 2
    assert run([FOG])[0] == 0


def test_the_source_is_told():
    content = {"kind": "corruption", "corruption": "fog", "severity": 1}
    assert FOG.to_json() == content | {"source": "files"}
    assert replace(FOG, stored=False).to_json() == content
