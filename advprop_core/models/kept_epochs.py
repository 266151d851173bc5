"""Checkpoints that a run keeps after each epoch, beside the one that it ends with."""

from pathlib import Path

RATE = "learning_rate_then"
"""In the recipe of such a checkpoint: the learning rate of the step before it."""
_FOLDER, _NAME = "epochs", "epoch-{:05}.safetensors"


def epoch_file(run: Path, epoch: int) -> Path:
    """Where the run in a folder keeps the checkpoint after an epoch, counted from 1."""
    return run / _FOLDER / _NAME.format(epoch)


def epoch_files(run: Path) -> list[Path]:
    """The checkpoints that are there, oldest first."""
    return sorted((run / _FOLDER).glob(_NAME.replace("{:05}", "*")))
