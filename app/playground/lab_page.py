"""The Playground's network and picture as one HTML file that needs no server."""

import re
import tempfile
import threading
from dataclasses import replace
from pathlib import Path

from advprop_core.types import AttackConfig
from app.lab import site
from app.shell import cache
from app.shell.comparison import perturbation
from app.shell.tasks import Shown

_ONE_AT_A_TIME = threading.Lock()


def write(shown: Shown) -> bytes:
    """The file, with the picture as the network takes it.

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
        arguments = ["--model", network, "--picture", picture, "--out", workspace / "lab.html"]
        arguments += ["--attack-branch", shown.view.attack_branch]
        attack = perturbation(shown.view, shown.info)
        if isinstance(attack, AttackConfig) and attack.norm == "linf":
            arguments += ["--epsilon", attack.epsilon]
        site.write(*arguments)
        return (workspace / "lab.html").read_bytes()


def _as_file_name(title: str) -> str:
    """Without what a path or a link cannot hold."""
    return re.sub(r"[^\w.-]+", " ", title).strip(" .")[:80] or "picture"
