import pytest

from advprop_core.words import percent


@pytest.mark.parametrize(
    ("share", "words"),
    [(0.0, "0 %"), (0.001, "<1 %"), (0.934, "93 %"), (0.9999, ">99 %"), (1.0, "100 %")],
)
def test_percent_keeps_its_side_of_the_edge(share, words) -> None:
    assert percent(share) == words
