import os
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from advprop_core.evaluation import store
from advprop_core.evaluation.cells import Cell, TestedModel
from advprop_core.evaluation.conditions import Condition
from advprop_core.evaluation.inputs import Workshop
from advprop_core.evaluation.results import Answers
from advprop_core.evaluation.store import CellStore
from advprop_core.evaluation.sweep import sweep
from advprop_core.pictures.probes import ProbeConfig
from advprop_core.types import AttackConfig

CELL = Cell("one", "aux", Condition())
EVERY = torch.arange(10)


@pytest.fixture
def subject(model, images):
    return TestedModel("one", model, *images, model.branch_names)


@pytest.fixture
def answers():
    logits = torch.randn(10, 7, generator=torch.Generator().manual_seed(0))
    return Answers.from_logits(logits, torch.arange(10) % 7)


@pytest.fixture
def kept(subject, answers, tmp_path):
    CellStore(tmp_path, {"one": "digest"}).write(subject, CELL, EVERY, vars(answers))
    (file,) = tmp_path.iterdir()
    return file


def read(folder, subject):
    return CellStore(folder, {"one": "digest"}).read(subject, CELL)


def is_empty(found):
    places, answers = found
    return len(places) == len(answers) == 0


def test_answers_come_back_as_they_were(kept, subject, answers, tmp_path):
    places, found = read(tmp_path, subject)
    assert torch.equal(places, EVERY)
    for name, column in vars(answers).items():
        assert torch.equal(found[name], column)
        assert found[name].dtype == column.dtype


def test_there_is_nothing_in_an_empty_folder(subject, tmp_path):
    assert is_empty(read(tmp_path / "none", subject))
    assert not (tmp_path / "none").exists()


def test_files_of_one_cell_add_up(subject, answers, tmp_path):
    store = CellStore(tmp_path, {"one": "digest"})
    for rows in (torch.tensor([7, 2]), torch.tensor([5]), torch.tensor([2, 9])):
        store.write(subject, CELL, rows, vars(answers.rows(rows)))
    again = CellStore(tmp_path, {"one": "digest"})
    places, columns = again.read(subject, CELL)
    found = Answers(**columns)
    assert places.tolist() == [2, 5, 7, 9]
    assert torch.equal(found.losses, answers.losses[places])
    assert (again.reused, again.extended) == (0, 1)


def test_a_file_of_another_format_is_not_found(kept, subject, tmp_path, monkeypatch):
    monkeypatch.setattr(store, "FORMAT", store.FORMAT + 1)
    assert is_empty(read(tmp_path, subject))


def test_a_file_that_says_another_thing_is_not_taken(kept, subject, tmp_path):
    save_file(load_file(kept), kept, {"identity": "{}"})
    assert is_empty(read(tmp_path, subject))


def test_a_file_that_is_forgotten_meanwhile_is_not_taken(kept, subject, tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "glob", lambda *_: [kept.with_name("gone.safetensors"), kept])
    assert len(read(tmp_path, subject)[0]) == 10


def test_other_labels_of_the_same_images_are_other_answers(subject, answers, tmp_path):
    other = replace(subject, name="two", labels=1 - subject.labels)
    store = CellStore(tmp_path, {"one": "digest", "two": "digest"})
    store.write(subject, CELL, EVERY, vars(answers))
    assert len(store.read(subject, CELL)[0]) == 10
    assert is_empty(store.read(other, replace(CELL, model="two")))


def test_a_damaged_file_is_measured_again(kept, subject, tmp_path):
    kept.write_bytes(kept.read_bytes()[:100])
    assert is_empty(read(tmp_path, subject))


def test_all_that_decides_an_attack_or_a_probe_makes_another_cell(subject, answers, tmp_path):
    store = CellStore(tmp_path, {"one": "digest"})
    pgd = AttackConfig.pgd(0.1)
    conditions = [
        *(Condition(probe=probe)
          for probe in (None, ProbeConfig("edges", 8.0), ProbeConfig("edges", 8.0, 1),
                        ProbeConfig("edges", 16.0), ProbeConfig("low-pass", 8.0))),
        *(Condition(pgd, "main", restarts=number) for number in (1, 2)),
        Condition(AttackConfig.pgd(0.1, seed=1), "main"), Condition(pgd, "aux"),
    ]  # fmt: skip
    cells = [Cell("one", "aux", condition) for condition in conditions]
    for count, cell in enumerate(cells):
        assert is_empty(store.read(subject, cell))
        store.write(subject, cell, EVERY, vars(answers))
        assert len(list(tmp_path.iterdir())) == count + 1
    assert not any(is_empty(store.read(subject, cell)) for cell in cells)


def test_two_workers_may_finish_one_cell_at_once(subject, answers, tmp_path, monkeypatch):
    both = threading.Barrier(2, timeout=10)

    def replace_together(source, target):
        both.wait()
        return os.replace(source, target)

    monkeypatch.setattr(Path, "replace", replace_together)
    kept = CellStore(tmp_path, {"one": "digest"})
    with ThreadPoolExecutor(2) as pool:
        writes = [pool.submit(kept.write, subject, CELL, EVERY, vars(answers)) for _ in range(2)]
        for write in writes:
            write.result(10)
    assert len(list(tmp_path.iterdir())) == 1
    assert not is_empty(read(tmp_path, subject))


def test_a_full_disk_loses_no_answer_and_leaves_no_file(subject, tmp_path, fill_disk):
    conditions = (Condition(), Condition(AttackConfig.pgd(0.1, steps=1)))
    measured = sweep([subject], conditions)
    fill_disk()
    store = CellStore(tmp_path, {"one": "digest"})
    again = sweep([subject], conditions, Workshop(store=store))
    assert list(again) == list(measured)
    assert all(torch.equal(again[cell].losses, measured[cell].losses) for cell in measured)
    assert "free at least 1 MB" in str(store.failure)
    assert store.written == 0
    assert not list(tmp_path.iterdir())
