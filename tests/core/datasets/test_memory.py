import pytest

from advprop_core.datasets import memory
from advprop_core.datasets.memory import free_memory, require_memory
from advprop_core.datasets.named import list_images
from tests.core.datasets.drawn import put_classes


def test_what_is_free_is_read(tmp_path, monkeypatch):
    assert 2**20 < free_memory() < 2**50
    (tmp_path / "meminfo").write_text("MemTotal: 9 kB\nMemAvailable:   6000 kB\n")
    monkeypatch.setattr(memory, "_MEMINFO", tmp_path / "meminfo")
    assert free_memory() == 6_144_000
    monkeypatch.setattr(memory, "_MEMINFO", tmp_path / "none")
    assert free_memory() > 2**20  # all there is


def test_a_container_has_less_than_its_machine(tmp_path, monkeypatch):
    one, two = tmp_path / "one", tmp_path / "two"
    for folder in (one, two):
        folder.mkdir()
    monkeypatch.setattr(
        memory,
        "_GROUPS",
        ((two, "max", "current", "inactive_file"), (one, "limit", "used", "idle")),
    )
    monkeypatch.setattr(memory, "_free_of_machine", lambda: 50_000)
    assert free_memory() == 50_000
    for folder, names in ((two, ("max", "current")), (one, ("limit", "used"))):
        for name, value in zip(names, ("9000", "8000"), strict=True):
            (folder / name).write_text(f"{value}\n")
        (folder / "memory.stat").write_text("anon 1\nidle 500\ninactive_file 3000\n")
    assert free_memory() == 4000  # 3000 of the 8000 are files that would make room
    (two / "max").write_text("max\n")
    assert free_memory() == 1500


def test_a_set_that_does_not_fit_is_refused(monkeypatch):
    monkeypatch.setattr(memory, "free_memory", lambda: 1_000_000)
    require_memory(260, 32)  # 798,720 bytes
    with pytest.raises(ValueError, match="at most 260 fit"):
        require_memory(261, 32)
    with pytest.raises(
        ValueError, match=r"50000 images of 224x224 pixels take 7.5 GB.*at most 5 fit"
    ):
        require_memory(50_000, 224)
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "4")  # each of them reads the set
    with pytest.raises(ValueError, match="at most 65 fit"):
        require_memory(66, 32)
    require_memory(65, 32)
    require_memory(260, 32, alone=True)
    monkeypatch.setattr(memory, "free_memory", lambda: None)
    require_memory(50_000, 224)


def test_a_folder_asks_before_it_reads(tmp_path, monkeypatch):
    folder = list_images(str(put_classes(tmp_path, ("a", "b"))))
    monkeypatch.setattr(memory, "free_memory", lambda: 100)
    with pytest.raises(ValueError, match=r"2 images of 8x8 pixels .* at most 0 fit"):
        folder.load(8)
