"""Puts the app and its assets into the wheel, and not into an editable install.

Hatchling's own `force-include` also copies into an editable install, where the copy would go
stale; its `sources` can move a folder but not the single file `streamlit_app.py`.
"""

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class BundleHook(BuildHookInterface):
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version != "editable":
            build_data["force_include"].update(self.config["bundle"])
