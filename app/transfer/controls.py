"""What the Transfer page asks to be trained, and the widgets that decide it; loads no torch."""

import shlex
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import streamlit as st

from advprop_core.errors import InputError
from advprop_core.transfer.grid import Grid, make_grid
from advprop_core.types import ModelInfo
from app.language.text import _
from app.shell import network_files, runs, state
from app.shell.fields import select, slider
from app.shell.pictures import own_folder
from app.shell.state import key
from app.transfer.view import TASKS, TransferView, read_amounts

MOST_SOURCES = 6
TEST_IMAGES = 500
_PAIR = ("imagenette-vanilla", "imagenette-advprop:aux")


def settle(models: Mapping[str, ModelInfo]) -> None:
    """Replace what is not available, before the widgets."""
    names = contenders(models)
    pair = _PAIR if {*_PAIR} <= {*names} else tuple(names)[:2]
    state.opens_with(contenders=pair)
    runs.settle_networks("contenders", names, MOST_SOURCES, pair)
    state.keep_within("new_task", [*_tasks()])


def show(models: Mapping[str, ModelInfo], view: TransferView, busy: bool) -> None:
    """All that decides a run."""
    help = _(
        "All others are compared with the first network, so first choose one that was trained "
        "without attacks."
    )
    runs.networks("contenders", contenders(models), MOST_SOURCES, help, disabled=busy)
    if len(tasks := _tasks()) > 1:
        help = _(
            "Scenes are drawn by this project. Your own folder is the one that `advprop app "
            "--images` names."
        )
        select(_("New task"), tasks, "new_task", help, disabled=busy)
    else:
        (title,) = tasks.values()
        st.caption(
            _(
                "New task: {title}. `advprop app --images DIR` adds your own photos. DIR needs "
                "the folders train and val, each with a folder for each class.",
                title=_(title).lower(),
            )
        )
    help = _(
        "Numbers with commas between them. Images are drawn evenly over the classes, and larger "
        "sets contain the smaller ones."
    )
    st.text_input(_("Training images"), key=key("amounts"), disabled=busy, help=help)
    help = _("Number of repetitions. Each repetition uses other images.")
    slider(_("Seeds"), "repeats", help, disabled=busy)
    help = _("Passes over the images. The learning rate falls after each third of them.")
    slider(_("Epochs"), "rounds", help, disabled=busy)


def contenders(models: Mapping[str, ModelInfo]) -> dict[str, str]:
    """Every branch that was trained, by the name `advprop transfer` takes, to what people read.

    The branch is first: a long name is cut at its end.
    """
    return {
        name if branch == "main" else f"{name}:{branch}": f"{branch} · {network_files.title(name)}"
        for name, info in models.items()
        for branch, origin in info.branches.items()
        if origin != "copied"
    }


def _tasks() -> dict[str, str]:
    """The tasks that there are: a person's folder needs splits."""
    folder = own_folder()
    has_splits = folder is not None and (folder / "train").is_dir()
    return TASKS if has_splits else {"shapes": TASKS["shapes"]}


def grid_of(view: TransferView) -> Grid:
    """The run that a view asks for; equal grids share one job.

    Raises:
        InputError: If no network is chosen, or the numbers of images cannot be used.
    """
    if not view.contenders:
        raise InputError(_("No network is chosen. Choose at least one."))
    return make_grid(
        {
            "sources": view.contenders,
            "data": str(own_folder()) if view.new_task == "folder" else view.new_task,
            "num_images": read_amounts(view.amounts),
            "seeds": view.repeats,
            "test_images": TEST_IMAGES,
            "training": {"epochs": view.rounds},
        }
    )


def passes(grid: Grid) -> dict[str, int]:
    """Network to how many images its branches are shown at most; a head takes next to none."""
    images = grid.test_images + grid.seeds * max(grid.num_images)
    branches = Counter(source.partition(":")[0] for source in grid.sources)
    return {name: images * count for name, count in branches.items()}


def data_name(grid: Grid) -> str:
    """The task as a page may name it: a folder goes by its last name."""
    return Path(grid.data).name


def command(grid: Grid, files: Mapping[str, Path]) -> str:
    """What trains the same without the app; files and folders go by their last names."""
    sources = []
    for source in grid.sources:
        network, colon, branch = source.partition(":")
        sources.append(f"{network_files.shown_file(network, files[network])}{colon}{branch}")
    words = ["advprop", "transfer", "--source", ",".join(sources), "--data", data_name(grid)]
    words += ["--num-images", ",".join(map(str, grid.num_images))]
    words += ["--seeds", str(grid.seeds), "--epochs", str(grid.training.epochs)]
    return shlex.join([*words, "--test-images", str(grid.test_images), "--out", "runs/transfer"])
