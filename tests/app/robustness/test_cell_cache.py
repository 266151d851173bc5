"""The folder of finished figures."""

import os
from pathlib import Path

from app.robustness import cell_cache


def fill(folder, count):
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        path = folder / f"{number}.safetensors"
        path.write_bytes(b"x")
        os.utime(path, (number, number))


def test_it_lies_among_the_caches_of_the_person(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    folder = cell_cache.folder()
    assert folder.is_relative_to(tmp_path)
    assert folder.parts[-2:] == ("advprop-lens", "cells-2")


def test_the_oldest_go_first(tmp_path):
    fill(tmp_path, 5)
    (tmp_path / "note.txt").write_text("not ours")
    cell_cache.forget_oldest(tmp_path, most=3)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "2.safetensors", "3.safetensors", "4.safetensors", "note.txt"
    ]  # fmt: skip


def test_it_is_made_and_kept_bounded(monkeypatch, tmp_path):
    folder = tmp_path / "new" / "cells"
    monkeypatch.setattr(cell_cache, "folder", lambda: folder)
    monkeypatch.setattr(cell_cache.forget_oldest, "__defaults__", (2,))
    assert cell_cache.made() == folder
    fill(folder, 3)
    assert cell_cache.made() == folder
    assert len(list(folder.iterdir())) == 2


def test_where_it_cannot_be_made_there_is_none(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(cell_cache, "folder", lambda: tmp_path / "file" / "cells")
    assert cell_cache.made() is None

    def homeless() -> Path:
        raise RuntimeError("no home")

    monkeypatch.setattr(cell_cache, "folder", homeless)
    assert cell_cache.made() is None
