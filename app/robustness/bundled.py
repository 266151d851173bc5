"""The results that come with the app: which there are, and which question each answers."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from advprop_core.errors import InputError
from advprop_core.evaluation import studies
from advprop_core.models import bundle
from advprop_core.report.words import is_quoted, matrices, of_kind
from app.language.text import _
from app.shell import cache
from app.shell.messages import tame

_FIRST = "imagenette"
"""What a visitor sees at first: every model under many conditions, on photos."""
_NOT_HERE = ("norm-halves", "added-auxiliaries", "shapes-objects", "transfer")
"""Beginnings of what is on the Anatomy and the Transfer page, and in the docs."""


def bundled() -> dict[str, Path]:
    """Name to file of the results that come with the app, that to begin with in front."""
    folder = bundle.bundle_dir() / "assets" / "results"
    paths = sorted(folder.glob("*.json"), key=lambda path: (path.stem != _FIRST, path.stem))
    return {path.stem: path for path in paths if not path.stem.startswith(_NOT_HERE)}


def read(path: Path) -> Mapping[str, Any]:
    """The content of a file, checked.

    Raises:
        InputError: If it is damaged.
    """
    return cache.results(path, path.stat().st_mtime_ns)


def readable(path: Path) -> Mapping[str, Any]:
    """The same; empty where it is damaged, which is said when it is opened."""
    try:
        return read(path)
    except InputError:
        return {}


def questions(files: Mapping[str, Path]) -> dict[str, str]:
    """Name to the question that the results answer, evaluations before studies."""
    contents = {name: readable(path) for name, path in files.items()}
    ordered = sorted(contents, key=lambda name: is_study(contents[name]))
    titles = {name: question(contents[name]) if contents[name] else name for name in ordered}
    asked = list(titles.values())
    return {
        name: title if asked.count(title) == 1 else f"{title} ({name})"
        for name, title in titles.items()
    }


def is_study(content: Mapping[str, Any]) -> bool:
    """Whether it compares runs over seeds."""
    return content.get("kind") == studies.KIND


def question(content: Mapping[str, Any]) -> str:
    """``Does AdvProp help? 5 seeds``."""
    if is_study(content):
        seeds = len({row["seed"] for row in content["results"]})
        title = tame(_(content["title"]))
        is_asked = title.endswith(("?", "？"))
        sentence = _("{question} {count} seeds") if is_asked else _("{title}: {count} seeds")
        return sentence.format(question=title, title=title, count=seeds)
    rows = content["results"]
    attacks = {row["condition"]["attack"] for row in rows if is_quoted(row)}
    if content.get("shape_bias", {}).get("results"):
        return _("By outline or by texture?")
    if len(attacks) > 1 and "AutoAttack" in attacks:
        return _("Does AutoAttack fool more than PGD?")
    if matrices(rows):
        return _("Whose perturbation harms whom?")
    if of_kind(rows, "corruption"):
        return _("How robust to attacks and corruptions?")
    return _("How robust on {data}?", data=tame(content["data"]))
