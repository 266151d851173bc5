from app.shell.store import BoundedStore, FileStore


def test_the_store_keeps_few_and_knows_what_must_be_made_again():
    store = BoundedStore(2)
    keys = [store.key(name) for name in "abc"]
    assert len({*keys}) == 3
    for name in "ab":
        store.put(name, name.upper())
    assert store.get("a") == "A"  # and is the newest by that
    store.put("c", "C")
    assert [store.get(name) for name in "abc"] == ["A", None, "C"]
    assert [store.key(name) == key for name, key in zip("abc", keys, strict=True)] == [
        True, False, True,
    ]  # fmt: skip


def test_files_that_were_used_least_make_room():
    store = FileStore(25)
    paths = {
        name: store.write(name, "x.pth", lambda path: path.write_bytes(b"." * 10)) for name in "ab"
    }
    assert store.get("a") == paths["a"]
    store.write("c", "x.pth", lambda path: path.write_bytes(b"." * 10))
    assert store.get("b") is None
    assert not paths["b"].exists()
    assert paths["a"].read_bytes() == b"." * 10
    large = store.write("d", "x.pth", lambda path: path.write_bytes(b"." * 99))
    assert store.get("d") == large  # the newest stays, however large
    assert [store.get(name) for name in "ac"] == [None, None]


def test_ten_thousand_uploads_leave_what_fits_and_nothing_stays_for_ever(monkeypatch):
    now = [0.0]
    monkeypatch.setattr("app.shell.store.time.monotonic", lambda: now[0])
    store = BoundedStore(1000, len, seconds=60)
    for number in range(10_000):
        store.put(number, bytes(number % 90 + 1))
    kept = [number for number in range(10_000) if store.get(number) is not None]
    assert kept == [*range(kept[0], 10_000)], "the newest"
    assert 900 <= sum(number % 90 + 1 for number in kept) <= 1000
    store.drop(kept[0])
    assert store.get(kept[0]) is None
    now[0] = 40.0
    assert store.get(9_999) is not None
    now[0] = 61.0
    assert [number for number in kept if store.get(number) is not None] == [9_999]
    store.put("large", bytes(5000))
    assert store.get("large") is not None
    assert store.get(9_999) is None
