"""What the page says of results."""

import pytest

from app.transfer.words import heading


def row(source, accuracy, interval=None, count=100):
    return {
        "source": source,
        "trainable": "0",
        "num_images": count,
        "accuracy": accuracy,
        "difference_interval": interval,
    }


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ([row("a", 0.5), row("b", 0.6, (0.05, 0.15))], "With 100 images b learns best: 60 % right"),
        (
            [row("a", 0.5), row("b", 0.6, (-0.05, 0.25))],
            "no network learns clearly better than a: 50",
        ),
        (
            [row("a", 0.6), row("b", 0.5, (-0.2, -0.1))],
            "no network learns clearly better than a: 60",
        ),
        ([row("b", 0.5)], "a"),  # every run of the first failed
        ([row("a", 0.5, count=200), row("a", 0.4), row("b", 0.45, (0.01, 0.09))], "100 images b"),
    ],
)
def test_a_network_is_named_where_it_learns_more_than_training_images_decide(rows, sentence):
    assert sentence in heading({"sources": {"a": {}, "b": {}}, "accuracies": rows})
