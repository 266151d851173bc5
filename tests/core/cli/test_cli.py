"""The `advprop` command as a whole: what it loads, and its help."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("words", "absent"),
    [
        (["--help"], {"torch", "timm", "streamlit", "plotly", "captum", "numpy"}),
        (["compare", "--help"], {"torch"}),
        (["explain", "--help"], {"torch", "captum", "numpy"}),
        (["models"], {"torch", "streamlit", "plotly"}),
        (["app", "--model", "none"], {"torch", "timm"}),
        (["train", "--data", "none", "--out", "o"], {"captum", "streamlit", "plotly", "app"}),
    ],
)
def test_commands_load_only_what_they_need(words, absent, tmp_path) -> None:
    code = (
        "import sys\n"
        "from advprop_core.cli import main as cli\n"
        f"try:\n    cli.main({words!r})\n"
        f"except SystemExit:\n    print('loaded', sorted(set(sys.modules) & {absent!r}))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert done.stdout.splitlines()[-1] == "loaded []", done.stdout + done.stderr


@pytest.mark.parametrize(
    "command",
    ["app", "models", "predict", "attack", "explain", "compare", "evaluate", "train", "export"],
)
def test_help_shows_an_example(command, advprop) -> None:
    answer = advprop(command, "--help")
    assert answer.code == 0
    assert f"advprop {command}" in answer.out
