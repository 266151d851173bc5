"""Puts the app and its assets into the wheel, and not into an editable install.

Hatchling's own `force-include` also copies into an editable install, where the copy would go
stale; its `sources` can move a folder but not the single file `streamlit_app.py`.
"""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class BundleHook(BuildHookInterface):
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version != "editable":
            for source, target in self.config["bundle"].items():
                build_data["force_include"].update(_files(Path(self.root), source, target))


def _files(root: Path, source: str, target: str) -> dict[str, str]:
    """Each file to where it goes. Of the page in a browser only what was built of it."""
    origin = root / source
    files = [origin] if origin.is_file() else sorted(filter(Path.is_file, origin.rglob("*")))
    web = root / "app" / "web"
    return {
        str(file): target if file == origin else f"{target}/{file.relative_to(origin)}"
        for file in files
        if "__pycache__" not in file.parts
        and (web not in file.parents or web / "dist" in file.parents)
    }
