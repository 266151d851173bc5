"""Many pictures for a network."""

import pytest

from app.shell.samples import Source, class_folders, source_for


@pytest.fixture
def photos(tiny_info_of):
    """Of a network that knows two other classes."""
    return tiny_info_of(class_ids=("n01", "n02"), class_names=("tench", "English springer"))


def test_scenes_for_a_network_that_learnt_them(tiny_info_of, monkeypatch, tmp_path):
    (tmp_path / "star").mkdir()
    monkeypatch.setenv("ADVPROP_IMAGES", str(tmp_path))
    assert source_for(tiny_info_of(), 100, "") == Source("shapes", "drawn scenes", 100)


@pytest.mark.parametrize("name", ["n02", "english_springer", "Tench"])
def test_the_persons_own_folder_for_others(photos, monkeypatch, tmp_path, name):
    monkeypatch.delenv("ADVPROP_IMAGES", raising=False)
    assert source_for(photos, 10, "") is None
    monkeypatch.setenv("ADVPROP_IMAGES", str(tmp_path))
    (tmp_path / "cats").mkdir()
    assert source_for(photos, 10, "") is None
    assert class_folders() == ["cats"]
    (tmp_path / name).mkdir()
    assert source_for(photos, 10, "") == Source(str(tmp_path), "photos of your folder", 10)


def test_a_folder_that_is_gone_is_none(photos, monkeypatch, tmp_path):
    monkeypatch.setenv("ADVPROP_IMAGES", str(tmp_path / "nosuch"))
    assert source_for(photos, 10, "") is None
