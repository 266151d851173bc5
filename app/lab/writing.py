"""``advprop page`` in a process of its own: its exporter changes PyTorch while it works."""

import subprocess
import sys
from importlib.util import find_spec

from advprop_core.errors import InputError
from advprop_core.models.bundle import bundle_dir

_LONGEST = 1200  # seconds; three networks take a minute, on a machine with nothing else to do


def missing() -> str | None:
    """What is to be done before a lab can be written, as a sentence; None where nothing is."""
    if not all(map(find_spec, ("onnx", "onnxscript", "onnxruntime"))):
        return "The lab needs more packages: pip install 'advprop-lens[page]', then start again."
    if not (bundle_dir() / "app" / "web" / "dist" / "lab.js").is_file():
        return "The lab's scripts have not been built: run `make page`, then start again."
    return None


def write(*arguments: object) -> None:
    """Run ``advprop page`` with these arguments, to its end.

    Raises:
        InputError: With its own sentence, if it refuses.
    """
    command = [sys.executable, "-m", "advprop_core.cli", "page", *map(str, arguments)]
    try:
        done = subprocess.run(
            command, cwd=bundle_dir(), capture_output=True, text=True, timeout=_LONGEST
        )
    except subprocess.TimeoutExpired:
        raise InputError(f"the page was not written within {_LONGEST // 60} minutes") from None
    if done.returncode:
        raise InputError(done.stderr.strip().removeprefix("Error: "))
