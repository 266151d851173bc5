"""What a killed run is taken up from, and the log that goes with it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from advprop_core.training.recipe import Recipe

STATE, LOG = "state.pt", "metrics.jsonl"


class CannotSave(OSError):
    """A checkpoint could not be written; the one before it is untouched."""


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
    """

    step: int
    sums: dict[str, list[float]]
    unfrozen: int = 0
    best: float = float("inf")
    waited: int = 0
    in_memory: bool | None = None


def identity(recipe: Recipe, data: str, digest: str) -> str:
    """What a run must have in common with the one it continues."""
    return json.dumps({"recipe": recipe.to_json(), "data": Path(data).name, "photos": digest})


def save(path: Path, tensors: dict[str, Any], progress: Progress, identity: str) -> None:
    """Write the state beside the old one, then put it in its place in one move.

    Raises:
        CannotSave: If the disk is full or forbids it; the old state is still there.
    """
    temporary = path.with_suffix(".tmp")
    content = {**tensors, "progress": vars(progress), "identity": identity}
    try:
        with temporary.open("wb") as file:  # a full disk is then told by its name
            torch.save(content, file)
        temporary.replace(path)
    except (OSError, RuntimeError) as error:  # torch reports a full disk as a RuntimeError
        temporary.unlink(missing_ok=True)
        kept = "the one before it is kept" if path.exists() else "there is none before it"
        why = str(error).splitlines()[0]
        raise CannotSave(
            f"the state of the run could not be written to {path} ({why}); {kept}: "
            "make room and continue with --resume"
        ) from error


def kept_in_memory(path: Path) -> bool | None:
    """Whether the run that wrote the state kept its photos in memory; None where none says."""
    if not path.exists():
        return None
    progress = torch.load(path, weights_only=True, map_location="cpu", mmap=True)["progress"]
    return Progress(**progress).in_memory


def load(path: Path, identity: str) -> tuple[dict[str, Any], Progress]:
    """Read a state.

    Raises:
        ValueError: If it is of a run with another recipe or other data; says what differs.
    """
    content = torch.load(path, weights_only=True, map_location="cpu")
    if content["identity"] != identity:
        raise ValueError(
            f"the run in {path.parent} cannot be continued with {_difference(content, identity)}: "
            "use the same, or another --out"
        )
    return content, Progress(**content["progress"])


def cut_log(path: Path, step: int) -> None:
    """Drop the lines of steps that will be done again, and a line that was cut off."""
    if not path.exists():
        return
    kept = []
    for line in path.read_text().splitlines():
        try:
            row = json.loads(line)
        except json.JSONDecodeError:
            break
        if row["step"] <= step:
            kept.append(line)
    temporary = path.with_suffix(".tmp")
    temporary.write_text("".join(f"{line}\n" for line in kept))
    temporary.replace(path)


def _difference(content: dict[str, Any], identity: str) -> str:
    was, now = json.loads(content["identity"]), json.loads(identity)
    if was["recipe"] != now["recipe"]:
        changed = [
            f"{key} {now['recipe'].get(key)!r} (it had {value!r})"
            for key, value in was["recipe"].items()
            if now["recipe"].get(key) != value
        ]
        return "another recipe: " + (", ".join(changed) or "it was made by another version")
    return f"other data: it was trained on {was['data']} with other photos or labels"
