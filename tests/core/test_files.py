"""Files appear whole, or the one before stays and the refusal says what to do."""

import errno
import json

import pytest

from advprop_core.errors import AdvPropError
from advprop_core.files import CannotWrite, remove_unfinished, write_whole


def test_text_and_bytes_are_written_into_a_new_folder(tmp_path):
    path = tmp_path / "new" / "file"
    write_whole(path, "é\n")
    assert path.read_bytes() == b"\xc3\xa9\n"
    write_whole(path, '"caf\udce9"')
    assert json.loads(path.read_text()) == "caf\udce9"
    write_whole(path, memoryview(b"12"))
    assert path.read_bytes() == b"12"
    assert list(path.parent.iterdir()) == [path]


def test_a_full_disk_leaves_the_old_file_and_says_what_to_free(tmp_path, fill_disk):
    path = tmp_path / "file"
    path.write_text("old")
    fill_disk()
    with pytest.raises(CannotWrite) as caught:
        write_whole(path, bytes(1_500_000))
    assert isinstance(caught.value, AdvPropError)
    assert str(caught.value) == (
        f"{path} could not be written (No space left on device): "
        f"free at least 2 MB in {tmp_path} and try again"
    )
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_in_place_of_the_folder(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(CannotWrite, match="another place"):
        write_whole(tmp_path / "file" / "inside", "text")


def test_what_a_killed_writer_left_is_removed(tmp_path, monkeypatch):
    (tmp_path / "kept.tmp").touch()

    def die(_):
        raise OSError(errno.EIO, "killed")

    with monkeypatch.context() as patched:
        patched.setattr("pathlib.Path.unlink", lambda *_: None)
        patched.setattr("os.fsync", die)
        with pytest.raises(CannotWrite):
            write_whole(tmp_path / "file", "text")
    assert len(list(tmp_path.iterdir())) == 2
    remove_unfinished(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["kept.tmp"]
