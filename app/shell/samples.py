"""Many pictures of known class for a network at once; loads no torch."""

from collections.abc import Sequence
from dataclasses import dataclass

from advprop_core.datasets.class_folders import split_folder
from advprop_core.datasets.texture_shapes.scenes import SHAPES
from advprop_core.models.class_names import match_classes
from advprop_core.pictures.files import is_hidden
from advprop_core.types import ModelInfo
from app.language.text import N_, Sentence, _, join, paragraph
from app.shell import cache, photo_sets
from app.shell.messages import quote
from app.shell.pictures import own_folder
from app.shell.public import is_public


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
    if zip_folder is not None and match_classes(info.classes, photo_sets.classes_of(photos)):
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
    if folder is None or not folder.is_dir():
        return []
    paths = split_folder(folder, "val").iterdir()
    return sorted(path.name for path in paths if path.is_dir() and not is_hidden(path.name))


def no_photos(folders: Sequence[str]) -> str:
    """Why there are no pictures of known class, and what to do."""
    reason = _("There are no photos of known class here.")
    if folders:
        listed = join([quote(name) for name in folders[:6]])
        reason = _("The folder of this app has none of its classes: it holds {folders}.").format(
            folders=listed
        )
    advice = _(
        "`advprop app --images FOLDER` takes a folder that holds a folder of photos for each "
        "class, named like the class."
    )
    upload = "" if is_public() else _("Upload them as a zip under **Photos of your own**.")
    return paragraph([reason, upload, advice])
