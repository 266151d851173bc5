import numpy as np
import pytest

from advprop_core.report import colours


def bytes_of(image: np.ndarray, column: int) -> list[int]:
    return np.round(image[:, 0, column] * 255).astype(int).tolist()


def rgb(colour: str) -> list[int]:
    return list(bytes.fromhex(colour[1:]))


def row(*values: float) -> np.ndarray:
    return np.array([values], dtype=np.float32)


def test_magnitude_runs_from_purple_to_yellow() -> None:
    image = colours.colourise(row(0, 1, 2, 5, -1), "magnitude", (0.0, 2.0))
    low, high = (rgb(colours.COLOUR_SCALES["magnitude"][end]) for end in (0, -1))
    assert bytes_of(image, 0) == bytes_of(image, 4) == low
    assert bytes_of(image, 2) == bytes_of(image, 3) == high  # beyond the span is clipped
    assert bytes_of(image, 1) == [34, 144, 140]  # half-way, teal


def test_signed_is_white_at_zero() -> None:
    image = colours.colourise(row(-3, 0, 3), "signed", (-3.0, 3.0))
    assert bytes_of(image, 1) == [255, 255, 255]
    blue, orange = bytes_of(image, 0), bytes_of(image, 2)
    assert blue[2] > blue[0]
    assert orange[0] > orange[2]


def test_magnitude_grows_lighter_with_the_value() -> None:
    ramp = np.linspace(0, 1, 64, dtype=np.float32)[None]
    luma = colours.grey(colours.colourise(ramp, "magnitude", (0.0, 1.0)))[0, 0]
    assert (np.diff(luma) > 0).all()


def test_a_span_is_shared_and_ignores_a_lone_outlier() -> None:
    calm = np.full((100, 100), 1.0, dtype=np.float32)
    spiky = np.full((100, 100), -2.0, dtype=np.float32)
    spiky[0, 0] = 1000.0
    assert colours.colour_span([calm, spiky], "signed") == (-2.0, 2.0)
    sparse = np.zeros((100, 100), dtype=np.float32)
    sparse[0, 0] = 3.0
    assert colours.colour_span([sparse], "magnitude") == (0.0, 3.0)  # its percentile is 0


def test_a_span_ends_at_the_99th_percentile() -> None:
    ramp = np.linspace(0, 1, 10001, dtype=np.float32)[None]
    assert colours.colour_span([ramp], "magnitude") == (0.0, pytest.approx(0.99))


def test_only_maps_far_from_zero_begin_above_it() -> None:
    far = np.linspace(6.0, 10.0, 401, dtype=np.float32)[None]
    assert colours.colour_span([far], "magnitude") == pytest.approx((6.04, 9.96))
    near = np.linspace(4.0, 10.0, 401, dtype=np.float32)[None]
    assert colours.colour_span([far, near], "magnitude")[0] == 0
    assert colours.colour_span([np.full((2, 2), 3.0, np.float32)], "magnitude") == (0.0, 3.0)


@pytest.mark.parametrize("sign", ["magnitude", "signed"])
def test_a_map_of_zeros_leaves_the_photo_visible(sign: colours.Sign) -> None:
    zeros = np.zeros((2, 2), dtype=np.float32)
    span = colours.colour_span([zeros], sign)
    photo = np.full((3, 2, 2), 0.25, dtype=np.float32)
    shown = colours.overlay(photo, zeros, sign, span, 1.0)
    np.testing.assert_allclose(shown, photo, atol=1e-6)


def test_an_overlay_hides_the_grey_photo_where_the_map_is_large() -> None:
    red = np.zeros((3, 1, 2), dtype=np.float32)
    red[0] = 1.0
    shown = colours.overlay(red, row(0, 1), "magnitude", (0.0, 1.0), 1.0)
    assert bytes_of(shown, 0) == [76, 76, 76]
    assert bytes_of(shown, 1) == rgb(colours.COLOUR_SCALES["magnitude"][-1])
    half = colours.overlay(red, row(0, 1), "magnitude", (0.0, 1.0), 0.5)
    np.testing.assert_allclose(half[:, 0, 1], (shown[:, 0, 1] + 0.299) / 2, atol=1e-3)


@pytest.mark.parametrize(
    ("largest", "factor"),
    [(0.0, 1), (1.0, 1), (0.3, 1), (8 / 255, 10), (4 / 255, 20), (1 / 255, 100), (1e-9, 1000)],
)
def test_the_amplification_is_round_and_clips_nothing(largest: float, factor: int) -> None:
    perturbation = np.full((3, 4, 4), -largest, dtype=np.float32)
    assert colours.amplification(perturbation) == factor
    amplified = colours.amplify(perturbation, factor)
    np.testing.assert_allclose(amplified, max(0.5 - factor * largest, 0.0), atol=1e-6)


def test_colour_means_branch() -> None:
    chosen = [colours.branch_colour(branch) for branch in ("main", "aux", "aux2", "aux3")]
    assert chosen[:2] == ["#0072B2", "#D55E00"]
    assert len(set(chosen)) == 4
    assert colours.branch_colour("aux6") == chosen[0]  # the palette starts again
