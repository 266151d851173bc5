"""Network files that people open in the app: kept on the server for a while, and by which name.

A file is kept under a hash of its content, and the network made of it under a hash of that and of
what was said of it. So only who has the file, or was given the link, can name either.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st
from pydantic import TypeAdapter

from advprop_core.models import bundle
from advprop_core.models.findings import Findings
from advprop_core.models.header import file_sha256
from advprop_core.models.settings import ModelSettings
from advprop_core.pictures.decoding import content_key
from advprop_core.types import ModelInfo
from app.language.text import _
from app.shell import cache
from app.shell.jobs import Report
from app.shell.messages import tamed

if TYPE_CHECKING:
    from advprop_core.models.checkpoints import Checkpoint
    from advprop_core.models.opening import Look

ENDINGS = (".safetensors", ".pth", ".pt", ".tar", ".bin", ".ckpt")
_ORIGIN = "origin.json"  # beside the kept file
_NAME = re.compile(r"(.+)~[0-9a-f]{16}")
OPENED = "opened"  # names, in the session and in the link
_LONGEST_NAME = 60


@dataclass(frozen=True)
class Origin:
    """Where a network that was opened here comes from, which its kept file does not say.

    Attributes:
        file: What the person calls the file.
        sha256: Of that file.
        settings: What the person said of it.
        findings: What was read of it, found, guessed and ignored.
    """

    file: str
    sha256: str
    settings: ModelSettings
    findings: Findings


_ORIGINS = TypeAdapter(Origin)


def keep(data: bytes, name: str) -> str:
    """Keep a file as it came; returns its key. Its name loses what a path or link cannot hold."""
    safe_name = re.sub(r"[^\w.\-]+", "_", name)[-_LONGEST_NAME:].lstrip(".") or "network"
    key = content_key(data)
    cache.network_uploads().write(key, safe_name, lambda path: path.write_bytes(data))
    return key


# -- by a worker -----------------------------------------------------------------------------------


def look(path: Path, *, progress: Report) -> Look:
    """Find out what the file is."""
    from advprop_core.models import opening  # here: it loads torch

    return opening.look(path, progress=progress)


def describe(
    path: Path, *, settings: ModelSettings, is_found: bool, progress: Report
) -> tuple[ModelInfo, Findings]:
    """What the file holds, with what was said of it; the network itself is not kept.

    ``is_found`` says that its architecture was found from the tensors, and not said.
    """
    progress(0.0)
    checkpoint, findings = _open(path, settings, is_found)
    return tamed(checkpoint.info), findings


def _open(path: Path, settings: ModelSettings, is_found: bool) -> tuple[Checkpoint, Findings]:
    from advprop_core.models.opening import open_unknown

    checkpoint = open_unknown(path, settings)
    findings = checkpoint.findings or Findings.of_own()
    if is_found:
        findings = replace(findings, sources={**findings.sources, "architecture": "found"})
    return checkpoint, findings


def use(path: Path, *, settings: ModelSettings, is_found: bool, progress: Report) -> str:
    """Keep the network that is made of a file, in this project's layout; returns its name."""
    from advprop_core.models import checkpoints

    progress(0.0)
    stem = path.name.removesuffix(".tar").rpartition(".")[0] or path.name
    name = f"{stem}~{content_key(f'{path.parent.name} {settings}'.encode())[:16]}"
    store = cache.opened_networks()
    if store.get(name) is None:
        checkpoint, findings = _open(path, settings, is_found)
        progress(0.5)
        origin = Origin(path.name, file_sha256(path), settings, findings)

        def write(kept: Path) -> None:
            if checkpoint.findings is None:
                shutil.copyfile(path, kept)
            else:
                checkpoints.save(kept, checkpoint.model, checkpoint.info)
            kept.with_name(_ORIGIN).write_bytes(_ORIGINS.dump_json(origin))

        store.write(name, f"{stem}.safetensors", write)
    return name


# -- names -----------------------------------------------------------------------------------------


def was_opened(name: str) -> bool:
    """Whether the network was opened in the app, and did not come with it."""
    return _NAME.fullmatch(name) is not None


def origin(name: str) -> Origin | None:
    """Where a network comes from that was opened here and is kept still; None of any other."""
    path = cache.opened_networks().get(name)
    if path is None:
        return None
    return _ORIGINS.validate_json(path.with_name(_ORIGIN).read_bytes())


def title(name: str) -> str:
    """What a person reads of a network's name: of one that was opened in the app, no hash."""
    if not was_opened(name):
        return name
    return _("{name} (opened here)", name=name.rpartition("~")[0])


def opened() -> tuple[str, ...]:
    """The networks that this person opened, or that a link named, while the server keeps them."""
    fields = (st.query_params.get(field, "") for field in ("model", "tested", OPENED))
    linked = [name for names in fields for name in names.split(",") if was_opened(name)]
    return tuple(cache.still_kept(OPENED, linked, cache.opened_networks()))


def shown_file(name: str, file: Path) -> str:
    """What others may read of a network's file: a bundled one's name, or the file's own."""
    return name if bundle.bundled_models().get(name) == file else file.name
