"""Labelled photos of a person's own: a zip of class folders, kept on the server for a while.

They are kept under a hash of the zip. So only who has it, or was given the link, can name them.
"""

import io
import os
import re
import zipfile
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

import streamlit as st

from advprop_core.errors import InputError
from advprop_core.files import ZIP_ERRORS
from advprop_core.pictures.decoding import content_key
from advprop_core.pictures.files import is_hidden, is_picture
from app.language.text import _
from app.shell import cache
from app.shell.messages import safe
from app.shell.public import is_public

LARGEST = 200  # MB of a zip
_MOST_BYTES = 400_000_000  # of all photos, unpacked
_LARGEST_PHOTO = 20_000_000  # bytes
_MOST_PHOTOS = 5000
_LONGEST_NAME = 100
_NAMES, _REFUSAL = "photo_sets", "photo_sets.refusal"  # in the session
_FIELDS = ("view.data", "view.photos")  # of Robustness and the other pages: as a link has them


def keep(data: bytes, name: str) -> str:
    """Keep the photos of a zip; returns their key.

    Raises:
        InputError: If it is no zip of ``class/photo.jpg``, or too large.
    """
    key = content_key(data)
    # As a person calls the zip, and as a folder may be called.
    title = re.sub(r"[^\w.\- ]", "_", name.removesuffix(".zip"))[-_LONGEST_NAME:].strip(". ")
    title = title or "photos"
    if cache.photo_sets().get(key) is None:
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                photos = _photos(archive.infolist(), title)
                cache.photo_sets().write(key, title, lambda to: _unpack(archive, photos, to))
        except ZIP_ERRORS as error:
            if isinstance(error, InputError):
                raise
            raise InputError(f"{title} is no zip file, or it is damaged or encrypted") from None
    return key


def offered() -> dict[str, str]:
    """Key to title of the photos that this person gave, or that a link names, while kept."""
    linked = [st.session_state.get(field, "") for field in _FIELDS]
    folders = cache.still_kept(_NAMES, linked, cache.photo_sets())
    return {key: folder.name for key, folder in folders.items()}


def classes_of(key: str) -> list[str]:
    """What the class folders are called."""
    folder = cache.photo_sets().get(key)
    return [] if folder is None else sorted(path.name for path in folder.iterdir())


def uploader(field: str, *, disabled: bool) -> None:
    """Where a person gives a zip; what it holds becomes the value of this field of the view."""
    if is_public():
        return
    session = st.session_state

    def take() -> None:
        file = session["photo_sets.upload"]
        if file is None:  # taken away again; the photos stay
            return
        try:
            key = keep(file.getvalue(), file.name)
        except InputError as error:
            session[_REFUSAL] = f"{error}."
            return
        session[_REFUSAL] = ""
        session[_NAMES] = (key, *session.get(_NAMES, ()))
        session[f"view.{field}"] = key

    with st.popover(_("Photos of your own"), icon=":material/upload_file:", disabled=disabled):
        st.file_uploader(
            _("A zip with a folder of photos for each class"),
            type="zip",
            key="photo_sets.upload",
            max_upload_size=LARGEST,
            on_change=take,
        )
        st.caption(
            _(
                "`class/photo.jpg`: at most {size} MB and {count} photos. Name the folders like "
                "the network's classes. The server stores the photos for a while, and everyone "
                "with the link of the page can measure on them."
            ).format(size=LARGEST, count=_MOST_PHOTOS)
        )
        if refusal := session.get(_REFUSAL):
            st.error(safe(refusal))


def _photos(entries: Iterable[zipfile.ZipInfo], title: str) -> list[tuple[str, zipfile.ZipInfo]]:
    """Class and entry of every photo; what systems add, and other files, are passed over."""
    photos, outer = [], set()
    for entry in entries:
        path = PurePosixPath(entry.filename)
        is_foreign = any(is_hidden(part) and part != ".." for part in path.parts)
        if entry.is_dir() or is_foreign or not is_picture(path.name):
            continue
        if path.is_absolute() or ".." in path.parts or "\\" in entry.filename:
            raise InputError(f"{title} contains a path outside the zip: pack the folders again")
        if len(path.parts) < 2 or len(os.fsencode(path.parts[-2])) > 2 * _LONGEST_NAME:
            raise InputError(f"{title} must hold a folder for each class, as class/photo.jpg")
        if entry.file_size > _LARGEST_PHOTO:
            raise InputError(f"{title} holds a photo of more than {_LARGEST_PHOTO / 1e6:.0f} MB")
        outer.add(path.parts[:-2])
        photos.append((path.parts[-2], entry))
    # `read` never gives more than what an entry declares, so the sum of these is a limit.
    unpacked = sum(entry.file_size for __, entry in photos)
    if len(photos) > _MOST_PHOTOS or unpacked > _MOST_BYTES:
        raise InputError(
            f"{title} holds {len(photos)} photos of {unpacked / 1e6:.0f} MB, and at most "
            f"{_MOST_PHOTOS} of {_MOST_BYTES / 1e6:.0f} MB are taken: use fewer"
        )
    if len(outer) != 1:
        got = "no photo" if not outer else "folders within folders"
        raise InputError(f"{title} must contain class/photo.jpg for each photo, but contains {got}")
    return photos


def _unpack(
    archive: zipfile.ZipFile, photos: Iterable[tuple[str, zipfile.ZipInfo]], to: Path
) -> None:
    """Write the photos under names of our own, in folders called like their classes."""
    to.mkdir(exist_ok=True)
    for number, (name, entry) in enumerate(photos):
        folder = to / name
        folder.mkdir(exist_ok=True)
        ending = PurePosixPath(entry.filename).suffix.lower()
        (folder / f"{number:05}{ending}").write_bytes(archive.read(entry))
