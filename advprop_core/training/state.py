"""What a killed run is taken up from, and the log that goes with it."""

import io
import json
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch

from advprop_core.errors import InputError
from advprop_core.evaluation.processes import Processes
from advprop_core.files import remove_unfinished, write_whole
from advprop_core.training.recipe import Recipe

STATE, LOG = "state.pt", "metrics.jsonl"


@dataclass
class Progress:
    """Where a run stands; everything else in its state is tensors.

    Attributes:
        step: Steps done.
        sums: Part name to summed loss, summed share of hits and number of steps, of the epoch
            that is not finished yet.
        unfrozen: Stages that were unfrozen on the way.
        best: Lowest loss of an epoch since the last stage was unfrozen.
        waited: Epochs since then.
        in_memory: Whether the photos are kept in memory, which decides how they are augmented;
            None in states of older versions.
        logged: Bytes of the log at that step; likewise.
    """

    step: int
    sums: dict[str, list[float]]
    unfrozen: int = 0
    best: float = float("inf")
    waited: int = 0
    in_memory: bool | None = None
    logged: int | None = None


@dataclass(frozen=True)
class Saved:
    """A run as it was when it was saved.

    Attributes:
        tensors: State dicts of its model, its optimiser and its average, on the CPU.
        progress: Where it stood.
        identity: Of :func:`identity`.
    """

    tensors: dict[str, Any]
    progress: Progress
    identity: str

    def require(self, identity: str) -> None:
        """Refuse to be continued as another run.

        Raises:
            InputError: If the recipe, the data or the number of processes is another; says what
                differs.
        """
        was, now = json.loads(self.identity), json.loads(identity)
        was.setdefault("processes", now["processes"])  # states of older versions do not say
        if was != now:
            raise InputError(
                f"the run in --out cannot be continued with {_difference(was, now)}: use the "
                "same, or another --out"
            )


def identity(recipe: Recipe, data: str, digest: str, processes: int) -> str:
    """What a run must have in common with the one it continues."""
    return json.dumps(
        {
            "recipe": recipe.to_json(),
            "data": Path(data).name,
            "photos": digest,
            "processes": processes,
        }
    )


def save(path: Path, tensors: dict[str, Any], progress: Progress, identity: str) -> None:
    """Write the state in place of the old one, and remove what a killed run left half written.

    Raises:
        CannotWrite: If the disk is full or forbids it; the old state is still there.
    """
    content = io.BytesIO()  # torch, writing a file itself, does not say that the disk is full
    torch.save({**tensors, "progress": vars(progress), "identity": identity}, content)
    remove_unfinished(path.parent)
    write_whole(path, content.getbuffer())


def read(path: Path, processes: Processes) -> Saved | None:
    """The first process's state, on all of them, for hosts need not share a folder.

    Returns:
        None where there is none.

    Raises:
        InputError: If the file is damaged.
    """
    there = processes.is_first and path.exists()
    return processes.from_first(_read(path) if there else None)


def _read(path: Path) -> Saved:
    try:
        content = torch.load(path, weights_only=True, map_location="cpu")
        progress, identity = Progress(**content.pop("progress")), content.pop("identity")
    except PermissionError:
        raise
    # A file that breaks off makes torch ask the system for places before its beginning.
    except (EOFError, KeyError, OSError, RuntimeError, TypeError, UnpicklingError) as error:
        raise InputError(
            f"{path} is damaged and the run cannot be continued: remove it to start afresh"
        ) from error
    return Saved(content, progress, identity)


def _difference(was: dict[str, Any], now: dict[str, Any]) -> str:
    if was["recipe"] != now["recipe"]:
        changed = [
            f"{key} {now['recipe'].get(key)!r} (it had {value!r})"
            for key, value in was["recipe"].items()
            if now["recipe"].get(key) != value
        ]
        return "another recipe: " + (", ".join(changed) or "it was made by another version")
    if was["processes"] != now["processes"]:
        return f"another number of processes: {now['processes']} (it had {was['processes']})"
    return f"other data: it was trained on {was['data']} with other photos or labels"
