"""Imports point one way, and what is heavy is loaded late."""

import ast
import json
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parent.parent

# The rooms of the library, lowest first. A room imports its own floor and the floors below.
FLOORS = (
    {"types", "checks", "errors"},
    {"text", "processes", "files", "versions"},
    {"pictures"},
    {"models", "attacks", "predict"},
    {"attribution", "datasets"},
    {"evaluation", "compare"},
    {"training", "faithfulness", "report", "anatomy", "bundles", "browser", "influence", "digits"},
    {"cli"},
)
FLOOR = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}

# What the rooms of the app that serve every page may import of the app.
SERVING = {
    "shell": {"shell", "figures", "elements"},
    "figures": {"figures"},
    "elements": {"elements", "figures"},
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


def loaded_by(*modules):
    """Names of what a fresh Python has loaded after importing the modules."""
    code = (
        f"import importlib, json, sys; [importlib.import_module(m) for m in {modules!r}]; "
        "print(json.dumps(sorted(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=REPO, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return set(json.loads(run.stdout.splitlines()[-1]))


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


@pytest.mark.parametrize("name", CORE)
def test_rooms_of_the_library_import_downwards(name):
    room = name.split(".")[1]
    assert room in FLOOR, f"{room} has no floor: give it one in FLOORS"
    higher = {
        used for used in modules_used(name) & set(CORE) if FLOOR[used.split(".")[1]] > FLOOR[room]
    }
    assert not higher


@pytest.mark.parametrize("name", [name for name in APP if name.split(".")[1] in SERVING])
def test_what_serves_every_page_imports_no_page(name):
    room = name.split(".")[1]
    rooms = {used.split(".")[1] for used in modules_used(name) & set(APP)}
    assert rooms <= SERVING[room]


@pytest.mark.parametrize("name", CORE)
def test_the_library_never_imports_the_app(name):
    roots = {used.split(".")[0] for used in imported_in(CORE[name])}
    assert not {"app", "streamlit", "streamlit_app"} & roots
    if not name.startswith("advprop_core.report."):
        assert "plotly" not in roots


def test_the_library_loads_neither_streamlit_nor_plotly():
    loaded = loaded_by(*CORE)
    assert "advprop_core.compare.compare" in loaded
    assert not {"streamlit", "plotly", "app"} & loaded


def test_training_loads_no_captum():
    loaded = loaded_by("advprop_core.training.run")
    assert "torch" in loaded
    assert not {"captum", "streamlit", "plotly", "skimage"} & loaded


@pytest.mark.parametrize(
    "module",
    [
        *("types", "text", "models.header", "models.bundle", "attribution.methods"),
        *("pictures.regions", "training.recipe", "cli.options", "evaluation.studies"),
        *("report.files", "report.plots"),
    ],
)
def test_what_pages_list_before_torch_loads_is_light(module):
    assert not {"torch", "timm", "captum"} & loaded_by(f"advprop_core.{module}")


def test_results_are_drawn_without_torch():
    assert not {"torch", "timm"} & loaded_by("app.figures.robustness", "app.robustness.results")


PAINT_FIRST = ["streamlit_app.py", "app/shell/controls.py", "app/anatomy/controls.py"]


@pytest.mark.parametrize("file", PAINT_FIRST)
def test_what_paints_first_imports_no_torch(file):
    heavy = {"torch", "torchvision", "timm", "captum"}
    assert not heavy & {n.split(".")[0] for n in imported_in(REPO / file, lazily=False)}
    assert not heavy & loaded_by(file.removesuffix(".py").replace("/", "."))


@pytest.mark.parametrize("page", sorted(path.parent.name for path in REPO.glob("app/*/page.py")))
def test_what_a_page_imports_loads_no_torch(page):
    """Its heading and its picture are there before torch is."""
    imported = imported_in(REPO / "app" / page / "page.py", lazily=False)
    ours = {*imported} & {*MODULES}
    assert ours
    assert not {"torch", "timm", "captum"} & loaded_by(*ours)


def test_captum_is_used_for_maps_and_for_tracing_alone():
    users = {
        (name.split(".")[1], ".".join(used.split(".")[:2]))
        for name, path in CORE.items()
        for used in imported_in(path)
        if used.split(".")[0] == "captum"
    }
    assert users == {("attribution", "captum.attr"), ("influence", "captum.influence")}
