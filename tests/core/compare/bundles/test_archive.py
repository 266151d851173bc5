"""Zips that nobody of ours wrote are refused with one sentence, and nothing of them is run."""

import io
import pickle
import zipfile

import numpy as np
import pytest

from advprop_core.compare.bundles.archive import (
    MOST_BYTES,
    BundleError,
    pack,
    pack_arrays,
    unpack,
    unpack_arrays,
)


def zipped(*files, **options) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", **options) as archive:
        for name, data in files:
            archive.writestr(name, data)
    return buffer.getvalue()


def npy(values, **options) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, values, **options)
    return buffer.getvalue()


def test_what_is_packed_is_read_back_and_has_no_time() -> None:
    files = {"b.json": b"{}", "a.png": b"\x89PNG"}
    data = pack(files)
    assert unpack(data, "x.zip") == files
    assert [*unpack(data, "x.zip")] == [*files]
    assert data == pack(files)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert {entry.date_time[0] for entry in archive.infolist()} == {1980}
    arrays = {"x": np.arange(6, dtype=np.float32).reshape(2, 3), "empty": np.zeros(0, np.float32)}
    arrays["one"] = np.float32([3.5])
    again = unpack_arrays(pack_arrays(arrays), "x.npz")
    assert all(np.array_equal(again[name], values) for name, values in arrays.items())
    assert np.array_equal(np.load(io.BytesIO(pack_arrays(arrays)))["x"], arrays["x"])


@pytest.mark.parametrize(
    "name", ["../up.json", "../", "/etc/passwd", "a/b.json", "..", "C:\\x", "é.json", ".x", "a b"]
)
def test_names_that_lead_somewhere(name) -> None:
    with pytest.raises(BundleError, match="no bundle has such names"):
        unpack(zipped((name, b"")), "x.zip")


def test_bombs() -> None:
    zeros = bytes(MOST_BYTES // 2)
    half = zipped(("a", zeros), ("b", zeros), ("c", b"x"), compression=zipfile.ZIP_DEFLATED)
    assert len(half) < 1_000_000
    with pytest.raises(BundleError, match="unpacks to 256 MB"):
        unpack(half, "x.zip")
    with pytest.raises(BundleError, match="holds at most 256 MB"):
        pack({"a": zeros, "b": zeros, "c": b"x"})


def test_a_size_that_is_a_lie() -> None:
    """The directory says ten bytes, and there are a million."""
    data = bytearray(zipped(("a", bytes(1_000_000)), compression=zipfile.ZIP_DEFLATED))
    at = data.rindex(b"PK\x01\x02")
    data[at + 24 : at + 28] = (10).to_bytes(4, "little")
    with pytest.raises(BundleError, match="damaged"):
        unpack(bytes(data), "x.zip")


def test_damage_everywhere() -> None:
    """Every cut, and a flipped byte at any place, is read right or refused."""
    whole = pack({"a.json": b"0123456789" * 20, "b.png": b"abcdef"})
    for end in range(0, len(whole), 7):
        with pytest.raises(BundleError):
            unpack(whole[:end], "x.zip")
    for place in range(0, len(whole), 3):
        flipped = bytearray(whole)
        flipped[place] ^= 0xFF
        try:
            unpack(bytes(flipped), "x.zip")
        except BundleError:
            continue


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_ways_to_pack(method) -> None:
    with pytest.raises(BundleError, match="packed in a way"):
        unpack(zipped(("a", b"x" * 99), compression=method), "x.zip")


class Evil:
    ran = False

    def __reduce__(self):
        return setattr, (Evil, "ran", True)


def header(shape: str, descr: str = "'<f4'") -> bytes:
    text = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()


@pytest.mark.parametrize(
    "data",
    [
        npy(np.array([Evil()], dtype=object), allow_pickle=True),
        pickle.dumps(Evil()),
        npy(np.zeros(3)),
        npy(np.zeros(3, np.int32)),
        npy(np.zeros(3, ">f4")),
        npy(np.zeros(3, np.float32))[:-1],
        header("(1000000000000,)"),
        header("(-1, -4)") + bytes(16),
        header("(" * 2000),
        header("(1,)", "'|O'") + bytes(8),
        header("(1,)", "[('a', '<f4')]") + bytes(4),
        b"",
        b"\x93NUMPY\x03\x00",
    ],
)
def test_arrays_that_are_none(data) -> None:
    with pytest.raises(BundleError, match=r"a\.npy in x\.npz is no array of float32"):
        unpack_arrays(zipped(("a.npy", data)), "x.npz")
    assert not Evil.ran


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_no_numbers(value) -> None:
    with pytest.raises(BundleError, match="no finite numbers"):
        unpack_arrays(pack_arrays({"a": np.array([value], np.float32)}), "x.npz")
