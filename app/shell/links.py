"""A view in the address of a page.

A link holds a version and whatever differs from that version's defaults, so that a changed
default does not change an old link.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

from app.language.text import _
from app.shell.messages import quote
from app.shell.view import View, fitting, rules

VERSION = "3"
_SHARED = {"explained": "attacked", "scale": "shared", "opacity": 60}
# Of each version: field to default, where today's differs. Links exist, so an entry never changes.
DEFAULTS: dict[str, dict[str, Any]] = {
    "1": {"model": "shapes-advprop", "image": "scene:2", **_SHARED},
    "2": _SHARED,
    VERSION: {},
}


def encode(view: View) -> dict[str, str]:
    """A view as query parameters: the version, then what differs from its defaults."""
    default = type(view)()
    changed = {
        name: _write(value) for name, value in vars(view).items() if value != getattr(default, name)
    }
    return {"v": VERSION, **changed}


def decode(parameters: Mapping[str, str], default: View) -> tuple[Any, list[str]]:
    """Query parameters as a view, and a sentence for each that could not be used.

    Parameters without ``v`` are no link of ours: then ``default`` holds. Its type says which fields
    there are.
    """
    page = type(default)
    version = parameters.get("v", VERSION)
    if version not in DEFAULTS:
        return default, [
            _(
                "This link has version {version}, which this app does not know.",
                version=quote(version),
            )
        ]
    if "v" in parameters:  # else somebody wrote the address by hand, and means today's defaults
        old = DEFAULTS[version]
        default = page(**{name: old[name] for name in rules(page) if name in old})
    values: dict[str, Any] = {}
    complaints = []
    for name in (name for name in parameters if name in rules(page)):
        try:
            values[name] = _read(page, name, parameters[name])
        except ValueError:
            complaints.append(complaint(name, parameters[name]))
    return replace(default, **values), complaints


def complaint(name: str, value: object) -> str:
    """What is said of a choice that a page does not have."""
    return _(
        "The link asks for {name} = {value}, which is not available here.",
        name=name,
        value=quote(_write(value)),
    )


def _write(value: object) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, tuple):
        # Commas in a word would end it. Letters of all languages stay as they are.
        return ",".join(word.replace("%", "%25").replace(",", "%2C") for word in value)
    return str(value).removesuffix(".0") if isinstance(value, float) else str(value)


def _read(page: type[View], name: str, text: str) -> Any:
    kind = type(rules(page)[name].default)
    if kind is bool:
        value: Any = {"0": False, "1": True}.get(text)
    elif kind is tuple:
        value = [unquote(word) for word in text.split(",")] if text else []
    else:
        value = kind(text)
    return fitting(page, name, value)
