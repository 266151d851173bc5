"""Choosing a picture: samples, the person's folder, an upload or the camera."""

from typing import Any

import streamlit as st

from advprop_core.pictures.decoding import MAX_PIXELS, content_key, decode, encode_png
from advprop_core.pictures.formats import ImageError
from advprop_core.types import ModelInfo
from app.elements.declare import declare
from app.language.text import N_, _, reader
from app.shell import cache, controls, crops, state
from app.shell.messages import quote, safe, tame
from app.shell.pictures import (
    PHOTOS,
    SCENES,
    PictureGone,
    can_be_cropped,
    suggested,
    with_crop,
)
from app.shell.public import is_public
from app.shell.samples import folder_fits
from app.shell.view import View

UPLOAD = N_("Upload")
CAMERA = N_("Camera")
OWN = N_("Your folder")
OPEN = "gallery.open"  # the key of the popover around all this
REFUSAL = "gallery.refusal"  # in the session: why the last upload could not be used
_GROUP, _LAST_GROUP = "gallery.group", "gallery.last"
_LARGEST = 60  # MB: a 50-megapixel phone photo
_MOST = 12  # photos of one person that the server keeps
_KEPT = "gallery.kept"
_PER_PAGE = 24
_CROPPER, _THUMBNAILS = "cropper", "thumbnails"
_cropper, _thumbnails = map(declare, (_CROPPER, _THUMBNAILS))


def show(view: View, info: ModelInfo, refusal: str | None) -> None:
    """The chooser's content; a choice takes effect at the next run."""
    if refusal:  # here too, for the open chooser covers the page
        st.error(refusal)
    groups = sample_sources(info)
    options = [*groups, UPLOAD, CAMERA]
    if _GROUP not in st.session_state:  # Streamlit forgets it while the chooser is closed
        last = st.session_state.get(_LAST_GROUP)
        st.session_state[_GROUP] = last if last in options else options[0]
    group = st.segmented_control(
        _("Where from"),
        options,
        format_func=reader(),
        required=True,
        key=_GROUP,
        help=_(
            "Scenes are drawn by this project. Photos come with scikit-image. Your own photo "
            "stays on the server that runs this app, in memory, for a while."
        ),
    )
    st.session_state[_LAST_GROUP] = group
    if group == UPLOAD:
        # Of any kind: what cannot be read is refused below, in words that say what to do.
        st.file_uploader(
            _("A photo of your own: JPEG, PNG, WebP, AVIF, TIFF or most other kinds of picture"),
            key="gallery.upload",
            max_upload_size=min(_LARGEST, st.get_option("server.maxUploadSize")),
            on_change=_take,
            args=("gallery.upload",),
        )
    elif group == CAMERA:
        st.camera_input(
            _("Take a picture"),
            key="gallery.camera",
            on_change=_take,
            args=("gallery.camera",),
            help=_(
                "The picture is sent to the server that runs this app, and kept there for a while."
            ),
        )
    elif group is not None:
        sources = groups[group]
        if group == OWN:
            photos, count = cache.own_photos(), len(sources)
            if photos.total > count:
                sentence = _("{count} of your {total:,} photos, from every folder.")
                st.caption(sentence.format(count=count, total=photos.total))
            if photos.left_out:
                st.caption(f"{safe(photos.left_out)}.")
        _samples(sources, view, info)
    if can_be_cropped(view.image):
        _about_photo(view, info)


def sample_sources(info: ModelInfo) -> dict[str, list[str]]:
    """Group title to the pictures on offer; first those of what the network knows."""
    scenes = {
        N_("Scenes"): [f"scene:{index}" for index in range(SCENES)],
        N_("Texture conflicts"): [f"conflict:{index}" for index in range(SCENES)],
    }
    photos = {N_("Photos"): [f"photo:{name}" for name in PHOTOS]}
    knows_scenes = (suggested(info) or "").startswith("scene:")
    samples = scenes | photos if knows_scenes else photos | scenes
    if not (names := cache.own_photos().names):
        return samples
    folder = {OWN: [f"folder:{name}" for name in names]}
    return folder | samples if folder_fits(info) else samples | folder


def _take(widget: str) -> None:
    """Decode what came, keep it re-encoded, and choose it; or say why not."""
    file: Any = st.session_state[widget]
    if file is None:  # the person took the file away again
        return
    try:
        # A public server reads smaller photos: many may come at once.
        image = decode(file.getvalue(), max_pixels=25_000_000 if is_public() else MAX_PIXELS)
    except ImageError as error:
        message = _("{message} The previous picture stays.")
        st.session_state[REFUSAL] = message.format(message=f"{quote(file.name)}: {error}")
        return
    # Its key is a hash of the whole content: only who has the picture can guess it.
    data = encode_png(image)
    key = content_key(data)
    cache.uploads().put(key, data)
    source = f"upload:{key}"
    # One more than stay: the oldest is then dropped, unless it came again since.
    uploads = (*st.session_state.get(_KEPT, ()), source)[-_MOST - 1 :]
    st.session_state[_KEPT] = uploads
    if len(uploads) > _MOST and uploads[0] not in uploads[1:]:
        cache.uploads().drop(uploads[0].partition(":")[2])  # nobody drops what others gave
    # The chooser stays open: it asks for the part to look at, and what it shows.
    controls.choose_picture(source)


def _close() -> None:
    st.session_state[OPEN] = False


def _samples(sources: list[str], view: View, info: ModelInfo) -> None:
    pages = -(-len(sources) // _PER_PAGE)
    if pages > 1:  # a folder of hundreds of photos is not decoded at once
        first = (st.pagination(pages, key="gallery.page") - 1) * _PER_PAGE
        sources = sources[first : first + _PER_PAGE]
    pictures, chosen = [], crops.split(view.image)[0]
    for source in sources:
        kind, name = source.split(":", 1)
        title, image, refusal = tame(name), "", ""
        try:
            image = cache.thumbnail(source, info.input_size)
            if kind != "folder":
                title = _(cache.picture(source, info.input_size).title)
        except (PictureGone, ValueError) as error:  # one bad file of a folder is named, not more
            refusal = str(error)
        picture = {"name": source, "title": title, "image": image, "refusal": refusal}
        pictures.append({**picture, "isChosen": chosen == source})
    choices = {picture["name"] for picture in pictures if not picture["refusal"]}

    def choose() -> None:
        source = st.session_state[_THUMBNAILS].get("chosen")
        if source in choices:  # from a browser anything may come
            controls.choose_picture(source)
            _close()

    data = {"pictures": pictures, "returnTo": ".st-key-gallery-open button"}
    _thumbnails(key=_THUMBNAILS, data=data, on_chosen_change=choose)


def _about_photo(view: View, info: ModelInfo) -> None:
    whole, crop = crops.split(view.image)
    try:
        photo, label = cache.whole_photo(whole), cache.picture(whole, info.input_size).label
    except (PictureGone, ValueError):  # the page says so
        return

    def take() -> None:
        crop = crops.parse(str(st.session_state[_CROPPER].get("crop", "")))
        if crop is not None:  # from a browser anything may come
            # What the person says of the picture stays: it is as true of another part.
            state.choose(image=with_crop(whole, crop))

    st.markdown(_("**The part that the network sees**"))
    alt = _("The chosen photo, with a square on it")
    _cropper(
        key=_CROPPER,
        data={"image": photo, "alt": alt, "crop": str(crop or ""), "smallest": crops.SMALLEST},
        on_crop_change=take,
    )
    if label is None:
        controls.true_class(info)
    st.button(_("Done"), key="gallery.done", on_click=_close, type="primary")
