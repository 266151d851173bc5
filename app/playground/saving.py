"""What can be saved of a comparison; every file is made when its button is pressed."""

import re
import tempfile
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import streamlit as st

from advprop_core.compare.bundles.archive import pack_arrays
from advprop_core.compare.bundles.network import Source
from advprop_core.compare.bundles.write import (
    Record,
    answers_csv,
    map_arrays,
    picture_arrays,
    write_bundle,
)
from advprop_core.compare.experiment import Experiment
from advprop_core.models import checkpoints
from advprop_core.models.bundle import says_all_itself
from advprop_core.models.header import file_sha256
from advprop_core.models.settings import ModelSettings
from advprop_core.pictures.decoding import encode_png, to_image
from advprop_core.report.comparison_sheet import draw_comparison
from advprop_core.types import AttackConfig, Comparison
from app.figures.pictures import makers
from app.lab import site
from app.lab.routes import ADDRESS
from app.language.text import _, reader
from app.playground import words
from app.shell import cache, network_files
from app.shell.comparison import map_request, perturbation
from app.shell.pictures import PictureGone
from app.shell.tasks import Shown

_ONE_AT_A_TIME = threading.Lock()


def show(shown: Shown, drawn: Shown | None) -> None:
    """The perturbed picture, and a menu of the rest.

    Args:
        shown: The comparison.
        drawn: Its maps, where they are there already.
    """
    result: Comparison = shown.result
    maps = drawn if drawn is not None and drawn.task.about == shown.task else None
    with st.container(horizontal=True, vertical_alignment="center"):
        _offer(
            _("Save the perturbed picture (PNG)"),
            "perturbed.png",
            lambda: encode_png(to_image(result.adversarial)),
            _("8 bits a colour, at the size that the network takes."),
        )
        with st.popover(_("Save more"), icon=":material/download:"):
            _offer(
                _("Save everything (zip)"),
                "comparison.zip",
                lambda: _bundle(shown, maps),
                _(
                    "Pictures, answers, maps, settings, seeds, versions, and the command that "
                    "repeats the comparison. `advprop replay comparison.zip` checks that the "
                    "numbers are the same."
                ),
            )
            if site.missing() is None:
                _offer(
                    _("A page that needs no server (HTML)"),
                    "lab.html",
                    lambda: write_lab(shown),
                    _(
                        "This network and this picture in one file. It attacks, answers and draws "
                        "maps in a browser, offline, on a phone too. Writing it takes about a "
                        "minute."
                    ),
                )
            _offer(
                _("One page (PNG)"),
                "comparison.png",
                lambda: _sheet(_record(shown, maps), shown.view.scale),
                _("Pictures, maps and answers as one picture, for a slide."),
            )
            _offer(
                _("Perturbed picture, exact (npz)"),
                "perturbed.npz",
                lambda: pack_arrays(picture_arrays(result)),
                _("Full precision: clean, adversarial and perturbation, float32, (3, H, W)."),
            )
            _offer(
                _("Answers (CSV)"),
                "answers.csv",
                lambda: answers_csv(result, shown.info).encode(),
                _("The probability of every class, for each branch and picture."),
            )
            if maps is not None and maps.result.maps:
                with_maps: Comparison = maps.result
                _offer(
                    _("Maps (npz)"),
                    "maps.npz",
                    lambda: pack_arrays(map_arrays(with_maps)),
                    _("As they were computed: signed, without a colour scale."),
                )
            _one_picture(shown, maps)
        st.link_button(
            _("The lab"),
            ADDRESS,
            icon=":material/smartphone:",
            help=_("The same on a phone and offline: a page whose network runs in the browser."),
        )
    st.caption(words.survival(result))


def _one_picture(shown: Shown, drawn: Shown | None) -> None:
    """Any picture of the board by itself."""
    result = replace(shown.result, maps={}) if drawn is None else drawn.result
    pictures = makers(result, shown.view.scale, shown.view.opacity / 100)
    title = st.selectbox(
        _("One picture alone"),
        list(pictures),
        format_func=reader(),
        key="save.which",
        help=_("A photo, the perturbation or a map, as a file of its own."),
    )
    _offer(
        _("This picture (PNG)"),
        f"{re.sub('[^a-z0-9]+', '-', title.lower())}.png",
        pictures[title],
        _(
            "The clean and the perturbed picture as the network takes them, pixel by pixel; the "
            "others enlarged."
        ),
    )


def _offer(label: str, file: str, make: Callable[[], bytes], help: str) -> None:
    st.download_button(
        label,
        make,
        file_name=file,
        key=f"save.{file}",
        icon=":material/download:",
        on_click="ignore",
        help=help,
    )


def _record(shown: Shown, drawn: Shown | None) -> Record:
    """All that is saved, with the maps where they are there."""
    view, lens = shown.view, cache.load_lens(shown.view.model)
    try:
        given = cache.picture(view.image, shown.info.input_size).data
    except PictureGone:  # the pixels that the network took are in the result
        given = None
    maps = None if drawn is None else map_request(drawn.view, lens)
    return Record(
        Experiment(
            perturbation(view, shown.info),
            view.attack_branch,
            tuple(lens.model.branch_names),
            shown.result.true_class,
            maps,
        ),
        replace(shown.result, maps={}) if drawn is None else drawn.result,
        _source(lens),
        shown.title,
        given,
    )


def _source(lens: cache.Lens) -> Source:
    """The network by the name that its person knows, with what was said of its file."""
    name = lens.network.name
    if (origin := network_files.origin(name)) is not None:
        return Source(origin.file, lens.model, lens.info, origin.settings, origin.sha256)
    file = cache.file_of(name)
    name_for_people = network_files.shown_file(name, file)
    settings = ModelSettings() if says_all_itself(str(file)) else cache.model_settings()
    return Source(name_for_people, lens.model, lens.info, settings, file_sha256(file))


def _sheet(record: Record, scale: str) -> bytes:
    """With maps in the colours that they have on the page."""
    title = f"{record.source.info.name or record.source.name} on {record.title}"
    names, changed_by = record.source.info.class_names, record.experiment.perturbation
    return encode_png(draw_comparison(record.comparison, changed_by, title, names, scale))


def _bundle(shown: Shown, drawn: Shown | None) -> bytes:
    record = _record(shown, drawn)
    return write_bundle(replace(record, sheet=_sheet(record, shown.view.scale)))


def write_lab(shown: Shown) -> bytes:
    """Network and picture as one HTML file that needs no server.

    The picture is as the network takes it.

    Raises:
        InputError: If the network cannot run in a browser.
    """
    lens = cache.load_lens(shown.view.model)
    name = _as_file_name(lens.info.name or lens.network.name)
    with _ONE_AT_A_TIME, tempfile.TemporaryDirectory() as folder:
        workspace = Path(folder)
        network = workspace / f"{name}.safetensors"
        checkpoints.save(network, lens.model, replace(lens.info, base=None))
        picture = workspace / f"{_as_file_name(shown.title)}.png"
        picture.write_bytes(encode_png(to_image(shown.result.clean)))
        arguments = ["--model", network, "--picture", picture, "--out", workspace / "lab.html"]
        arguments += ["--attack-branch", shown.view.attack_branch]
        attack = perturbation(shown.view, shown.info)
        if isinstance(attack, AttackConfig) and attack.norm == "linf":
            arguments += ["--epsilon", attack.epsilon]
        site.write(*arguments)
        return (workspace / "lab.html").read_bytes()


def _as_file_name(title: str) -> str:
    """Without what a path or a link cannot hold."""
    return re.sub(r"[^\w.-]+", " ", title).strip(" .")[:80] or "picture"
