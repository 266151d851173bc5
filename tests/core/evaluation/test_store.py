import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from safetensors.torch import load_file, save_file

from advprop_core.evaluation import Condition, store
from advprop_core.evaluation.cells import Cell, Subject
from advprop_core.evaluation.results import Answers
from advprop_core.evaluation.store import CellStore
from advprop_core.probes import ProbeConfig

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
    CellStore(tmp_path, {"one": "digest"}).write(subject, CELL, 64, None, answers)
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


def test_a_probe_with_its_strength_and_seed_is_a_cell_of_its_own(subject, answers, tmp_path):
    store = CellStore(tmp_path, {"one": "digest"})
    cells = [
        Cell("one", "aux", Condition(probe=probe))
        for probe in (None, ProbeConfig("edges", 8.0), ProbeConfig("edges", 8.0, 1),
                      ProbeConfig("edges", 16.0), ProbeConfig("low-pass", 8.0))
    ]  # fmt: skip
    for count, cell in enumerate(cells):
        assert store.read(subject, cell, 64) is None
        store.write(subject, cell, 64, None, answers)
        assert len(list(tmp_path.iterdir())) == count + 1
    assert all(store.read(subject, cell, 64) for cell in cells)


def test_two_workers_may_finish_one_cell_at_once(subject, answers, tmp_path, monkeypatch):
    both = threading.Barrier(2, timeout=10)

    def slow(columns, path, header):
        save_file(columns, path, header)
        both.wait()

    monkeypatch.setattr(store, "save_file", slow)
    kept = CellStore(tmp_path, {"one": "digest"})
    with ThreadPoolExecutor(2) as pool:
        writes = [pool.submit(kept.write, subject, CELL, 64, None, answers) for _ in range(2)]
        for write in writes:
            write.result(10)
    assert len(list(tmp_path.iterdir())) == 1
    assert read(tmp_path, subject) is not None


def test_a_cell_that_could_not_be_written_leaves_nothing(subject, answers, tmp_path, monkeypatch):
    def full(columns, path, header):
        path.write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(store, "save_file", full)
    with pytest.raises(OSError, match="disk full"):
        CellStore(tmp_path, {"one": "digest"}).write(subject, CELL, 64, None, answers)
    assert not list(tmp_path.iterdir())
