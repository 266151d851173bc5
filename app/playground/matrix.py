"""The matrix of the attack studio: who fools whom, on this picture and on many?"""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from advprop_core.compare.matrix import attack_matrix
from advprop_core.datasets.named import load_images
from advprop_core.evaluation.cells import TestedModel
from advprop_core.evaluation.conditions import Condition
from advprop_core.evaluation.results import BranchResult
from advprop_core.evaluation.suite import Suite, evaluate
from advprop_core.models.dual_bn import DualBNModel
from advprop_core.text import radius
from advprop_core.types import AttackConfig, ModelInfo
from app.figures import studio as figures
from app.language.text import _, join, ngettext, paragraph
from app.playground import words
from app.shell import cache, comparison, controls, samples, tasks
from app.shell.jobs import Report
from app.shell.layout import chart
from app.shell.messages import unbroken
from app.shell.tasks import Shown, Task

MOST_IMAGES = 100
_AT_ONCE = 10  # images between two reports of progress
_MANY = "studio.folder"


def draw(playground: Shown) -> None:
    """An attack through each branch, shown to each branch; then the same for many pictures."""
    view, info = playground.view, playground.info
    lens = cache.load_lens(view.model)
    task = Task.of(
        (lens.network,),
        attack_matrix,
        lens.branches,
        playground.result.clean[None],
        about=playground.task.about,
        config=comparison.attack_config(view, info),
        true_class=playground.result.true_class,
    )
    shown = tasks.answer("studio.matrix", task, view, info)
    if shown is not None:
        names = shown.info.class_names
        sentence = paragraph(words.fooled(shown.result, names))
        st.markdown(unbroken(sentence))
        chart(figures.matrix(shown.result, names), "studio.matrix", sentence)
        parts = controls.conditions(shown.view, shown.info)
        attack = _(", ").join(text for name, text in parts.items() if name != "branch")
        st.caption(
            _(
                "{attack}, through each branch in turn. Below an unexpected answer you see the "
                "probability of the expected one.",
                attack=attack,
            )
        )
    _many_pictures(playground)


# -- many pictures: measured when somebody asks for it ---------------------------------------------


def _many_pictures(playground: Shown) -> None:
    """A button, then progress, then the matrix with its intervals."""
    st.markdown(_("##### And on many pictures?"))
    view, info = playground.view, playground.info
    source = samples.source_for(info, MOST_IMAGES, view.photos)
    if source is None:
        reason = samples.no_photos(samples.class_folders())
        st.caption(_("This needs photos of this network's classes.") + f" {reason}")
        samples.uploader("photos", disabled=False)
        return
    lens = cache.load_lens(view.model)
    task = Task.of(
        (lens.network,),
        attack_many,
        lens.model,
        info,
        about="images",
        is_long=True,
        data=source.name,
        config=comparison.attack_config(view, info),
    )
    asked = tasks.offer(
        _MANY,
        task,
        _("Measure on up to {count} pictures", count=MOST_IMAGES),
        icon=":material/play_arrow:",
        help=_(
            "Attacks many pictures through each branch and tests every branch on them. It takes a "
            "while. You can stop it."
        ),
    )
    if asked is None or asked.key.networks != task.key.networks:
        return
    # What was asked is measured to its end, whatever else is chosen meanwhile.
    shown = tasks.answer(_MANY, asked, info=playground.info)
    if shown is None:
        return
    result: ManyPictures = shown.result
    sentence = words.robustness(result.cells)
    st.markdown(unbroken(sentence))
    chart(figures.accuracies(result.cells), "studio.accuracies", sentence)
    st.caption(how_measured(result, shown.task.networks[0].name, shown.info.class_names))
    if shown.task != task.key:
        st.caption(_("The settings have changed since: measure again to compare."))


@dataclass(frozen=True)
class ManyPictures:
    """Who fools whom on many pictures.

    Attributes:
        data: ``shapes``, or a folder.
        config: The attack.
        cells: Clean, then attacks through each branch; every time for every branch.
        unreadable: Number of files that were left out.
        ignored_classes: Class folders that the network does not know.
    """

    data: str
    config: AttackConfig
    cells: tuple[BranchResult, ...]
    unreadable: int
    ignored_classes: tuple[str, ...]


def attack_many(
    model: DualBNModel, info: ModelInfo, *, data: str, config: AttackConfig, progress: Report
) -> ManyPictures:
    """Clean, then an attack through each branch, every time for every branch.

    A targeted attack is measured on the pictures of other classes.

    Raises:
        InputError: If the folder's classes are not the network's, or no picture is left.
    """
    images = load_images(data, info.input_size, classes=info.classes, limit=MOST_IMAGES)
    # -1 is no class: an untargeted attack leaves no picture out.
    attackable = images.labels != (-1 if config.target_class is None else config.target_class)
    through = [Condition(config, branch) for branch in info.branches]
    tested = TestedModel("", model, images.pixels[attackable], images.labels[attackable])
    evaluation = evaluate(
        Suite([tested], [Condition(), *through]),
        batch_size=_AT_ONCE,
        progress=progress,
    )
    return ManyPictures(
        data, config, evaluation.results, len(images.unreadable), images.ignored_classes
    )


def how_measured(result: ManyPictures, model: str, names: Sequence[str]) -> str:
    """How the accuracies were obtained."""
    config = result.config
    target = config.target_class
    pictures = _("drawn scenes it was not trained on")
    if result.data != "shapes":
        pictures = _("photos of your folder")
    parts = [
        _("{model} on n = {n} {pictures}", model=model, n=result.cells[0].n, pictures=pictures),
        f"{words.attack(config, None, names)}, ε = {radius(config.epsilon, config.norm)}",
        _("in brackets the 95 % Wilson interval"),
    ]
    if target is not None:
        parts.append(_("pictures of {name} are left out", name=names[target]))
    if result.unreadable:
        parts.append(
            ngettext(
                "{count} file could not be read",
                "{count} files could not be read",
                result.unreadable,
            ).format(count=result.unreadable)
        )
    if result.ignored_classes:
        parts.append(_("folders of other classes: {names}", names=join(result.ignored_classes[:5])))
    return _("{sentence}.", sentence=_("; ").join(parts))
