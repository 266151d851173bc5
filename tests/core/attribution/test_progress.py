from advprop_core.attribution.progress import Counter, split


def test_parts_of_different_length_tell_one_count():
    told = []
    first, second, third = split(lambda *x: told.append(x), [10, 1, 30])
    first(1, 2)
    first(2, 2)
    second(5, 5)
    third(1, 3)
    third(3, 3)
    assert told == [(5, 41), (10, 41), (11, 41), (21, 41), (41, 41)]


def test_nobody_need_listen():
    (part,) = split(None, [3])
    part(1, 1)
    Counter(None, 2).add()
