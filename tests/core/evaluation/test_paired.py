"""Two branches on the same images."""

import numpy as np
import pytest

from advprop_core.errors import InputError
from advprop_core.evaluation.paired import Pair, images_digest, pack, pair, unpack


def row(right, images="0f"):
    flags = np.array(right, dtype=bool)
    return {"n": len(flags), "right": pack(flags), "images": images}


def test_the_same_images_are_counted_and_others_are_not():
    first, second = row([1, 1, 1, 0, 0, 1, 0, 0, 1]), row([1, 0, 0, 0, 1, 1, 0, 0, 0])
    assert pair(first, second) == Pair(n=9, only_first=3, only_second=1)
    assert pair(first, second | {"images": "10"}) is None
    assert pair({"n": 9}, {"n": 9}) is None


@pytest.mark.parametrize(
    ("first", "second", "p"),
    # Throws of a coin, by hand: 2·(1 + 5)/2^5 and 2·1/2^6; and where nothing differs.
    [(4, 1, 0.375), (0, 6, 0.03125), (0, 0, 1.0), (3, 3, 1.0)],
)
def test_how_often_chance_alone_does_so(first, second, p):
    assert Pair(100, first, second).p == pytest.approx(p)


def test_bits_come_back_and_others_are_refused():
    right = np.random.default_rng(0).random(21) < 0.5
    assert np.array_equal(unpack(pack(right), 21), right)
    with pytest.raises(InputError, match="a bit for each of 25 images"):
        unpack(pack(right), 25)
    with pytest.raises(InputError, match="base 64"):
        unpack("§", 3)


def test_images_are_the_same_where_data_classes_and_labels_are():
    labels = np.array([0, 1, 1])
    digest = images_digest("photos", ("a", "b"), labels, "")
    assert digest == images_digest("photos", ("a", "b"), labels, "")
    others = (
        images_digest("others", ("a", "b"), labels, ""),
        images_digest("photos", ("a", "c"), labels, ""),
        images_digest("photos", ("a", "b"), labels[::-1], ""),
        images_digest("photos", ("a", "b"), labels, "net"),
    )
    assert digest not in others
