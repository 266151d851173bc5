"""The only place that uses Streamlit's caches; every one is bounded."""

from __future__ import annotations

import base64
import io
import json
import os
from collections.abc import Hashable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st
from PIL import Image
from streamlit import runtime

from advprop_core.evaluation import results_file
from advprop_core.models import bundle
from advprop_core.models.findings import Findings
from advprop_core.models.header import CheckpointError, read_info
from advprop_core.models.settings import ModelSettings
from advprop_core.pictures.decoding import decode, encode_png, fit, to_pixels
from advprop_core.types import ModelInfo, Prediction
from app.shell import crops
from app.shell.jobs import Limits
from app.shell.messages import NETWORK_GONE, tamed
from app.shell.pictures import (
    OwnPhotos,
    Picture,
    PictureGone,
    Stamp,
    drawn_scene,
    folder_photos,
    key_of,
    open_picture,
    stamp,
)
from app.shell.pool import Pool
from app.shell.public import LIMITS, is_public
from app.shell.store import BoundedStore, FileStore

if TYPE_CHECKING:
    from torch import Tensor, nn

    from advprop_core.models.checkpoints import Checkpoint
    from advprop_core.models.dual_bn import DualBNModel, PixelNetwork

PREVIEW_SIDE = 448
THUMBNAIL_SIDE = 144
KEPT_NETWORKS = 4_000_000_000  # bytes on the disk, of files as they came and of networks each


@dataclass(frozen=True)
class Network:
    """Which network is meant: a file that training writes anew is another one."""

    name: str
    stamp: Stamp | None  # None where the file is gone


@dataclass(frozen=True)
class Lens:
    """A loaded model, ready for many sessions at once.

    Attributes:
        network: Which one it is.
        info: What its checkpoint says.
        model: The network itself, frozen.
        branches: Name to frozen branch, folded for speed.
        layers: Stages and blocks a map can be made at, shallow to deep, and what a person
            reads of each.
        default_layer: The one that is taken when none is named; empty where no stage has a map.
        finer_layer: The deepest stage with more cells than that; empty where there is none.
        clean_answers: Key of a picture to what each branch answers to it, as it was asked last.
    """

    network: Network
    info: ModelInfo
    model: DualBNModel
    branches: Mapping[str, nn.Module]
    layers: Mapping[str, str]
    default_layer: str
    finer_layer: str
    clean_answers: BoundedStore[Hashable, Mapping[str, Prediction]]


@st.cache_resource(max_entries=1, show_spinner=False)
def pool() -> Pool:
    """The server's one worker pool."""

    def is_here(session: str) -> bool:  # tests and scripts have no runtime
        return not runtime.exists() or runtime.get_instance().is_active_session(session)

    return Pool(is_here=is_here, limits=LIMITS if is_public() else Limits())


@st.cache_resource(max_entries=1, show_spinner=False)
def uploads() -> BoundedStore[str, bytes]:
    """The server's one store of photos, by their content key; each weighs its bytes."""
    # A public server forgets a photo that nobody looks at for two hours.
    return BoundedStore(400_000_000, len, 7200.0 if is_public() else float("inf"))


@st.cache_resource(max_entries=1, show_spinner=False)
def network_uploads() -> FileStore:
    """The server's one store of network files as they came, by their content key."""
    return FileStore(KEPT_NETWORKS)


@st.cache_resource(max_entries=1, show_spinner=False)
def opened_networks() -> FileStore:
    """The server's one store of networks that people opened in the app, by name."""
    return FileStore(KEPT_NETWORKS)


@st.cache_resource(max_entries=1, show_spinner=False)
def photo_sets() -> FileStore:
    """The server's one store of labelled photos that people gave, by their content key."""
    return FileStore(2_000_000_000)  # bytes on the disk


def still_kept(name: str, linked: Iterable[str], store: FileStore) -> dict[str, Path]:
    """Key to path of what this person gave, or a link names, while the server keeps it.

    ``name`` is where the session remembers the keys.
    """
    keys = dict.fromkeys([*st.session_state.get(name, ()), *linked])
    paths = {key: path for key in keys if (path := store.get(key)) is not None}
    st.session_state[name] = tuple(paths)
    return paths


@st.cache_resource(max_entries=1, show_spinner=False)
def calibrated_lenses() -> BoundedStore[Hashable, Lens]:
    """The server's one store of networks with a calibrated branch, by how they were made."""
    return BoundedStore(2)


@st.cache_resource(max_entries=1, show_spinner=False)
def drawings() -> BoundedStore[Hashable, Any]:
    """The server's one store of what pages draw of results, by name and by what it is about."""
    return BoundedStore(128)  # of up to 0.5 MB each


@st.cache_resource(max_entries=1, show_spinner=False)
def tracers() -> BoundedStore[Hashable, Any]:
    """The server's one store of branches with their training images, by what they were made of."""
    return BoundedStore(6)


@st.cache_resource(max_entries=1, show_spinner=False)
def model_files() -> dict[str, Path]:
    """Name to checkpoint file: the person's own first, then the bundled ones.

    A file is named by its stem, or its folder where that is ``model``; files that would share a
    name get as many folders before it as tell them apart.
    """
    named = json.loads(os.environ.get("ADVPROP_MODELS", "[]"))  # a path may hold any separator
    paths = [Path(p) for p in dict.fromkeys(named)]
    places = [path.parent if path.stem == "model" else path.with_suffix("") for path in paths]
    own_files = {_name(place, places): path for path, place in zip(paths, places, strict=True)}
    return own_files | {n: p for n, p in bundle.bundled_models().items() if n not in own_files}


def _name(path: Path, paths: Sequence[Path]) -> str:
    """As many of its last parts as no other place has."""
    for count in range(1, len(path.parts)):
        if sum(other.parts[-count:] == path.parts[-count:] for other in paths) == 1:
            return "/".join(path.parts[-count:])
    return str(path)


def file_of(name: str) -> Path:
    """The checkpoint file of a network that the app was started with, or that was opened in it.

    Raises:
        CheckpointError: If it was opened, and the server no longer keeps it.
    """
    path = model_files().get(name) or opened_networks().get(name)
    if path is None:
        raise CheckpointError(NETWORK_GONE)
    return path


def model_settings() -> ModelSettings:
    """What ``advprop app`` was told of files in a foreign layout."""
    return ModelSettings(**json.loads(os.environ.get("ADVPROP_MODEL_SETTINGS", "{}")))


@st.cache_resource(max_entries=64, show_spinner=False)  # frozen: no copy at every click
def described(name: str) -> tuple[ModelInfo, Findings | None]:
    """What a model's file says of itself, and where that is from: None where it says it all.

    Only a file in a foreign layout must be opened for it.

    Raises:
        CheckpointError: If the file cannot be used.
    """
    path = file_of(name)
    if bundle.says_all_itself(str(path)):
        return tamed(read_info(path)), None
    checkpoint = bundle.open_file(path, model_settings())
    return tamed(checkpoint.info), checkpoint.findings


def model_info(name: str) -> ModelInfo:
    """The header of a model's file; errors are those of :func:`described`."""
    return described(name)[0]


@st.cache_resource(max_entries=1, show_spinner=False)
def _seen() -> dict[str, Network]:
    """By name, as the files were last looked at."""
    return {}


def _forget_changed_models() -> None:
    """Whatever was made of a file that was written anew since; other networks' work goes on."""
    now, before = {name: network_of(name) for name in model_files()}, _seen()
    changed = {before[name] for name in now if before.get(name, now[name]) != now[name]}
    for network in changed:
        described.clear(network.name)
        load_lens.clear(network.name)
    if changed:
        calibrated_lenses.clear()
        pool().forget(lambda key: not changed.isdisjoint(key[0]))  # see tasks.Key
    before.clear()
    before.update(now)


def network_of(name: str) -> Network:
    """What a model's file holds now."""
    try:
        return Network(name, stamp(file_of(name)))
    except (OSError, CheckpointError):  # gone; whoever reads it says so
        return Network(name, None)


def known_models(opened: Iterable[str] = ()) -> dict[str, ModelInfo]:
    """Every model whose file can be read, by name; first those that were opened in the app."""
    _forget_changed_models()
    infos = {}
    for name in (*opened, *model_files()):
        # A CheckpointError, or what ModelInfo refuses: the Models page, which lists every file,
        # says it. Here it is no choice.
        with suppress(ValueError):
            infos[name] = model_info(name)
    return infos


@st.cache_resource(max_entries=4, show_spinner=False)
def load_lens(name: str) -> Lens:
    """The model, loaded, frozen and folded.

    Raises:
        ValueError: If the file cannot be used: a CheckpointError, or what timm does not know.
    """
    network = network_of(name)  # before it is read: what is written meanwhile is noticed
    return make_lens(bundle.open_file(file_of(name), model_settings()), network)


def make_lens(checkpoint: Checkpoint, network: Network) -> Lens:
    """A checkpoint's network, folded, with the layers that maps are offered at."""
    import torch

    from advprop_core.attribution.errors import UnknownLayer
    from advprop_core.attribution.layers import default_layer, finer_layer
    from advprop_core.models.dual_bn import MAIN
    from advprop_core.models.folding import fold

    side = checkpoint.info.input_size
    example = torch.zeros(1, 3, side, side)
    model = checkpoint.model
    branches = {branch: fold(model.branch(branch), example) for branch in model.branch_names}
    try:
        default = default_layer(branches[MAIN], example)
    except UnknownLayer:  # a transformer: some maps need a layer, and say so; others do not
        default = ""
    layers = _layer_titles(model.branch(MAIN), example)
    info, finer = tamed(checkpoint.info), finer_layer(branches[MAIN], example) or ""
    return Lens(network, info, model, branches, layers, default, finer, BoundedStore(256))


def _layer_titles(branch: PixelNetwork, example: Tensor) -> dict[str, str]:
    """Stages, and the blocks in them, indented: those that give the same after folding."""
    from advprop_core.attribution.layers import layer_tree
    from advprop_core.models.dual_bn import norm_layers
    from advprop_core.models.folding import moved_by_folding

    titles, stages = {}, layer_tree(branch, example)
    nodes = {f"network.{node.name}": node for stage in stages for node in (stage, *stage.children)}
    moved, norms = moved_by_folding(branch, example, nodes), norm_layers(branch.network)
    for name, node in nodes.items():
        if node.children and name not in moved and node.name not in norms:
            indent = "" if node in stages else "\u2003"
            height, width = node.size
            titles[node.name] = f"{indent}{node.name}: {height} × {width} cells"
    return titles


@st.cache_resource(max_entries=32, show_spinner=False)
def results(path: Path, written: int) -> Mapping[str, Any]:
    """The content of a results file, checked; ``written`` is when.

    Raises:
        InputError: If it is damaged.
    """
    return results_file.parse(path.name, path.read_bytes())


@st.cache_data(max_entries=1, ttl=300, show_spinner=False)
def own_photos() -> OwnPhotos:
    """The person's own folder, looked through at most every five minutes, for it may be large."""
    return folder_photos()


def _content(source: str) -> bytes:
    """What a source is cached by: a photo of the person's folder that is replaced is another.

    So is an upload that was dropped: it is not shown from here any more. To look at one is a use.
    """
    kind, __, name = crops.split(source)[0].partition(":")
    is_gone = kind == "upload" and uploads().get(name) is None
    try:
        return repr((key_of(source), is_gone)).encode()
    except PictureGone:  # said when it is opened
        return source.encode()


@st.cache_data(max_entries=48, show_spinner=False, hash_funcs={str: _content})
def picture(source: str, size: int) -> Picture:
    """The picture a short text names; see :func:`app.shell.pictures.open_picture`."""
    return open_picture(source, size, uploads(), photo_sets().get)


@st.cache_data(max_entries=64, show_spinner=False, hash_funcs={str: _content})
def pixels(source: str, size: int) -> Tensor:
    """The picture as the network takes it: (1, 3, size, size) in [0, 1]."""
    return to_pixels(decode(picture(source, size).data), size)


@st.cache_data(max_entries=64, show_spinner=False)
def mask(source: str, size: int) -> Tensor | None:
    """(size, size) bool, true on the object of a drawn scene; None for other pictures."""
    import torch

    scene = drawn_scene(source, size)
    return None if scene is None else torch.from_numpy(scene.mask.copy())


@st.cache_data(max_entries=256, show_spinner=False, hash_funcs={str: _content})
def thumbnail(source: str, size: int) -> str:
    """The picture as the network sees it, small, as an address that holds it; loads no torch."""
    return _address(fit(decode(picture(source, size).data), THUMBNAIL_SIDE))


@st.cache_data(max_entries=8, show_spinner=False, hash_funcs={str: _content})
def whole_photo(source: str) -> str:
    """A photo without a crop, not too large, as an address that holds it; loads no torch."""
    photo = decode(picture(source, PREVIEW_SIDE).data)
    photo.thumbnail((PREVIEW_SIDE, PREVIEW_SIDE))
    return _address(photo)


def _address(image: Image.Image) -> str:
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=85)
    return f"data:image/webp;base64,{base64.b64encode(buffer.getvalue()).decode()}"


@st.cache_data(max_entries=128, show_spinner=False, hash_funcs={str: _content})
def preview(source: str, size: int) -> bytes:
    """The picture as the network sees it, enlarged for the eye, as a PNG; loads no torch."""
    image = fit(decode(picture(source, size).data), size)
    factor = max(1, PREVIEW_SIDE // size)
    enlarged = (image.width * factor, image.height * factor)
    return encode_png(image.resize(enlarged, Image.Resampling.NEAREST))
