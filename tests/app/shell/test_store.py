from app.shell.store import BoundedStore


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
