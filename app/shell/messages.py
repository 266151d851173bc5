"""Words the user reads."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from advprop_core.attribution.methods import METHODS
from advprop_core.report.sentences import with_emphasis
from advprop_core.text import branch_outcomes, legible, percent
from advprop_core.types import AttributionMap, Comparison, InputKind, ModelInfo
from app.language.text import N_, _, counted, join, listing, ngettext, paragraph

UNSURE = 0.5
_WEAK = 0.25
"""A map with less of the strongest map's strength is said to be weak."""
FEW_CLASSES = 12
"""Up to so many are named in a sentence."""
ONE_NORM = N_(
    "This network has one set of BatchNorm, main: there is no auxiliary branch to compare. Choose "
    "imagenet-lite0, or a network that is named advprop."
)
NETWORK_GONE = N_(
    "The link's network was opened from a file earlier, and the server no longer keeps it: open "
    "the file again."
)
PICTURES: dict[InputKind, str] = {"clean": N_("clean"), "adversarial": N_("perturbed")}

_LOOK_ALIKES = str.maketrans("<>*[]`$~\\|", "‹›∗［］ˋ＄∼＼∣")


def duration(seconds: float) -> str:
    """``about 3 minutes``; what is short is said to be so."""
    if seconds < 10:
        return _("a few seconds")
    if seconds < 90:
        return _("about {count} seconds", count=10 * round(seconds / 10))
    if seconds < 90 * 60:
        return _("about {count} minutes", count=round(seconds / 60))
    return _("about {count} hours", count=round(seconds / 3600))


def time_left(seconds: float | None) -> str:
    """``, about 40 seconds left``, after what is done; empty where it is not known."""
    return "" if seconds is None else _(", {time} left", time=duration(seconds))


def quote(text: str, limit: int = 40) -> str:
    """Foreign text inside a sentence, as code: its own Markdown and links have no effect."""
    shown = legible(text if len(text) <= limit else f"{text[:limit]}…")
    return f"`{' '.join(shown.replace('`', ' ').split()) or ' '}`"


def plain(sentence: str) -> str:
    """Without Markdown, for descriptions that are read aloud."""
    return re.sub(r"\\(.)", r"\1", sentence.replace("**", "").replace("`", ""))


def unbroken(text: str) -> str:
    """With each number and its percent sign in one line."""
    return text.replace(" %", "\u00a0%")


def safe(text: str) -> str:
    """Foreign text without its Markdown: a file may say anything."""
    return re.sub(r"([\\`*_{}\[\]()#+!|<>~$:])", r"\\\1", legible(text))


def emphasised(sentence: str) -> str:
    """A sentence of the report as Markdown; what files are called is none."""
    return unbroken(with_emphasis(sentence, safe, "**", "**"))


def tame(text: str) -> str:
    """Foreign text with look-alikes for what Markdown and plotly's labels would obey."""
    return " ".join(legible(text).translate(_LOOK_ALIKES).split())


def tamed(info: ModelInfo) -> ModelInfo:
    """What a checkpoint says of itself, with class names that can be shown anywhere."""
    return replace(
        info,
        class_ids=tuple(map(legible, info.class_ids)),
        class_names=tuple(tame(name) or "–" for name in info.class_names),
    )


def graded(text: str, direction: int, signs: str = "▲▼") -> str:
    """A figure that is good (1), bad (−1) or neither (0), by its ground and by a sign."""
    if not direction:
        return text
    ground, sign = ("green", signs[0]) if direction > 0 else ("violet", signs[1])
    return f":{ground}-background[{sign}\u00a0{text}]"


_OUTCOMES = {
    "kept its answer": counted("{who} kept its answer", "{who} kept their answers"),
    "kept its answer, but is far less sure": counted(
        "{who} kept its answer, but is far less sure",
        "{who} kept their answers, but are far less sure",
    ),
    "changed its answer": counted("{who} changed its answer", "{who} changed their answers"),
    "was fooled": counted("{who} was fooled", "{who} were fooled"),
    "was wrong before and stays so": counted(
        "{who} was wrong before and stays so", "{who} were wrong before and stay so"
    ),
    "was wrong before and is now right": counted(
        "{who} was wrong before and is now right", "{who} were wrong before and are now right"
    ),
    "was wrong before and changed its answer": counted(
        "{who} was wrong before and changed its answer",
        "{who} were wrong before and changed their answers",
    ),
}
"""What the library says of a branch, of one and of several."""


def verdict(
    result: Comparison, names: Sequence[str], target: int | None = None
) -> tuple[str, dict[str, str]]:
    """What happened, as a heading, and what each branch said of both pictures.

    ``target`` is the index of the class that a targeted attack aimed at.
    """
    answers: dict[str, str] = {}
    alike: dict[str, list[str]] = {}
    for branch, sentence in branch_outcomes(result, names):
        outcome, __, answers[branch] = sentence.partition(": ")
        alike.setdefault(outcome, []).append(branch)
    if (result.adversarial != result.clean).any():
        heading = _("; ").join(
            ngettext(*_OUTCOMES[outcome], len(who)).format(who=join(who))
            for outcome, who in alike.items()
        )
        if target is not None:
            aim = _aimed(result, target, names)
            heading = _("{heading}. {aim}", heading=heading, aim=aim)
    else:
        heading = _("Nothing was changed")
        answers = {branch: move.partition(" → ")[0] for branch, move in answers.items()}
    return _("{heading}.", heading=heading), answers


def _aimed(result: Comparison, target: int, names: Sequence[str]) -> str:
    """Who answers the class that an attack aimed at to the perturbed picture."""
    name = names[target]
    sayers = [b for b in result.branches if _answer(result, "adversarial", b) == target]
    if not sayers:
        return _("The attack aimed at {name}, which no branch says", name=name)
    return ngettext(
        "The attack aimed at {name}, which {who} says",
        "The attack aimed at {name}, which {who} say",
        len(sayers),
    ).format(name=name, who=join(sayers))


def _answer(result: Comparison, kind: InputKind, branch: str) -> int:
    return result.predictions[kind, branch].class_index


def unfamiliar(result: Comparison, info: ModelInfo) -> str | None:
    """A warning when no branch is sure of a clean picture, and none is known to be right.

    What a person says of the picture does not make a network surer. It tells whether an unsure
    answer is right, and it rules out that the network has no such class.
    """
    if any(_answer(result, "clean", branch) == result.true_class for branch in result.branches):
        return None
    # Of a thousand classes several are kinds of one animal, and share its probability.
    is_sum = info.num_classes > FEW_CLASSES
    surest = max(
        sum(share for _, share in result.predictions["clean", branch].top(5 if is_sum else 1))
        for branch in result.branches
    )
    if surest >= UNSURE:
        return None
    unsure = (
        _("On the clean picture no branch is sure of any five (at most {share})")
        if is_sum
        else _("On the clean picture no branch is sure of any class (at most {share})")
    ).format(share=percent(surest))
    if result.true_class is not None:
        return _(
            "{unsure}, and none says {name}. The picture may be unlike the training pictures, the "
            "network may be poorly trained, or its size, mean or std may be wrong.",
            unsure=unsure,
            name=info.class_names[result.true_class],
        )
    return _(
        "{unsure}. The picture may show something that the network never learnt, the network may "
        "be poorly trained, or its size, mean or std may be wrong. It knows {classes}.",
        unsure=unsure,
        classes=listing(info.class_names, FEW_CLASSES),
    )


def foreign(info: ModelInfo, title: str) -> str:
    """A warning that the network has no class for what a picture shows."""
    return _(
        "The network has no class for this picture ({title}), so every answer is wrong. It knows "
        "{classes}.",
        title=title,
        classes=listing(info.class_names, FEW_CLASSES),
    )


def one_attack(result: Comparison) -> str:
    """That an attack through one branch says nothing of an attack through another, or nothing."""
    if result.attack_branch is None or len(result.branches) == 1:
        return ""
    return _("The attack was made against {branch} alone.", branch=result.attack_branch)


def close_classes(result: Comparison, info: ModelInfo) -> list[str]:
    """One sentence for each branch that moves to a class it found likely on the clean picture.

    Of many classes some are hard to tell apart, and moving between these is no sign of a strong
    attack.
    """
    if info.num_classes <= FEW_CLASSES:
        return []
    sentences = []
    for branch in result.branches:
        now = _answer(result, "adversarial", branch)
        for rank, (index, share) in enumerate(result.predictions["clean", branch].top(5), 1):
            if index != now or rank == 1 or share < 0.01:
                continue
            sentences.append(
                _(
                    "Before the attack, {name} was already answer number {rank} of {branch} "
                    "({share}), so a small change was enough.",
                    name=info.class_names[now],
                    rank=rank,
                    branch=branch,
                    share=percent(share),
                )
            )
    return sentences


def learnt(info: ModelInfo, true_class_known: bool) -> str:
    """What the network can say at all."""
    classes = join(info.class_names)
    if info.num_classes > FEW_CLASSES:
        classes = _("one of {count} classes", count=info.num_classes)
    sentence = _("The network can only answer {classes}, whatever the picture shows.")
    tick = _("✓ marks the true class.") if true_class_known else ""
    return paragraph([sentence.format(classes=classes), tick])


_SCALE_ENDS = {
    "each": N_("Each map has its own colour scale, which ends at the 99th percentile."),
    "row": N_("Each branch has its own colour scale, which ends at the 99th percentile."),
    "shared": N_("All maps have one colour scale, which ends at the 99th percentile."),
}


def map_caption(
    maps: Collection[AttributionMap], names: Sequence[str], scale: str = "shared"
) -> str:
    """What a grid of maps of one kind shows; ``scale`` is a key of :data:`.view.SCALES`."""
    first = next(iter(maps))
    title = _(METHODS[first.method].title)
    if first.layer:
        title = _("{title} at layer `{layer}`", title=title, layer=first.layer)
    if len({drawn.class_index for drawn in maps}) == 1:
        what = _("{title} for the class **{name}**.", title=title, name=names[first.class_index])
    else:
        what = _(
            "{title} for the class below each map, which is the answer of its branch to its "
            "picture.",
            title=title,
        )
    return paragraph([what, _(_SCALE_ENDS[scale])])


def not_drawn(title: str, reason: str) -> str:
    """Why there is no map of a kind."""
    return _("{title} is not drawn: {reason}", title=title, reason=reason)


def faint_maps(maps: Mapping[tuple[InputKind, str], AttributionMap]) -> list[str]:
    """A sentence that names the maps that are zero everywhere; one for each that is weak."""
    peaks = {cell: float(drawn.values.abs().quantile(0.99)) for cell, drawn in maps.items()}
    (kind, branch), most = max(peaks.items(), key=lambda cell: cell[1])
    empty = [
        _("{branch} on the {kind} picture", branch=of, kind=_(PICTURES[seen]))
        for (seen, of), drawn in maps.items()
        if not drawn.values.any()
    ]
    sentences = [
        _(
            "The map of {weak} on the {seen} picture is weak: {share} of that of {branch} on the "
            "{kind} picture.",
            weak=weak,
            seen=_(PICTURES[seen]),
            share=percent(peak / most),
            branch=branch,
            kind=_(PICTURES[kind]),
        )
        for (seen, weak), peak in peaks.items()
        if 0 < peak < _WEAK * most
    ]
    if empty:
        sentence = ngettext(
            "The map of {maps} is 0 everywhere.", "The maps of {maps} are 0 everywhere.", len(empty)
        )
        sentences.insert(0, sentence.format(maps=join(empty)))
    return sentences


def honesty(result: Comparison, info: ModelInfo) -> list[str]:
    """What a person must know before believing the comparison."""
    names, facts = info.class_names, result.facts
    sentences = []
    if result.attack_branch is not None:
        is_true = result.true_class is not None
        origin = _("its true class") if is_true else _("what that branch said")
        sentences.append(
            _(
                "The attack followed the gradient of **{branch}**; the class under "
                "attack is {name}, {origin}.",
                branch=result.attack_branch,
                name=names[result.attacked_class],
                origin=origin,
            )
        )
    changed = [branch for branch, same in facts.survives_png.items() if not same]
    if changed:
        sentences.append(
            _(
                "Saved with 8 bits, the picture gets another answer from {branches}.",
                branches=join(changed),
            )
        )
    wrong = [branch for branch, is_wrong in (facts.clean_wrong or {}).items() if is_wrong]
    if wrong:
        sentence = ngettext(
            "{branches} was wrong before anything was changed.",
            "{branches} were wrong before anything was changed.",
            len(wrong),
        )
        sentences.append(sentence.format(branches=join(wrong)))
    for branch, origin in info.branches.items():
        if origin != "trained":
            made = _(info.origin(branch).sentence)
            sentences.append(_("**{branch}** was {origin}.", branch=branch, origin=made))
    return sentences
