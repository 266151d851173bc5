"""What commands leave behind: tables and sentences, JSON, folders with pictures and arrays."""

from __future__ import annotations

import json
import os
import re
import shlex
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from advprop_core.errors import InputError
from advprop_core.files import write_whole
from advprop_core.report.tables import TEXTS
from advprop_core.report.tables import Table as PlainTable
from advprop_core.text import join

if TYPE_CHECKING:
    from advprop_core.report.colours import Array

Json = dict[str, Any]
"""What a command's results are as plain values."""
_NUMBERS = re.compile(r"\[\n\s+([-+.,\deE\s]+?)\n\s+\]")
_FILE_WIDTH = 160  # a file has no width of its own, and tables need not be folded in it


class Report:
    """Where a command's words go, and its JSON at the end; of several processes, the first one's.

    Args:
        json_file: Path, ``-`` for standard output (the words then go to standard error), or
            None. A path that cannot be written is refused now rather than after the work.
    """

    def __init__(self, json_file: str | None) -> None:
        if json_file is not None and json_file != "-":
            try_file(Path(json_file), "--json")
        self._json_file = json_file
        self._speaks = is_first_process()
        self.console = Console(stderr=json_file == "-", highlight=False, quiet=not self._speaks)
        if not self.console.is_terminal and "COLUMNS" not in os.environ:
            self.console.width = _FILE_WIDTH

    def say(self, text: str) -> None:
        """One line as it is: brackets are no markup, and long paths are not broken."""
        self.console.print(text, markup=False, soft_wrap=True)

    def show(self, table: Table | PlainTable) -> None:
        """A table; of a report's, the columns that a terminal has room for."""
        self.console.print(_in_rich(table) if isinstance(table, PlainTable) else table)

    def save(self, folder: Path, pictures: str, arrays: Mapping[str, Array], content: Json) -> None:
        """Write arrays.npz and manifest.json beside the pictures that are there, and say so."""
        import numpy as np

        np.savez_compressed(folder / "arrays.npz", allow_pickle=False, **arrays)
        write_json(folder / "manifest.json", content)
        self.say(f"wrote {pictures}, arrays.npz and manifest.json to {folder}")

    def finish(self, content: Json) -> None:
        """Write the JSON, if it was asked for."""
        if not self._speaks:
            return
        if self._json_file == "-":
            sys.stdout.write(_as_json(content))
        elif self._json_file is not None:
            write_json(Path(self._json_file), content)
            self.say(f"wrote {self._json_file}")


def _in_rich(table: PlainTable) -> Table:
    """The columns that a terminal has room for, without the model's."""
    columns = [
        index
        for index in table.brief or range(len(table.columns))
        if table.columns[index] != "model"
    ]
    names = [table.columns[index] for index in columns]
    rich_table = bare_table(names, {*names} - TEXTS)
    for row in table.rows:
        rich_table.add_row(*(row[index] for index in columns))
    return rich_table


def bare_table(
    columns: Iterable[str],
    numbers: Collection[str] = (),
    gap: int = 2,
    widths: Sequence[int] = (),
) -> Table:
    """A table without lines. Columns of numbers stand right; the others may be folded.

    With ``widths``, the least of each column, numbers may be folded too.
    """
    table = Table(box=None, pad_edge=False, padding=(0, gap, 0, 0))
    for name, width in zip_longest(columns, widths):
        is_number = name in numbers
        table.add_column(
            name,
            justify="right" if is_number else "left",
            overflow="ellipsis" if is_number and width is None else "fold",
            no_wrap=is_number and width is None,
            min_width=width,
        )
    return table


def require_new_file(path: Path, endings: Sequence[str] = (".safetensors",)) -> None:
    """Refuse what is no name for a model file, and to write over one, by an InputError."""
    if path.is_dir() or path.suffix not in endings:
        raise InputError(f"--out must be a {join(endings, 'or')} file, got {path}")
    if path.exists():
        raise InputError(f"{path} already exists: give another --out, or move it away")


def try_file(path: Path, option: str) -> None:
    """Refuse a file that cannot be written before work is done for it; the folder is made."""
    if path.is_dir():
        raise InputError(f"{option} must be a file, {path} is a folder")
    was_there = path.exists()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.open("a").close()
    except OSError as error:
        raise InputError(f"{option} cannot be written to {path}: {error.strerror}") from None
    if not was_there:
        path.unlink(missing_ok=True)  # nothing empty is left; another process may do the same


def is_first_process() -> bool:
    """Whether this is the one that speaks, where torchrun or Accelerate started several."""
    return os.environ.get("RANK", "0") == "0"


def write_json(path: Path, content: Json) -> None:
    """Write readable JSON; the folder is made if need be."""
    write_whole(path, _as_json(content))


def make_folder(path: Path, option: str = "--out") -> Path:
    """The folder, made if need be; raises InputError if there is a file in its place."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise InputError(
            f"{option} must be a folder, and there is a file in the way of {path}"
        ) from None
    return path


def command_line() -> str:
    """The command as it can be typed again."""
    return shlex.join(["advprop", *sys.argv[1:]])


def _as_json(content: Json) -> str:
    text = json.dumps(content, indent=2, ensure_ascii=False)
    # A curve on one line instead of one for each number; no text has a line break in JSON.
    return _NUMBERS.sub(lambda numbers: re.sub(r"\s+", " ", f"[{numbers[1]}]"), text) + "\n"
