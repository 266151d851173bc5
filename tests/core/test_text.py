import pytest

from advprop_core.text import ends, percent


@pytest.mark.parametrize(
    ("share", "words"),
    [(0.0, "0 %"), (0.001, "<1 %"), (0.934, "93 %"), (0.9999, ">99 %"), (1.0, "100 %")],
)
def test_percent_keeps_its_side_of_the_edge(share, words) -> None:
    assert percent(share) == words


@pytest.mark.parametrize(
    ("interval", "words"),
    [
        ((0.5, 0.7), ("50", "70")),
        ((0.0, 1.0), ("0", "100")),
        ((0.9956, 0.9985), ("99.6", "99.9")),
        ((0.0, 0.0019), ("0.0", "0.2")),
        ((0.611, 0.614), ("61.1", "61.4")),
    ],
)
def test_ends_of_an_interval_do_not_meet(interval, words) -> None:
    assert ends(interval) == words
