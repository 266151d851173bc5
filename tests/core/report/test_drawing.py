import numpy as np
from PIL import Image, ImageColor

from advprop_core.report import drawing


def at(image: Image.Image, x: int, y: int) -> tuple[int, ...]:
    pixel = image.getpixel((x, y))
    assert isinstance(pixel, tuple)
    return pixel


def test_perturbation_is_grey_where_nothing_changed() -> None:
    perturbation = np.zeros((3, 1, 2), dtype=np.float32)
    perturbation[0, 0, 1] = 0.1
    image = drawing.perturbation_image(perturbation, 3)
    assert at(image, 0, 0) == (128, 128, 128)
    assert at(image, 1, 0) == (204, 128, 128)


def test_a_colour_bar_begins_as_the_photo_and_ends_as_the_scale() -> None:
    bar = drawing.colour_bar((9, 2), "signed")
    assert bar.size == (9, 2)
    assert at(bar, 4, 0) == (128, 128, 128)
    blue, orange = at(bar, 0, 0), at(bar, 8, 1)
    assert blue[2] > blue[0]
    assert orange[0] > orange[2]


def test_enlarged_pixels_stay_blocks_unless_smooth() -> None:
    image = Image.fromarray(np.array([[[0] * 3, [255] * 3]], dtype=np.uint8)).resize((2, 2), 0)
    blocks = np.asarray(drawing.enlarge(image, 8, smooth=False))
    assert set(np.unique(blocks)) == {0, 255}
    assert len(np.unique(np.asarray(drawing.enlarge(image, 8)))) > 2


def test_text_fits_its_width() -> None:
    page = drawing.Page(300, 60)
    page.write((10, 10), "a name far too long for the place it was given → here", 17, width=120)
    ink = np.argwhere(np.asarray(page.image.convert("L")) < 200)
    assert ink[:, 1].min() >= 10
    assert ink[:, 1].max() <= 131


def test_text_is_right_aligned() -> None:
    page = drawing.Page(300, 60)
    page.write((200, 10), "93 %", 17, align="right")
    right = np.argwhere(np.asarray(page.image.convert("L")) < 200)[:, 1].max()
    assert 195 <= right <= 200


def test_lines_break_at_spaces() -> None:
    page = drawing.Page(10, 10)
    lines = page.lines("one two three four five", 17, 80)
    assert " ".join(lines) == "one two three four five"
    assert len(lines) > 1
    assert all(page.width(line, 17) <= 80 for line in lines)
    assert page.lines("immeasurable", 17, 5) == ["immeasurable"]


def test_letters_that_the_font_lacks_are_spelled() -> None:
    assert drawing.spell("L∞ ≤ 4/255 × café → 雪") == "Linf <= 4/255 x cafe -> ?"


def test_bars_are_as_long_as_they_say() -> None:
    page = drawing.Page(240, 120)
    rows = (("church", 0.75, True), ("tench", 0.0, False))
    page.bars((20, 0, 220, 120), rows, "#0072B2")
    blue = np.all(np.asarray(page.image) == ImageColor.getrgb("#0072B2"), axis=-1)
    columns = np.flatnonzero(blue.any(axis=0))
    assert columns.min() == 20
    assert abs(columns.max() - (20 + 0.75 * 200)) <= 1
    assert not blue[48:].any()  # nothing for 0 %
