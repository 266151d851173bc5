"""What the Transfer page asks to be trained; loads no torch."""

import shlex
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from advprop_core.errors import InputError
from advprop_core.types import ModelInfo
from app.language.text import _
from app.shell import network_files
from app.shell.pictures import own_folder
from app.transfer.view import TASKS, TransferView, read_amounts

FOLDER = "folder"
TEST_IMAGES = 500


@dataclass(frozen=True)
class TransferRequest:
    """All that decides a run; equal requests share one job."""

    sources: tuple[str, ...]
    task: str
    num_images: tuple[int, ...]
    seeds: int
    epochs: int

    @property
    def data(self) -> str:
        """The task as the library reads it."""
        return str(own_folder()) if self.task == FOLDER else self.task

    @property
    def title(self) -> str:
        """The task as a page may name it: a folder goes by its last name."""
        return Path(self.data).name

    @property
    def networks(self) -> tuple[str, ...]:
        """That of each source."""
        return tuple(source.partition(":")[0] for source in self.sources)

    @property
    def passes(self) -> dict[str, int]:
        """Network to how many images its branches are shown at most; a head takes next to none."""
        images = TEST_IMAGES + self.seeds * max(self.num_images)
        return {name: images * count for name, count in Counter(self.networks).items()}


def request_of(view: TransferView) -> TransferRequest:
    """The run that a view asks for.

    Raises:
        InputError: If no network is chosen, or the numbers of images cannot be used.
    """
    if not view.contenders:
        raise InputError(_("No network is chosen. Choose at least one."))
    return TransferRequest(
        view.contenders, view.new_task, read_amounts(view.amounts), view.repeats, view.rounds
    )


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


def tasks() -> dict[str, str]:
    """The tasks that there are: a person's folder needs splits."""
    folder = own_folder()
    has_splits = folder is not None and (folder / "train").is_dir()
    return TASKS if has_splits else {"shapes": TASKS["shapes"]}


def command(request: TransferRequest, files: Mapping[str, Path]) -> str:
    """What trains the same without the app; files and folders go by their last names."""
    sources = []
    for source in request.sources:
        network, colon, branch = source.partition(":")
        sources.append(f"{network_files.shown_file(network, files[network])}{colon}{branch}")
    words = ["advprop", "transfer", "--source", ",".join(sources), "--data", request.title]
    words += ["--num-images", ",".join(map(str, request.num_images))]
    words += ["--seeds", str(request.seeds), "--epochs", str(request.epochs)]
    return shlex.join([*words, "--test-images", str(TEST_IMAGES), "--out", "runs/transfer"])
