"""What a person can say of a network file that does not say it itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from advprop_core.models.settings import ModelSettings, class_names_in, read_channels
from advprop_core.text import join
from advprop_core.types import MAX_SIDE, ModelInfo
from app.shell import samples
from app.shell.messages import safe
from app.shell.network_files import Description, Upload

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from advprop_core.models.opening import Look

_TEXT_FILE = "A text file, one name a line"
_IMAGENET = 1000
_LARGEST_LIST = 1  # MB


def architecture(upload: Upload, seen: Look) -> str | None:
    """What timm calls the network: the near matches first, then all others."""
    import timm

    matches = {} if seen.search is None else {m.architecture: m for m in seen.search.matches}
    first = dict.fromkeys(filter(None, [seen.proposal, *matches, seen.architecture]))
    names = list(dict.fromkeys([*first, *timm.list_models()]))

    def written(name: str) -> str:
        if (match := matches.get(name)) is None:
            return name
        return f"{name} ({match.hits} of {match.wanted} tensors)"

    chosen: str | None = st.selectbox(
        "Architecture",
        names,
        index=0 if seen.proposal else None,
        format_func=written,
        key=f"opening.{upload.key}.architecture",
        placeholder="Choose one of timm's networks, or type to search",
    )
    return chosen


def how_found(seen: Look) -> str:
    """Where the proposed architecture comes from."""
    search = seen.search
    if seen.says_all:
        return "A file of this project: it says everything itself."
    if search is None:
        return f"The file says its architecture, {safe(str(seen.architecture))}."
    said = "The file does not say its architecture."
    if seen.architecture:
        said = f"The file says {safe(seen.architecture)}, but its tensors do not fit that."
    if search.candidates == 0:
        return f"{said} None of timm's networks begins and ends with layers of these names."
    some = "" if search.looked_at == search.candidates else f" of {search.candidates}"
    compared = f"{search.looked_at}{some} networks with such layers were compared"
    compared += f" in {search.seconds:.0f} seconds"
    if some:
        compared += ", after which the search stops"
    if not search.fitting:
        return f"{said} {compared}: none fits. The nearest come first."
    alike = join(search.fitting[1:], "or")
    twins = f" {alike} would fit as well: weights do not tell them apart." if alike else ""
    return f"{said} {compared}: {search.fitting[0]} fits.{twins}"


def settings(
    plain: Description, before: ModelSettings, scope: str, names_slot: DeltaGenerator
) -> ModelSettings:
    """Size, mean, std and class names, where the person says others than the file."""
    info = plain.info
    with names_slot:
        chosen = _choose_names(plain, scope)
    size, mean, std = st.columns(3)
    side = size.number_input(
        "Size (pixels)", 1, MAX_SIDE, info.input_size, key=f"opening.{scope}.size"
    )
    texts = {
        name: column.text_input(
            f"{name.title()} (red, green, blue)",
            ", ".join(f"{value:g}" for value in getattr(info, name)),
            key=f"opening.{scope}.{name}",
        )
        for name, column in (("mean", mean), ("std", std))
    }
    names = _names_in_text(info, scope) if chosen == _TEXT_FILE else _class_sets(info).get(chosen)
    return ModelSettings(
        before.architecture,
        None if side == info.input_size else int(side),
        _changed(read_channels(texts["mean"], "Mean"), info.mean),
        _changed(read_channels(texts["std"], "Std"), info.std),
        names,
    )


def _changed(values: tuple[float, ...], before: tuple[float, ...]) -> Any:
    """The values, or None where they are those that were shown."""
    same = all(f"{a:g}" == f"{b:g}" for a, b in zip(values, before, strict=True))
    return None if same else values


def _choose_names(plain: Description, scope: str) -> str:
    """Where class names come from."""
    as_read = "The names in the file"
    if plain.findings.sources["classes"] == "guessed":
        as_read = "ImageNet" if plain.info.num_classes == _IMAGENET else "Numbers"
    chosen: str = st.selectbox(
        "Class names",
        [as_read, _TEXT_FILE, *_class_sets(plain.info)],
        key=f"opening.{scope}.names",
        help="In the order of the network's answers. Folders of photos are taken in the order of "
        "the alphabet, as most training scripts do.",
    )
    return chosen


def _class_sets(info: ModelInfo) -> dict[str, tuple[str, ...]]:
    """Names that the person can choose: of known data sets, and of the folders of photos."""
    from advprop_core.datasets.class_sets import class_sets

    fitting = {
        f"Those of {title}": names
        for title, names in class_sets().items()
        if len(names) == info.num_classes
    }
    folders = samples.class_folders()
    return fitting | ({"The folders of your photos": tuple(folders)} if folders else {})


def _names_in_text(info: ModelInfo, scope: str) -> tuple[str, ...] | None:
    file = st.file_uploader(
        f"{info.num_classes} names, one a line",
        type="txt",
        key=f"opening.{scope}.text",
        max_upload_size=_LARGEST_LIST,
    )
    return None if file is None else class_names_in(file.getvalue(), file.name)
