"""Folders that hold a data set's splits, each with its class folders; loads no torch."""

import os
from pathlib import Path

from advprop_core.pictures.files import is_hidden

SPLITS = frozenset({"train", "val", "test"})


def split_folder(folder: Path, split: str) -> Path:
    """The folder of ``train`` or ``val``, where every folder inside is called like a split.

    Otherwise it is the folder itself. ``test`` is taken where there is no ``val``.
    """
    entries = folder.iterdir() if folder.is_dir() else ()
    inside = {entry.name for entry in entries if entry.is_dir() and not is_hidden(entry.name)}
    if not inside or not inside <= SPLITS:
        return folder
    names = (split, "test") if split == "val" else (split,)
    return next((folder / name for name in names if name in inside), folder)


def class_folder(folder: Path, name: str) -> str:
    """What the folder of a file's class is called: the outermost one, or that in a split.

    The file's name is its path in a folder of class folders, of splits, or of one class alone.
    """
    *folders, _ = Path(os.path.normpath(name)).parts
    if folders and folders[0] in SPLITS and split_folder(folder, folders[0]) != folder:
        folders = folders[1:]
    return folders[0] if folders else folder.resolve().name
