"""Decoding changes nothing in PIL, and threads do not disturb one another."""

import threading

import pytest
from PIL import Image, ImageFile

from advprop_core.pictures.decoding import decode
from advprop_core.pictures.formats import ImageError
from tests.core.pictures.decoding.photos import encode, photo


def test_decode_leaves_pil_as_it_was() -> None:
    before = (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES)
    decode(encode(photo(), "PNG"))
    with pytest.raises(ImageError):
        decode(encode(photo(), "PNG")[:90])
    assert before == (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES)


def test_decode_gives_eight_threads_what_it_gives_one() -> None:
    files = [encode(photo().rotate(10 * turn), "JPEG") for turn in range(8)]
    expected = [decode(data).tobytes() for data in files]
    results: dict[int, list[bytes]] = {}

    def work(place: int) -> None:
        results[place] = [decode(files[place]).tobytes() for _ in range(20)]

    threads = [threading.Thread(target=work, args=(place,)) for place in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(set(results[place]) == {expected[place]} for place in range(8))
