"""The form of ``results.json``; loads no torch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from advprop_core.errors import InputError

FORMAT = 1
"""Raised when the form of ``results.json`` changes."""


def read_content(path: Path) -> dict[str, Any]:
    """Read a ``results.json``.

    Raises:
        InputError: If it is no such file, or of another format.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError):
        content = None
    if not isinstance(content, dict) or not {"format", "results"} <= content.keys():
        raise InputError(f"{path} holds no results of advprop evaluate: give another folder")
    if content["format"] != FORMAT:
        raise InputError(
            f"{path} has results in format {content['format']}, this version reads format "
            f"{FORMAT}: give --report another folder, or delete this one"
        )
    return content
