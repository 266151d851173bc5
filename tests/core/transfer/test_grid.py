"""What may be asked for, and how each cell is trained."""

from dataclasses import replace

import pytest

from advprop_core.transfer.grid import Cell, make_grid, read_grid

ASKED = {"sources": ["a", "b:aux"], "data": "photos"}


def test_the_articles_values_are_the_defaults_and_a_file_sets_any(tmp_path) -> None:
    grid = make_grid(ASKED)
    recipe = grid.recipe(Cell("a", "3", 1600, 4), 96)
    assert (recipe.objective, recipe.epochs, recipe.learning_rate) == ("vanilla", 150, 0.1)
    assert (recipe.trainable, recipe.seed, recipe.size) == ("blocks:3", 4, 96)
    assert (recipe.augmentation.shift, recipe.augmentation.rotation) == (4, 2.0)
    path = tmp_path / "grid.toml"
    path.write_text(
        'sources = ["x"]\ndata = "y"\nnum_images = [10]\ntrainable = [1, "all"]\nseeds = 2\n'
        "[training]\nepochs = 60\nmomentum = 0.5\n[training.augmentation]\nflip = false\n"
    )
    grid = make_grid(read_grid(path))
    assert [*grid.cells()] == [Cell("x", t, 10, seed) for seed in (0, 1) for t in ("1", "all")]
    assert (grid.training.decay_epochs, grid.training.momentum) == (20, 0.5)
    assert not grid.training.augmentation.flip
    assert grid.training.augmentation.shift == 4


@pytest.mark.parametrize(
    ("images", "batch"), [(100, 100), (128, 128), (129, 64), (400, 100), (1600, 123)]
)
def test_an_epoch_is_dealt_out_to_equal_batches(images, batch) -> None:
    grid = make_grid(ASKED)
    assert grid.recipe(Cell("a", "0", images, 0), 32).batch_size == batch


def test_a_head_that_unfreezes_more_is_no_frozen_one() -> None:
    cell = Cell("a", "0", 100, 0)
    grid = make_grid(ASKED)
    assert grid.is_frozen(cell)
    assert not grid.is_frozen(replace(cell, trainable="1"))
    patient = make_grid({**ASKED, "training": {"unfreeze_patience": 3}})
    assert not patient.is_frozen(cell)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"sources": []}, "sources must have at least 1 item"),
        ({"sources": ["a", "a"]}, "sources names a twice"),
        ({"trainable": ["some"]}, "trainable must be a number of blocks or all, got 'some'"),
        ({"num_images": [1]}, "must be at least 2"),
        ({"seed": 3}, "A grid has no key seed. Did you mean seeds?"),
        ({"training": {"objective": "trades"}}, "A grid has no key training.objective"),
        ({"training": {"epochs": 0}}, "training: epochs must be at least 1"),
        ({"training": 3}, "training must be a table"),
        (
            {"training": {"unfreeze_patience": 2}, "trainable": ["all"]},
            "unfreeze_patience needs trainable to be",
        ),
    ],
)
def test_what_cannot_be(values, message) -> None:
    with pytest.raises(ValueError, match=message):
        make_grid({**ASKED, **values})


def test_what_is_missing_and_files_that_are_no_grid(tmp_path) -> None:
    with pytest.raises(ValueError, match="needs sources and data"):
        make_grid({})
    with pytest.raises(ValueError, match="there is no grid"):
        read_grid(tmp_path / "none.toml")
    (tmp_path / "no.toml").write_text("a = = 3")
    with pytest.raises(ValueError, match="is not TOML"):
        read_grid(tmp_path / "no.toml")
