"""A comparison in one zip: pictures, answers, maps, and all that is needed to make it again."""

import csv
import hashlib
import io
import json
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch

from advprop_core.compare.bundles.archive import Array, pack, pack_arrays
from advprop_core.compare.bundles.command import CLASSES, compare_command
from advprop_core.compare.bundles.network import Source
from advprop_core.compare.experiment import Experiment
from advprop_core.files import versions
from advprop_core.models.class_names import class_json
from advprop_core.pictures.decoding import encode_png, to_image
from advprop_core.pictures.digests import raw_bytes
from advprop_core.pictures.formats import open_image
from advprop_core.text import legible, spreadsheet_cell
from advprop_core.types import INPUT_KINDS, AttributionMap, Comparison, ModelInfo

FORMAT = 1
MANIFEST, PICTURE, PERTURBED = "manifest.json", "picture.png", "perturbed.png"
ARRAYS, MAPS, ANSWERS, SHEET = "arrays.npz", "maps.npz", "answers.csv", "comparison.png"
_LARGEST_GIVEN = 32_000_000  # bytes


@dataclass(frozen=True, eq=False)
class Record:
    """What a bundle is made of.

    Attributes:
        experiment: What was done.
        comparison: What came of it.
        source: The network.
        title: What a person reads of the picture.
        given: The bytes of the picture's file, where there is one.
        sheet: Everything on one page, as a PNG, where it is drawn.
    """

    experiment: Experiment
    comparison: Comparison
    source: Source
    title: str
    given: bytes | None = None
    sheet: bytes | None = None


def write_bundle(record: Record) -> bytes:
    """The zip; equal records give equal bytes.

    Raises:
        BundleError: If it would be too large.
    """
    files = _files(record)
    manifest = _manifest(record, files)
    text = json.dumps(manifest, indent=2, ensure_ascii=False)
    return pack({MANIFEST: legible(text).encode(), **files})


def picture_arrays(comparison: Comparison) -> dict[str, Array]:
    """The clean and the adversarial picture and what lies between, (3, H, W) each, by name."""
    return {
        "clean": comparison.clean.numpy(),
        "adversarial": comparison.adversarial.numpy(),
        "perturbation": (comparison.adversarial - comparison.clean).numpy(),
    }


def logit_arrays(comparison: Comparison) -> dict[str, Array]:
    """``logits_clean_main`` and so on, (C,) each."""
    return {f"logits_{k}_{b}": p.logits.numpy() for (k, b), p in comparison.predictions.items()}


def map_arrays(comparison: Comparison) -> dict[str, Array]:
    """(H, W) each, signed and unscaled, by names that :func:`map_name` gives."""
    return {map_name(drawn): drawn.values.numpy() for drawn in comparison.maps.values()}


def map_name(drawn: AttributionMap) -> str:
    """Branch, input, method, class and layer: ``main_clean_grad-cam_class3_layer4``."""
    layer = f"_{drawn.layer}" if drawn.layer else ""
    return f"{drawn.branch}_{drawn.input_kind}_{drawn.method}_class{drawn.class_index}{layer}"


def answers_csv(comparison: Comparison, info: ModelInfo) -> str:
    """Every class's probability, a column for each branch and input; exact to the last bit."""
    cells = [(branch, kind) for branch in comparison.branches for kind in INPUT_KINDS]
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["index", "id", "name", *(f"{branch} {kind}" for branch, kind in cells)])
    columns = [comparison.predictions[k, b].probabilities.tolist() for b, k in cells]
    for index, (words, *shares) in enumerate(zip(info.classes, *columns, strict=True)):
        named = [index, *map(spreadsheet_cell, words)]
        table.writerow([*named, *(f"{share:.9g}" for share in shares)])
    return text.getvalue()


def _files(record: Record) -> dict[str, bytes]:
    """Name to content of all but the manifest."""
    comparison, info = record.comparison, record.source.info
    files = {
        PICTURE: encode_png(to_image(comparison.clean)),
        PERTURBED: encode_png(to_image(comparison.adversarial)),
        ARRAYS: pack_arrays(picture_arrays(comparison) | logit_arrays(comparison)),
        MAPS: pack_arrays(map_arrays(comparison)),
        ANSWERS: legible(answers_csv(comparison, info)).encode(),
    }
    given = record.given
    if given is not None and given != files[PICTURE] and len(given) <= _LARGEST_GIVEN:
        files[f"given.{(open_image(given).format or 'image').lower()}"] = given
    if record.sheet is not None:
        files[SHEET] = record.sheet
    if classes := record.source.settings.classes:
        files[CLASSES] = legible("\n".join(classes)).encode()
    return files


def _manifest(record: Record, files: Mapping[str, bytes]) -> dict[str, Any]:
    comparison, info = record.comparison, record.source.info
    return {
        "format": FORMAT,
        "command": compare_command(record.experiment, record.source, PICTURE),
        "replay": "advprop replay THIS.zip",
        "versions": versions(),
        "machine": machine(),
        "network": record.source.to_json(),
        "picture": {
            "title": record.title,
            "given_sha256": record.given and hashlib.sha256(record.given).hexdigest(),
            "pixels_sha256": hashlib.sha256(raw_bytes(comparison.clean)).hexdigest(),
        },
        "experiment": record.experiment.to_json(),
        "attacked_class": class_json(info, comparison.attacked_class),
        "facts": asdict(comparison.facts),
        "maps": [
            {
                "array": map_name(drawn),
                "branch": drawn.branch,
                "input": drawn.input_kind,
                "method": drawn.method,
                "class": class_json(info, drawn.class_index),
                "layer": drawn.layer,
            }
            for drawn in comparison.maps.values()
        ],
        "maps_refused": comparison.maps_refused,
        "files": {name: hashlib.sha256(data).hexdigest() for name, data in files.items()},
    }


def machine() -> dict[str, Any]:
    """What may change the last bits of a sum: processor, system and number of threads."""
    return {
        "processor": platform.machine(),
        "capability": torch.backends.cpu.get_cpu_capability(),
        "system": platform.system(),
        "threads": torch.get_num_threads(),
    }
