from advprop_core.datasets.class_folders import class_folder, split_folder


def test_splits_are_folders_beside_one_another(tmp_path):
    (tmp_path / "train" / "tench").mkdir(parents=True)
    (tmp_path / "test" / "tench").mkdir(parents=True)
    assert split_folder(tmp_path, "val") == tmp_path / "test"
    assert split_folder(tmp_path, "train") == tmp_path / "train"
    (tmp_path / "val" / "tench").mkdir(parents=True)
    (tmp_path / ".cache").mkdir()  # hidden folders are no classes anywhere
    assert split_folder(tmp_path, "val") == tmp_path / "val"
    (tmp_path / "zebra").mkdir()  # a class beside them: these are classes too
    assert split_folder(tmp_path, "val") == tmp_path
    assert split_folder(tmp_path / "none", "val") == tmp_path / "none"


def test_a_files_class_is_the_outermost_folder_below_a_split(tmp_path):
    photos = tmp_path / "photos"
    (photos / "val" / "tench").mkdir(parents=True)
    assert class_folder(photos, "val/tench/river/1.jpg") == "tench"
    assert class_folder(photos, "val/1.jpg") == "photos"
    (photos / "zebra").mkdir()
    assert class_folder(photos, "val/tench/1.jpg") == "val", "now val is a class like zebra"
    assert class_folder(photos, "zebra/../zebra/1.jpg") == "zebra"
    assert class_folder(photos, "1.jpg") == "photos"
