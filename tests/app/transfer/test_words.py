"""What the page says of results."""

import pytest

from app.transfer.words import answers, best_of, heading


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


def test_every_source_says_how_it_was_trained_and_the_best_are_drawn():
    trainings = {"a": "natural", "b": "adversarial, L2 ε = 0.5", "c": "natural", "d": "natural"}
    rows = [row("a", 0.5), row("b", 0.6, (0.05, 0.15)), row("c", 0.7, (0.1, 0.3)),
            row("c", 0.8, (0.1, 0.3), count=200)]  # fmt: skip
    content = {
        "sources": {name: {"training": training} for name, training in trainings.items()},
        "accuracies": [{**each, "difference": each["accuracy"] - 0.5} for each in rows],
    }
    said = answers(content).replace("\\", "")
    assert "Against a (natural), head only:" in said
    assert "- b (adversarial, L2 ε = 0.5): better with 100 (+10.0 points" in said
    assert best_of(content, 2) == ["c", "b"]
    assert best_of(content, 9) == ["c", "b", "d"], "every run of d failed"
