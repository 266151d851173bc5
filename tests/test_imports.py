"""Imports point one way, and what is heavy is loaded late."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parent.parent
CORE = sorted((REPO / "advprop_core").rglob("*.py"))


def module_name(path):
    parts = path.relative_to(REPO).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


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


def test_the_library_loads_neither_streamlit_nor_plotly():
    loaded = loaded_by(*(module_name(path) for path in CORE))
    assert "advprop_core.compare" in loaded
    assert not {"streamlit", "plotly", "app"} & loaded


def test_training_loads_no_captum():
    loaded = loaded_by("advprop_core.training.loop")
    assert "torch" in loaded
    assert not {"captum", "streamlit", "plotly", "skimage"} & loaded


@pytest.mark.parametrize(
    "module",
    [
        *("types", "header", "methods", "regions", "bundle", "training.recipe", "commands.options"),
        *("studies", "report", "report_figures"),
    ],
)
def test_what_pages_list_before_torch_loads_is_light(module):
    assert not {"torch", "timm", "captum"} & loaded_by(f"advprop_core.{module}")


def test_results_are_drawn_without_torch():
    assert not {"torch", "timm"} & loaded_by("app.figures.robustness", "app.robustness.results")


@pytest.mark.parametrize("path", CORE, ids=lambda path: module_name(path))
def test_the_library_never_imports_the_app(path):
    roots = {name.split(".")[0] for name in imported_in(path)}
    assert not {"app", "streamlit", "streamlit_app"} & roots
    if path.name != "report.py":
        assert "plotly" not in roots


@pytest.mark.parametrize(
    ("file", "forbidden"),
    [
        ("types.py", {"attacks", "predict", "dual_bn", "models", "compare", "training"}),
        ("dual_bn.py", {"attacks", "predict", "models", "checkpoints", "compare", "training"}),
        ("predict.py", {"attacks", "models", "checkpoints", "compare", "training"}),
        ("attacks.py", {"models", "checkpoints", "attribution", "compare", "training"}),
        ("attribution", {"models", "checkpoints", "compare", "training"}),
        ("faithfulness", {"models", "checkpoints", "compare", "training"}),
        ("checkpoints.py", {"attacks", "attribution", "compare", "training"}),
        ("evaluation", {"attribution", "compare", "training"}),
    ],
)
def test_rooms_do_not_look_back(file, forbidden):
    room = REPO / "advprop_core" / file
    paths = [room] if room.is_file() else [*room.rglob("*.py")]
    assert paths
    rooms = {
        name.split(".")[1]
        for path in paths
        for name in imported_in(path)
        if name.startswith("advprop_core.")
    }
    assert not forbidden & rooms


def test_only_what_makes_maps_again_knows_how_they_are_made():
    room = REPO / "advprop_core" / "faithfulness"
    users = {
        path.name
        for path in room.glob("*.py")
        if any(name.startswith("advprop_core.attribution") for name in imported_in(path))
    }
    assert users == {"remade.py", "trust.py"}


def test_captum_makes_maps_in_one_place_and_measures_them_in_another():
    users = {
        (path.parent.name, ".".join(name.split(".")[:2]))
        for path in CORE
        for name in imported_in(path)
        if name.split(".")[0] == "captum"
    }
    assert users == {("attribution", "captum.attr"), ("faithfulness", "captum.metrics")}


@pytest.mark.parametrize("name", ["streamlit_app.py", "app/controls.py", "app/anatomy/dial.py"])
def test_what_paints_first_imports_no_torch(name):
    path = REPO / name
    heavy = {"torch", "torchvision", "timm", "captum"}
    assert not heavy & {n.split(".")[0] for n in imported_in(path, lazily=False)}
    if name != "streamlit_app.py":  # that one runs the app when it is imported
        assert not heavy & loaded_by(name.removesuffix(".py").replace("/", "."))
