"""Imports point one way, and what is heavy is loaded late."""

import ast
import json
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from itertools import chain
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parent.parent

# The rooms of the library, lowest first. A room imports its own floor and the floors below.
FLOORS = (
    {"types", "errors", "language"},
    {"text", "files"},
    {"pictures"},
    {"models", "attacks", "predict"},
    {"attribution", "datasets"},
    {"evaluation", "compare", "visualise"},
    {"training", "faithfulness", "report", "anatomy", "browser", "influence"},
    {"transfer"},
    {"cli"},
)
FLOOR = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}

# What the rooms of the app that serve every page may import of the app.
SERVING = {
    "shell": {"shell", "figures", "elements", "language"},
    "figures": {"figures", "language"},
    "elements": {"elements", "figures", "language"},
    "language": {"language"},
}


def module_name(path):
    parts = path.relative_to(REPO).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {
    module_name(path): path
    for folder in ("advprop_core", "app")
    for path in sorted((REPO / folder).rglob("*.py"))
}
CORE = {name: path for name, path in MODULES.items() if name.startswith("advprop_core.")}
APP = {name: path for name, path in MODULES.items() if name.startswith("app.")}


def heavy_after(modules, heavy):
    """Which of the heavy packages a fresh Python has loaded after each import, in this order."""
    code = (
        f"import importlib, json, sys\nloaded = {{}}\nfor name in {[*modules]!r}:\n"
        "    importlib.import_module(name)\n"
        f"    loaded.setdefault(name, sorted({{*sys.modules}} & {set(heavy)!r}))\n"
        "print(json.dumps(loaded))"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=REPO, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout.splitlines()[-1])


def imported_in(path, *, lazily=True):
    """Dotted names a file imports; without `lazily` only those at its top level."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree) if lazily else tree.body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def modules_used(name):
    """The project's own modules that a module imports anywhere, also lazily or for types alone."""
    used = set()
    for node in ast.walk(ast.parse(MODULES[name].read_text())):
        if isinstance(node, ast.Import):
            used |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            # `from package import module` means the module, not its package.
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            used |= names & set(MODULES) or {node.module}
    return used & set(MODULES) - {name}


def test_no_module_imports_itself_through_others():
    try:
        TopologicalSorter({name: modules_used(name) for name in MODULES}).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_rooms_of_the_library_import_downwards():
    rooms = {name.split(".")[1] for name in CORE}
    assert rooms == {*FLOOR}, "every room has a floor: see FLOORS"
    higher = {
        (name, used)
        for name in CORE
        for used in modules_used(name) & set(CORE)
        if FLOOR[used.split(".")[1]] > FLOOR[name.split(".")[1]]
    }
    assert not higher


def test_what_serves_every_page_imports_no_page():
    serving = [name for name in APP if name.split(".")[1] in SERVING]
    assert {name.split(".")[1] for name in serving} == {*SERVING}
    pages = {
        (name, used)
        for name in serving
        for used in modules_used(name) & set(APP)
        if used.split(".")[1] not in SERVING[name.split(".")[1]]
    }
    assert not pages


def test_the_library_never_imports_the_app():
    for name, path in CORE.items():
        roots = {used.split(".")[0] for used in imported_in(path)}
        assert not {"app", "streamlit", "streamlit_app"} & roots, name
        if not name.startswith("advprop_core.report."):
            assert "plotly" not in roots, name


def test_what_training_and_the_whole_library_load():
    heavy = {"torch", "captum", "skimage", "streamlit", "plotly", "app"}
    loaded = heavy_after(["advprop_core.training.run", *CORE], heavy)
    assert loaded["advprop_core.training.run"] == ["torch"]
    assert not {"streamlit", "plotly", "app"} & {*chain(*loaded.values())}


def test_what_is_there_before_torch_loads_is_light():
    """What pages list, drawn results, and each page's heading and picture."""
    listed = ["types", "text", "models.header", "models.bundle", "attribution.methods"]
    listed += ["pictures.regions", "training.recipe", "cli.options", "evaluation.studies"]
    listed += ["report.pages", "report.plots"]
    modules = [f"advprop_core.{name}" for name in listed]
    modules += ["app.figures.robustness"]
    modules += ["streamlit_app", "app.shell.controls", "app.shell.gallery"]
    for page in sorted(REPO.glob("app/*/page.py")):
        ours = {*imported_in(page, lazily=False)} & {*MODULES}
        assert ours
        modules += sorted(ours)
    loaded = heavy_after(modules, {"torch", "torchvision", "timm", "captum"})
    assert not {name: heavy for name, heavy in loaded.items() if heavy}, "the first is to blame"


def test_captum_is_used_for_maps_and_for_tracing_alone():
    users = {
        (name.split(".")[1], ".".join(used.split(".")[:2]))
        for name, path in CORE.items()
        for used in imported_in(path)
        if used.split(".")[0] == "captum"
    }
    assert users == {("attribution", "captum.attr"), ("influence", "captum.influence")}
