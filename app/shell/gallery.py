"""Choosing a picture: samples, the person's folder, an upload or the camera."""

from __future__ import annotations

from typing import Any

import streamlit as st

from advprop_core.pictures.decoding import decode, encode_png
from advprop_core.pictures.formats import EXTENSIONS, ImageError
from advprop_core.types import ModelInfo
from app.shell import cache, controls, state
from app.shell.layout import image, in_rows
from app.shell.messages import quote, safe
from app.shell.pictures import PictureGone, keep_upload
from app.shell.view import View

UPLOAD = "Upload"
CAMERA = "Camera"
OPEN = "gallery.open"  # the key of the popover around all this
_REFUSAL = "gallery.refusal"
_COLUMNS = 4
_PER_PAGE = 24
_FAMILIAR = (".jpg", ".jpeg", ".png", ".webp")  # named first: the line is cut off on screens


def show(view: View, info: ModelInfo, refusal: str | None) -> None:
    """The chooser's content; a choice takes effect at the next run."""
    if refusal:  # here too, for the open chooser covers the page
        st.error(refusal)
    groups = controls.sample_sources()
    group = st.segmented_control(
        "Where from",
        [*groups, UPLOAD, CAMERA],
        default=next(iter(groups)),
        required=True,
        key="gallery.group",
        help="Scenes are drawn by this project. Photos come with scikit-image. Your own photo "
        "stays on the server that runs this app, in memory, for a while.",
    )
    if group == UPLOAD:
        st.file_uploader(
            "A photo of your own",
            type=sorted(EXTENSIONS, key=lambda ending: (ending not in _FAMILIAR, ending)),
            key="gallery.upload",
            on_change=_take,
            args=("gallery.upload",),
            help="JPEG, PNG, WebP, AVIF, TIFF or most other kinds of picture. Its centre square is "
            "used, at the network's input size.",
        )
    elif group == CAMERA:
        st.camera_input(
            "Take a picture",
            key="gallery.camera",
            on_change=_take,
            args=("gallery.camera",),
            help="The picture is sent to the server that runs this app, and kept there for a "
            "while.",
        )
    else:
        if group == controls.OWN and (total := cache.own_photos().total) > len(groups[group]):
            st.caption(f"{len(groups[group])} of your {total:,} photos, from every folder.")
        if group == controls.OWN and (left_out := cache.own_photos().left_out):
            st.caption(f"{safe(left_out)}.")
        _samples(groups[group], view, info)


def take_refusal() -> str | None:
    """Why the last upload could not be used, once; the picture before it stays."""
    message = st.session_state.pop(_REFUSAL, None)
    return f"{message} The picture before it stays." if message else None


def _take(widget: str) -> None:
    """Decode what came, keep it re-encoded, and choose it; or say why not."""
    file: Any = st.session_state[widget]
    if file is None:  # the person took the file away again
        return
    try:
        image = decode(file.getvalue())
    except ImageError as error:
        st.session_state[_REFUSAL] = f"{quote(file.name)}: {error}"
        return
    _choose(keep_upload(encode_png(image), cache.uploads()))


def _choose(source: str) -> None:
    """Take the picture, and let the page be seen again."""
    state.choose(image=source)
    st.session_state[OPEN] = False


def _samples(samples: list[tuple[str, str]], view: View, info: ModelInfo) -> None:
    pages = -(-len(samples) // _PER_PAGE)
    if pages > 1:  # a folder of hundreds of photos is not decoded at once
        first = (st.pagination(pages, key="gallery.page") - 1) * _PER_PAGE
        samples = samples[first : first + _PER_PAGE]
    for column, (source, title) in in_rows(samples, _COLUMNS, "small"):
        with column:
            _sample(source, title, view, info)


def _sample(source: str, title: str, view: View, info: ModelInfo) -> None:
    unusable = None
    try:
        data = cache.preview(source, info.input_size)
        image(data, None, title)
    except (PictureGone, ValueError) as error:  # one bad file of a folder is named, not more
        unusable = str(error)
        st.caption(f":material/broken_image: {unusable}")
    st.button(
        title,
        key=f"gallery.{source}",
        on_click=_choose,
        args=(source,),
        type="primary" if source == view.image else "secondary",
        width="stretch",
        disabled=unusable is not None,
    )
