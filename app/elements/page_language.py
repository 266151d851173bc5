"""The language of the page, for the browser: it picks letters, hyphens and a voice by it."""

from __future__ import annotations

from app.elements.declare import declare

_mount = declare("page_language")


def page_language(code: str) -> None:
    """Say which language the page is in."""
    _mount(key="page.language", data={"language": code})
