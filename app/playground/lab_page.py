"""The Playground's network and picture as one HTML file that needs no server."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import threading
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from advprop_core.errors import InputError
from advprop_core.models.bundle import bundle_dir
from advprop_core.types import AttackConfig
from app.shell import cache
from app.shell.comparison import perturbation
from app.shell.tasks import Shown

_ONE_AT_A_TIME = threading.Lock()
_LONGEST = 600  # seconds; a large network takes some minutes


def is_possible() -> bool:
    """Whether the page's scripts are built, and what writes a graph is installed."""
    built = bundle_dir() / "app" / "web" / "dist" / "lab.js"
    return built.is_file() and all(map(find_spec, ("onnx", "onnxscript", "onnxruntime")))


def write(shown: Shown) -> bytes:
    """The file, with the picture as the network takes it.

    A process of its own writes it: the exporter changes PyTorch while it works, and other visitors
    use that too.

    Raises:
        InputError: If the network cannot run in a browser.
    """
    from advprop_core.models import checkpoints
    from advprop_core.pictures.decoding import encode_png, to_image

    lens = cache.load_lens(shown.view.model)
    name = _as_file_name(lens.info.name or lens.network.name)
    with _ONE_AT_A_TIME, tempfile.TemporaryDirectory() as folder:
        workspace = Path(folder)
        network = workspace / f"{name}.safetensors"
        checkpoints.save(network, lens.model, replace(lens.info, base=None))
        picture = workspace / f"{_as_file_name(shown.title)}.png"
        picture.write_bytes(encode_png(to_image(shown.result.clean)))
        words = ["page", "--model", network, "--picture", picture, "--out", workspace / "lab.html"]
        words += ["--attack-branch", shown.view.attack_branch]
        attack = perturbation(shown.view, shown.info)
        if isinstance(attack, AttackConfig) and attack.norm == "linf":
            words += ["--epsilon", f"{attack.epsilon}"]
        command = [sys.executable, "-m", "advprop_core.cli", *map(str, words)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=_LONGEST)
        if done.returncode:
            raise InputError(done.stderr.strip().removeprefix("Error: "))
        return (workspace / "lab.html").read_bytes()


def _as_file_name(title: str) -> str:
    """Without what a path or a link cannot hold."""
    return re.sub(r"[^\w.-]+", " ", title).strip(" .")[:80] or "picture"
