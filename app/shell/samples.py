"""Many pictures of known class for a network at once; loads no torch.

They are drawn scenes, photos of the app's folder, or photos that a person gives: a zip of class
folders, kept on the server for a while under a hash of it. So only who has the zip, or was given
the link, can name it.
"""

import io
import os
import re
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import streamlit as st

from advprop_core.datasets.class_folders import split_folder
from advprop_core.datasets.texture_shapes.scenes import SHAPES
from advprop_core.errors import InputError
from advprop_core.files import ZIP_ERRORS
from advprop_core.models.class_names import match_classes
from advprop_core.pictures.decoding import content_key
from advprop_core.pictures.files import is_hidden, is_picture
from advprop_core.types import ModelInfo
from app.language.text import N_, Sentence, _, join, paragraph
from app.shell import cache
from app.shell.messages import quote, safe
from app.shell.pictures import own_folder
from app.shell.public import is_public

LARGEST = 200  # MB of a zip
_MOST_BYTES = 400_000_000  # of all photos, unpacked
_LARGEST_PHOTO = 20_000_000  # bytes
_MOST_PHOTOS = 5000
_LONGEST_NAME = 100
_NAMES, _REFUSAL = "photo_sets", "photo_sets.refusal"  # in the session
_FIELDS = ("view.data", "view.photos")  # of Robustness and the other pages: as a link has them


@dataclass(frozen=True)
class Source:
    """Pictures of known class.

    Attributes:
        name: As the library reads it: a built-in name or a folder.
        title: What a person reads after a number, in English: ``drawn scenes``.
        limit: At most this many of them, spread over the classes.
    """

    name: str
    title: str
    limit: int


def source_for(info: ModelInfo, limit: int, photos: str) -> Source | None:
    """The zip of this key if it fits, else built-in scenes, else the app's folder if it fits."""
    zip_folder = cache.photo_sets().get(photos)
    if zip_folder is not None and match_classes(info.classes, classes_of(photos)):
        title = Sentence("photos of {folder}", folder=zip_folder.name)
        return Source(str(zip_folder), title, limit)
    if tuple(info.class_ids) == SHAPES:
        return Source("shapes", N_("drawn scenes"), limit)
    if not folder_fits(info):
        return None
    return Source(str(own_folder()), N_("photos of your folder"), limit)


def folder_fits(info: ModelInfo) -> bool:
    """Whether the person's own folder has a folder for a class of this network."""
    return bool(match_classes(info.classes, class_folders()))


def class_folders() -> list[str]:
    """What the class folders of the person's own folder are called, those of val of splits."""
    folder = own_folder()
    return _folders_in(folder and split_folder(folder, "val"))


def no_photos(folders: Sequence[str]) -> str:
    """Why there are no pictures of known class, and what to do."""
    reason = _("There are no photos of known class here.")
    if folders:
        listed = join([quote(name) for name in folders[:6]])
        reason = _(
            "The folder of this app has none of its classes: it holds {folders}.", folders=listed
        )
    advice = _(
        "`advprop app --images FOLDER` takes a folder that holds a folder of photos for each "
        "class, named like the class."
    )
    upload = "" if is_public() else _("Upload them as a zip under **Photos of your own**.")
    return paragraph([reason, upload, advice])


# -- photos of a person's own --------------------------------------------------------------------


def keep(data: bytes, name: str) -> str:
    """Keep the photos of a zip; returns their key.

    Raises:
        InputError: If it is no zip of ``class/photo.jpg``, or too large.
    """
    key = content_key(data)
    # As a person calls the zip, and as a folder may be called.
    allowed = re.sub(r"[^\w.\-() ]", "_", name.removesuffix(".zip"))
    end = os.fsencode(allowed)[-_LONGEST_NAME:].decode(errors="ignore")
    title = end.strip(". ") or "photos"
    if cache.photo_sets().get(key) is None:
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                photos = _photos(archive.infolist(), title)
                cache.photo_sets().write(key, title, lambda to: _unpack(archive, photos, to))
        except InputError:  # which is a ValueError, as those of damaged zips are
            raise
        except ZIP_ERRORS:
            raise InputError(f"{title} is no zip file, or it is damaged or encrypted") from None
    return key


def offered() -> dict[str, str]:
    """Key to title of the photos that this person gave, or that a link names, while kept."""
    linked = [st.session_state.get(field, "") for field in _FIELDS]
    folders = cache.still_kept(_NAMES, linked, cache.photo_sets())
    return {key: folder.name for key, folder in folders.items()}


def classes_of(key: str) -> list[str]:
    """What the class folders are called."""
    return _folders_in(cache.photo_sets().get(key))


def _folders_in(folder: Path | None) -> list[str]:
    if folder is None or not folder.is_dir():
        return []
    paths = folder.iterdir()
    return sorted(path.name for path in paths if path.is_dir() and not is_hidden(path.name))


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
                "with the link of the page can measure on them.",
                size=LARGEST,
                count=_MOST_PHOTOS,
            )
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
