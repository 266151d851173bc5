import numpy as np
import pytest
from PIL import Image, ImageColor

from advprop_core.report import drawing


def at(image: Image.Image, x: int, y: int) -> tuple[int, ...]:
    pixel = image.getpixel((x, y))
    assert isinstance(pixel, tuple)
    return pixel


def test_magnitude_runs_from_dark_blue_to_yellow() -> None:
    values = np.array([[0.0, 1.0, 2.0, 5.0, -1.0]], dtype=np.float32)
    image = drawing.colourise(values, "magnitude", 2.0)
    low, high = (ImageColor.getrgb(drawing.COLOUR_SCALES["magnitude"][end]) for end in (0, -1))
    assert at(image, 0, 0) == low
    assert at(image, 2, 0) == at(image, 3, 0) == high  # beyond the scale is clipped
    assert at(image, 4, 0) == low
    assert at(image, 1, 0) == (125, 124, 118)  # half-way between the two middle anchors


def test_signed_is_white_at_zero_and_mirrored() -> None:
    values = np.array([[-3.0, 0.0, 3.0]], dtype=np.float32)
    image = drawing.colourise(values, "signed", 3.0)
    assert at(image, 1, 0) == (255, 255, 255)
    blue, orange = at(image, 0, 0), at(image, 2, 0)
    assert blue[2] > blue[0]
    assert orange[0] > orange[2]


def test_colours_can_begin_above_zero() -> None:
    values = np.array([[0.0, 2.0, 3.0]], dtype=np.float32)
    image = drawing.colourise(values, "magnitude", 3.0, 2.0)
    low, high = (ImageColor.getrgb(drawing.COLOUR_SCALES["magnitude"][end]) for end in (0, -1))
    assert at(image, 0, 0) == at(image, 1, 0) == low
    assert at(image, 2, 0) == high


def test_only_maps_far_from_zero_begin_above_it() -> None:
    far = np.linspace(6.0, 10.0, 401, dtype=np.float32)[None]
    assert drawing.shared_start([far], 10.0) == pytest.approx(6.04)  # its hundredth
    near = np.linspace(4.0, 10.0, 401, dtype=np.float32)[None]
    assert drawing.shared_start([far, near], 10.0) == 0
    assert drawing.shared_start([np.zeros((2, 2), np.float32)], 0.0) == 0
    assert drawing.shared_start([np.full((2, 2), 3.0, np.float32)], 3.0) == 0


@pytest.mark.parametrize("sign", ["magnitude", "signed"])
def test_a_map_of_zeros_is_drawn_as_zeros(sign) -> None:
    zeros = np.zeros((2, 2), dtype=np.float32)
    assert drawing.shared_scale([zeros]) == 0
    image = drawing.colourise(zeros, sign, 0.0)
    wanted = "#FFFFFF" if sign == "signed" else drawing.COLOUR_SCALES["magnitude"][0]
    assert at(image, 0, 0) == ImageColor.getrgb(wanted)


def test_magnitude_grows_lighter_with_the_value() -> None:
    bar = drawing.colour_bar((64, 1), "magnitude").convert("L")
    levels = np.asarray(bar)[0].astype(int)
    assert (np.diff(levels) >= 0).all()
    assert levels[0] < levels[-1]


def test_scale_is_shared_and_ignores_a_lone_outlier() -> None:
    calm = np.full((100, 100), 1.0, dtype=np.float32)
    spiky = np.full((100, 100), -2.0, dtype=np.float32)
    spiky[0, 0] = 1000.0
    assert drawing.shared_scale([calm, spiky]) == 2.0
    sparse = np.zeros((100, 100), dtype=np.float32)
    sparse[0, 0] = 3.0
    assert drawing.shared_scale([sparse]) == 3.0  # its percentile is 0, yet it is not empty


@pytest.mark.parametrize(
    ("largest", "factor"), [(0.0, 1), (1.0, 1), (0.3, 1), (4 / 255, 20), (1 / 255, 100)]
)
def test_factor_is_round_and_clips_nothing(largest, factor) -> None:
    perturbation = np.full((3, 4, 4), -largest, dtype=np.float32)
    assert drawing.amplification(perturbation) == factor
    assert largest > 0.4 or factor * largest <= 0.4 + 1e-6


def test_perturbation_is_grey_where_nothing_changed() -> None:
    perturbation = np.zeros((3, 1, 2), dtype=np.float32)
    perturbation[0, 0, 1] = 0.1
    image = drawing.perturbation_image(perturbation, 3)
    assert at(image, 0, 0) == (128, 128, 128)
    assert at(image, 1, 0) == (204, 128, 128)


def test_overlay_goes_from_grey_photo_to_map() -> None:
    photo = Image.new("RGB", (4, 4), (255, 0, 0))
    colours = Image.new("RGB", (2, 2), (0, 0, 255))
    assert at(drawing.overlay(photo, colours, 0.0), 1, 1) == (76, 76, 76)
    assert at(drawing.overlay(photo, colours, 1.0), 1, 1) == (0, 0, 255)


def test_enlarged_pixels_stay_blocks_unless_smooth() -> None:
    image = Image.fromarray(np.array([[[0] * 3, [255] * 3]], dtype=np.uint8)).resize((2, 2), 0)
    blocks = np.asarray(drawing.enlarge(image, 8, smooth=False))
    assert set(np.unique(blocks)) == {0, 255}
    assert len(np.unique(np.asarray(drawing.enlarge(image, 8)))) > 2


def test_text_fits_its_width() -> None:
    canvas = Image.new("RGB", (300, 60), drawing.PAPER)
    text = drawing.Text(canvas)
    text.write((10, 10), "a name far too long for the place it was given → here", 17, width=120)
    ink = np.argwhere(np.asarray(canvas.convert("L")) < 200)
    assert ink[:, 1].min() >= 10
    assert ink[:, 1].max() <= 131


def test_text_is_right_aligned() -> None:
    canvas = Image.new("RGB", (300, 60), drawing.PAPER)
    drawing.Text(canvas).write((200, 10), "93 %", 17, align="right")
    assert np.argwhere(np.asarray(canvas.convert("L")) < 200)[:, 1].max() <= 200


def test_lines_break_at_spaces() -> None:
    text = drawing.Text(Image.new("RGB", (10, 10)))
    lines = text.lines("one two three four five", 17, 80)
    assert " ".join(lines) == "one two three four five"
    assert len(lines) > 1
    assert all(text.width(line, 17) <= 80 for line in lines)
    assert text.lines("immeasurable", 17, 5) == ["immeasurable"]


def test_letters_that_the_font_lacks_are_spelled() -> None:
    assert drawing.spell("L∞ ≤ 4/255 × café − 雪") == "Linf <= 4/255 x cafe - ?"


def test_bars_are_as_long_as_they_say() -> None:
    canvas = Image.new("RGB", (240, 120), drawing.PAPER)
    rows = (("church", 0.75, True), ("tench", 0.0, False))
    drawing.bars(canvas, (20, 0, 220, 120), rows, "#0072B2")
    blue = np.all(np.asarray(canvas) == ImageColor.getrgb("#0072B2"), axis=-1)
    columns = np.flatnonzero(blue.any(axis=0))
    assert columns.min() == 20
    assert abs(columns.max() - (20 + 0.75 * 200)) <= 1
    assert not blue[48:].any()  # nothing for 0 %


def test_colour_means_branch() -> None:
    colours = [drawing.branch_colour(branch) for branch in ("main", "aux", "aux2", "aux3")]
    assert colours[:2] == ["#0072B2", "#D55E00"]
    assert len(set(colours)) == 4
    assert drawing.branch_colour("aux6") == drawing.branch_colour(
        "main"
    )  # the palette starts again
