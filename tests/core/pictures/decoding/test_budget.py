"""Small files that hold large pictures: how much is held at once, and what is refused."""

import io
import threading

import pytest
from PIL import Image

from advprop_core.pictures import decoding
from advprop_core.pictures.decoding import PixelBudget
from advprop_core.pictures.formats import ImageError


def test_no_more_is_held_at_once_than_the_budget_but_one_alone_may_be_larger() -> None:
    budget, most, held = PixelBudget(100), 0, 0
    lock, together = threading.Lock(), threading.Barrier(4)

    def decode(pixels: int) -> None:
        nonlocal most, held
        together.wait(10)
        with budget.hold(pixels):
            with lock:
                held += pixels
                most = max(most, held)
            threading.Event().wait(0.02)
            with lock:
                held -= pixels

    threads = [threading.Thread(target=decode, args=(pixels,)) for pixels in (60, 60, 40, 150)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert most == 150, "the largest went alone, and others went two by two at most"


def test_pictures_are_decoded_within_it_and_what_is_damaged_gives_its_room_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    budget = PixelBudget(100)
    monkeypatch.setattr(decoding, "_BUDGET", budget)
    buffer = io.BytesIO()
    Image.new("RGB", (64, 64), "teal").save(buffer, "PNG")
    decoding.decode(buffer.getvalue())
    with pytest.raises(ImageError):
        decoding.decode(buffer.getvalue()[:-40])
    assert budget._held == 0


def test_a_caller_may_take_less_than_the_largest_picture() -> None:
    for form, limit in (("PNG", 4000), ("JPEG", 1600)):  # a baseline JPEG is shrunk as it is read
        buffer = io.BytesIO()
        Image.new("RGB", (64, 64)).save(buffer, form)
        assert decoding.decode(buffer.getvalue(), max_pixels=4096).size == (64, 64)
        with pytest.raises(ImageError, match="64×64"):
            decoding.decode(buffer.getvalue(), max_pixels=limit)
