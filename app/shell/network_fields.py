"""What a person can say of a network file that does not say it itself."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from advprop_core.models.findings import Findings
from advprop_core.models.settings import ModelSettings, class_names_in, read_channels
from advprop_core.types import MAX_SIDE, ModelInfo
from app.language.text import N_, Sentence, _, join, paragraph, reader
from app.shell import samples
from app.shell.cache import Description
from app.shell.messages import safe

if TYPE_CHECKING:
    from advprop_core.models.opening import Look

FACTS = {
    "architecture": N_("architecture"),
    "size": N_("size"),
    "mean": N_("mean"),
    "std": N_("std"),
    "classes": N_("classes"),
    "branches": N_("branches"),
}
"""What the library finds of a file."""
_FROM = {
    "given": N_("set by the person who opened it"),
    "read": N_("read in the file"),
    "found": N_("found from the tensors"),
    "guessed": N_("guessed: check it"),
}
_COLOURS = {
    "mean": N_("Mean (red, green, blue)"),
    "std": N_("Std (red, green, blue)"),
}
_TEXT_FILE = N_("A text file, one name a line")
_IMAGENET = 1000
_LARGEST_LIST = 1  # MB


def architecture(scope: str, seen: Look) -> str | None:
    """What timm calls the network: the near matches first, then all others."""
    import timm

    matches = {} if seen.search is None else {m.architecture: m for m in seen.search.matches}
    first = filter(None, [seen.proposal, *matches, seen.architecture])
    names = list(dict.fromkeys([*first, *timm.list_models()]))
    titles = {
        name: _("{name} ({hits} of {wanted} tensors)").format(
            name=name, hits=match.hits, wanted=match.wanted
        )
        for name, match in matches.items()
    }
    return st.selectbox(
        _("Architecture"),
        names,
        index=0 if seen.proposal else None,
        format_func=lambda name: titles.get(name, name),
        key=f"opening.{scope}.architecture",
        placeholder=_("Choose one of timm's networks, or type to search"),
    )


def how_found(seen: Look) -> str:
    """Where the proposed architecture comes from."""
    search = seen.search
    if seen.says_all:
        return _("A file of this project: it describes itself completely.")
    if search is None:
        return _("The file says its architecture, {architecture}.").format(
            architecture=safe(str(seen.architecture))
        )
    sentences = [_("The file does not say its architecture.")]
    if seen.architecture:
        sentence = _("The file says {architecture}, but its tensors do not fit that.")
        sentences = [sentence.format(architecture=safe(seen.architecture))]
    if search.candidates == 0:
        nothing = _("None of timm's networks begins and ends with layers of these names.")
        return paragraph([*sentences, nothing])
    compared = _("{count} of {candidates} networks with such layers were compared.")
    sentences.append(compared.format(count=search.looked_at, candidates=search.candidates))
    if not search.fitting:
        return paragraph([*sentences, _("None fits. The nearest come first.")])
    first, *others = search.fitting
    sentences.append(_("{name} fits.").format(name=first))
    if others:
        twins = _("{names} would fit as well: their tensors have the same names and shapes.")
        sentences.append(twins.format(names=join(others)))
    return paragraph(sentences)


def settings(
    plain: Description, before: ModelSettings, scope: str, names_slot: DeltaGenerator
) -> ModelSettings:
    """Size, mean, std and class names, where the person says others than the file."""
    info = plain.info
    as_read = N_("The names in the file")
    if plain.findings and plain.findings.sources["classes"] == "guessed":
        as_read = "ImageNet" if info.num_classes == _IMAGENET else N_("Numbers")
    class_sets = _class_sets(info)
    chosen = names_slot.selectbox(
        _("Class names"),
        [as_read, _TEXT_FILE, *class_sets],
        format_func=reader(),
        key=f"opening.{scope}.names",
        help=_(
            "In the order of the network's answers. Class folders are sorted by the alphabet, as "
            "in most training scripts."
        ),
    )
    size, mean, std = st.columns(3)
    side = size.number_input(
        _("Size (pixels)"), 1, MAX_SIDE, info.input_size, key=f"opening.{scope}.size"
    )
    given: dict[str, Any] = {}
    for name, column in (("mean", mean), ("std", std)):
        shown = ", ".join(f"{value:g}" for value in getattr(info, name))
        text = column.text_input(_(_COLOURS[name]), shown, key=f"opening.{scope}.{name}")
        if text != shown:
            given[name] = read_channels(text, name.capitalize())
    if side != info.input_size:
        given["size"] = int(side)
    names = class_sets.get(chosen)
    if chosen == _TEXT_FILE:
        file = st.file_uploader(
            _("{count} names, one a line").format(count=info.num_classes),
            type="txt",
            key=f"opening.{scope}.text",
            max_upload_size=_LARGEST_LIST,
        )
        names = class_names_in(file.getvalue(), file.name) if file is not None else None
    return replace(before, classes=names, **given)


def _class_sets(info: ModelInfo) -> dict[str, tuple[str, ...]]:
    """Names that the person can choose, by where they come from: data sets, folders of photos."""
    from advprop_core.datasets.class_sets import class_sets

    fitting = {
        Sentence("Those of {data}", data=title): names
        for title, names in class_sets().items()
        if len(names) == info.num_classes
    }
    folders = samples.class_folders()
    return fitting | ({N_("The folders of your photos"): tuple(folders)} if folders else {})


def show_facts(findings: Findings, info: ModelInfo) -> None:
    """What describes a network, where each thing is known from, and what its file lacks."""
    st.table(
        [
            {
                _("What"): _(FACTS[name]),
                _("Value"): safe(value),
                _("Known from"): _(_FROM[source or "read"]),
            }
            for name, value, source in findings.facts(info)
        ],
        border="horizontal",
        hide_index=True,
    )
    for remark in findings.remarks("the file"):
        st.markdown(safe(remark))
