"""The folder of finished figures."""

import os
from pathlib import Path

import pytest

from app.robustness import work


def fill(folder, count):
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        path = folder / f"{number}.safetensors"
        path.write_bytes(b"x")
        os.utime(path, (number, number))


@pytest.fixture
def cells(monkeypatch, tmp_path):
    monkeypatch.setattr(work, "user_cache_path", lambda *_, **__: tmp_path / "new")
    return tmp_path / "new" / "cells-2"


def test_it_lies_among_the_caches_of_the_person(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    folder = work.cell_folder()
    assert folder.is_relative_to(tmp_path)
    assert folder.parts[-2:] == ("advprop-lens", "cells-2")


def test_the_oldest_go_first(tmp_path):
    fill(tmp_path, 5)
    (tmp_path / "note.txt").write_text("not ours")
    work.forget_oldest(tmp_path, most=3)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "2.safetensors", "3.safetensors", "4.safetensors", "note.txt"
    ]  # fmt: skip


def test_it_is_made_and_kept_bounded(monkeypatch, cells):
    monkeypatch.setattr(work.forget_oldest, "__defaults__", (2,))
    assert work.cell_folder() == cells
    fill(cells, 3)
    assert work.cell_folder() == cells
    assert len(list(cells.iterdir())) == 2


def test_where_it_cannot_be_made_there_is_none(monkeypatch, cells):
    cells.parent.write_text("")
    assert work.cell_folder() is None

    def homeless(*_, **__) -> Path:
        raise RuntimeError("no home")

    monkeypatch.setattr(work, "user_cache_path", homeless)
    assert work.cell_folder() is None
