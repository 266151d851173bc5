"""Two small networks and forty photos of two classes that are easy to tell apart."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from advprop_core.models import checkpoints


@pytest.fixture(autouse=True)
def _on_the_cpu(monkeypatch) -> None:
    monkeypatch.setenv("ACCELERATE_USE_CPU", "true")


@pytest.fixture(scope="session")
def network(tmp_path_factory, make_dual, make_info) -> Path:
    path = tmp_path_factory.mktemp("source") / "net.safetensors"
    recipe = {
        "objective": "advprop",
        "attack": {"norm": "l2", "epsilon": 0.5, "step_size": 0.1, "steps": 5},
    }
    checkpoints.save(path, make_dual(), make_info(name="net", recipe=recipe))
    return path


@pytest.fixture(scope="session")
def photos(tmp_path_factory) -> Path:
    """Dark cats and light dogs, in noise."""
    root, rng = tmp_path_factory.mktemp("photos"), np.random.default_rng(0)
    for split, count in (("train", 12), ("test", 8)):
        for name, level in (("cat", 60), ("dog", 190)):
            (root / split / name).mkdir(parents=True)
            for index in range(count):
                pixels = np.clip(rng.normal(level, 40, (40, 40, 3)), 0, 255).astype(np.uint8)
                Image.fromarray(pixels).save(root / split / name / f"{index}.png")
    return root
