import pytest
import torch
from safetensors.torch import load_file, save_file

from advprop_core.evaluation import Condition, store
from advprop_core.evaluation.cells import Cell, Subject
from advprop_core.evaluation.results import Answers
from advprop_core.evaluation.store import CellStore

CELL = Cell("one", "aux", Condition())


@pytest.fixture
def subject(model, images):
    return Subject("one", model, *images, model.branch_names)


@pytest.fixture
def answers():
    logits = torch.randn(10, 7, generator=torch.Generator().manual_seed(0))
    return Answers.from_logits(logits, torch.arange(10) % 7)


@pytest.fixture
def kept(subject, answers, tmp_path):
    CellStore(tmp_path, {"one": "digest"}).write(subject, CELL, 64, answers)
    (file,) = tmp_path.iterdir()
    return file


def read(folder, subject):
    return CellStore(folder, {"one": "digest"}).read(subject, CELL, 64)


def test_a_cell_comes_back_as_it_was(kept, subject, answers, tmp_path):
    found = read(tmp_path, subject)
    for name, column in vars(answers).items():
        assert torch.equal(vars(found)[name], column)
        assert vars(found)[name].dtype == column.dtype


def test_there_is_nothing_in_an_empty_folder(subject, tmp_path):
    assert read(tmp_path / "none", subject) is None
    assert not (tmp_path / "none").exists()


def test_a_cell_of_another_format_is_refused(kept, subject, tmp_path):
    save_file(load_file(kept), kept, {"advprop_cell_format": "0", "cell": "{}"})
    with pytest.raises(ValueError, match="format 0, this version reads format 1: .* --report"):
        read(tmp_path, subject)


def test_a_damaged_cell_is_measured_again(kept, subject, tmp_path):
    kept.write_bytes(kept.read_bytes()[:100])
    assert read(tmp_path, subject) is None


def test_a_cell_that_could_not_be_written_leaves_nothing(subject, answers, tmp_path, monkeypatch):
    def full(columns, path, header):
        path.write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(store, "save_file", full)
    with pytest.raises(OSError, match="disk full"):
        CellStore(tmp_path, {"one": "digest"}).write(subject, CELL, 64, answers)
    assert not list(tmp_path.iterdir())
