"""The `advprop` command as a whole: what it loads, and its help."""

import subprocess
import sys

import pytest

HEAVY = {"torch", "timm", "captum", "numpy", "streamlit", "plotly", "app"}
# In the order of what they load: they are called one after the other in one Python.
LOADED = (
    (["--help"], set()),
    (["explain", "--help"], set()),
    (["compare", "--help"], set()),
    (["models"], {"numpy"}),
    (["app", "--model", "none"], {"numpy"}),
    (["train", "--data", "none", "--out", "o"], {"numpy", "torch", "timm"}),
)


def test_commands_load_only_what_they_need(tmp_path) -> None:
    code = (
        "import json, sys\n"
        "from advprop_core.cli import main as cli\n"
        f"for words in {[words for words, _ in LOADED]!r}:\n"
        "    try:\n        cli.main(words)\n"
        f"    except SystemExit:\n        print('loaded', *sorted({HEAVY!r} & {{*sys.modules}}))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    lines = [line.split() for line in done.stdout.splitlines()]
    loaded = [{*names} for first, *names in filter(None, lines) if first == "loaded"]
    for (words, allowed), found in zip(LOADED, loaded, strict=True):
        assert found <= allowed, words


@pytest.mark.parametrize(
    "command",
    ["app", "models", "predict", "attack", "explain", "compare", "evaluate", "train", "export"],
)
def test_help_shows_an_example(command, advprop) -> None:
    answer = advprop(command, "--help")
    assert answer.code == 0
    assert f"advprop {command}" in answer.out
