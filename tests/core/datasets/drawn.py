"""Small image files in the layouts of published sets."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image

TENCH, GOLDFISH, SHARK, SPRINGER = "n01440764", "n01443537", "n01484850", "n02102040"


def put(path: Path, level: int = 128, side: int = 8) -> Path:
    """A grey image; the folder is made if need be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (side, side), (level, level, level)).save(path)
    return path


def put_classes(root: Path, names: Iterable[str], count: int = 1, ending: str = "JPEG") -> Path:
    """A folder for each class, with images 0, 1 … of different levels."""
    for place, name in enumerate(names):
        for image in range(count):
            put(root / name / f"{image}.{ending}", (40 * place + 10 * image) % 256)
    return root


def put_tiny_imagenet(root: Path) -> Path:
    """Two classes, three photos to train with and one to validate; wnids.txt is not sorted."""
    for wnid, level in ((TENCH, 40), (SHARK, 200)):
        for image in range(3):
            put(root / "train" / wnid / "images" / f"{wnid}_{image}.JPEG", level)
        (root / "train" / wnid / f"{wnid}_boxes.txt").write_text("0 0 1 1")
    put(root / "val" / "images" / "val_0.JPEG", 200)
    put(root / "val" / "images" / "val_1.JPEG", 40)
    (root / "val" / "val_annotations.txt").write_text(
        f"val_0.JPEG\t{SHARK}\t0\t0\t62\t62\nval_1.JPEG\t{TENCH}\t0\t0\t62\t62\n"
    )
    (root / "wnids.txt").write_text(f"{SHARK}\n{TENCH}\n")
    (root / "words.txt").write_text(f"{TENCH}\ttench, Tinca tinca\nn00000001\tnothing\n")
    return root


def put_cifar10_c(root: Path, kinds: Iterable[str] = ("fog",), count: int = 20) -> Path:
    """Images whose level tells severity (tens) and row; labels take turns."""
    root.mkdir(parents=True)
    np.save(root / "labels.npy", np.tile(np.arange(count) % 10, 5))
    levels = (np.arange(1, 6)[:, None] * 40 + np.arange(count)).astype(np.uint8).reshape(-1)
    for kind in kinds:
        np.save(root / f"{kind}.npy", np.tile(levels[:, None, None, None], (1, 32, 32, 3)))
    return root
