"""Features of drawn scenes, and a data set of tiny photos."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from advprop_core.datasets.named import list_images
from advprop_core.influence.features import Extractor, FeatureCache, Features, extract
from advprop_core.models.bundle import open_model
from advprop_core.models.checkpoints import Checkpoint

SCENES = 160


@pytest.fixture(scope="session")
def scenes() -> Features:
    """Of TextureShapes' training scenes, through a bundled network."""
    checkpoint = open_model("shapes-vanilla")
    extractor = Extractor(checkpoint.model.branch("main"), 96)
    return extract(extractor, list_images("shapes", limit=SCENES), 96)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three classes of four photos of noise."""
    rng = np.random.default_rng(0)
    for name in ("church", "crane", "tench"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for index in range(4):
            pixels = rng.integers(0, 256, (40, 40, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "photos" / name / f"{index}.png")
    return tmp_path / "photos"


@pytest.fixture
def checkpoint(dual, make_info) -> Checkpoint:
    return Checkpoint(dual, make_info())


@pytest.fixture
def cache(tmp_path: Path) -> FeatureCache:
    return FeatureCache(tmp_path / "cache")
