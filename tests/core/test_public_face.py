"""What `import advprop_core` gives."""

import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import advprop_core

REPO = Path(__file__).parents[2]


@pytest.mark.parametrize("name", advprop_core.__all__)
def test_every_name_is_there_and_documented(name):
    value = getattr(advprop_core, name)
    assert not inspect.ismodule(value), "a room of the same name hides it"
    assert name == name.upper() or inspect.getdoc(value)


def test_the_face_is_small_and_light():
    assert len(advprop_core.__all__) <= 28
    code = "import advprop_core, sys; sys.exit(bool({'torch', 'plotly'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_room_does_not_hide_a_function_of_its_name():
    code = (
        "import advprop_core.compare.sweep, advprop_core.predict\n"
        "from advprop_core import compare, predict\n"
        "assert callable(compare) and callable(predict)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_example_of_the_readme_runs():
    (example,) = re.findall(r"```python\n(.*?)```", (REPO / "README.md").read_text(), re.DOTALL)
    names = {}
    exec(example, names)
    assert (names["adversarial"] - names["pixels"]).abs().max() <= 4 / 255 + 1e-6
    imported = {line.split()[1] for line in example.splitlines() if "import" in line}
    assert imported == {"torch", "advprop_core"}
