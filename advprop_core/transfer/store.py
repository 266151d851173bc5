"""Finished cells on disk, so that a grid that was ended goes on where it was."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from advprop_core.files import Keeper
from advprop_core.transfer.training import Curve

FORMAT = 1
"""Raised when a file's form, or what its figures mean, changes; older files are not found."""


class CellStore(Keeper):
    """A folder with a file for each finished cell, found by all that decides its result.

    Files appear whole or not at all, and the process may be ended at any moment.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def read(self, deciding: Mapping[str, Any]) -> Curve | None:
        """What was kept of a cell; None where nothing was, or the file cannot be read."""
        try:
            content = json.loads(self._path(deciding).read_text("utf-8"))
            curve: Curve = content["result"]
        except (OSError, ValueError, KeyError, TypeError):  # then it is trained again
            return None
        return curve

    def write(self, deciding: Mapping[str, Any], curve: Curve) -> None:
        """Keep a cell, whole or not at all."""
        content = json.dumps({"deciding": deciding, "result": curve}, indent=1)
        self.keep(self._path(deciding), content)

    def _path(self, deciding: Mapping[str, Any]) -> Path:
        text = json.dumps({"format": FORMAT, **deciding}, sort_keys=True)
        return self.folder / f"{hashlib.sha256(text.encode()).hexdigest()[:32]}.json"
