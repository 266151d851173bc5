"""The work behind the Visualise page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor, nn

from advprop_core.types import AttackConfig
from advprop_core.visualise.ascent import Visualisation, visualise
from advprop_core.visualise.goals import Channel, Goal
from advprop_core.visualise.measures import ask, coarse_share
from app.figures.reel import Reel, make_visual_reel
from app.shell.cache import Lens
from app.shell.jobs import Report

_PARTS = 1000  # of one network's progress


@dataclass(frozen=True)
class Seen:
    """One picture, and what is said of it.

    Attributes:
        model: Name of the network.
        branch: Which of its branches made it.
        answer: What the branch says of it.
        probability: Of the answer.
        length: Of the change, in L2.
        coarse: Share of the change in patterns of 16 pixels or more.
        scores: At the start and at the end: the class's probability, or the channel's activation.
        seen_by: (network, branch) of each other to the probability it gives the class; empty for a
            channel.
    """

    model: str
    branch: str
    answer: str
    probability: float
    length: float
    coarse: float
    scores: tuple[float, float]
    seen_by: Mapping[tuple[str, str], float]


@dataclass(frozen=True)
class Visualised:
    """What the page shows: the film, and the measures of its last frame."""

    reel: Reel
    pictures: tuple[Seen, ...]


def see(
    lenses: Sequence[Lens],
    starts: Sequence[Tensor],
    *,
    goal: Goal,
    config: AttackConfig,
    progress: Report,
) -> Visualised:
    """Let every branch of every network change its start, and ask all about the results.

    The networks know the same classes; each has a start (1, 3, S, S) of its own size.
    """
    made: dict[tuple[str, str], Visualisation] = {}
    witnesses: dict[tuple[str, str], tuple[nn.Module, int]] = {}
    for number, (lens, start) in enumerate(zip(lenses, starts, strict=True)):

        def report(share: float, number: int = number) -> None:
            progress((number + share) / len(lenses))

        modules: Mapping[str, nn.Module] = lens.branches
        if isinstance(goal, Channel):
            # A layer inside a folded pair would give something else than the network's own.
            modules = {branch: lens.model.branch(branch) for branch in lens.model.branch_names}
        drawn = visualise(modules, start, goal, config, progress=report)
        for branch, module in modules.items():
            made[lens.network.name, branch] = drawn[branch]
            witnesses[lens.network.name, branch] = module, lens.info.input_size
    names = lenses[0].info.class_names
    answers = ask({branch_key: each.picture for branch_key, each in made.items()}, witnesses)
    seen = []
    for branch_key, each in made.items():
        says, seen_by = each.answers[-1], {}
        if not isinstance(goal, Channel):
            seen_by = {
                other: float(answer.probabilities[goal])
                for other, answer in answers[branch_key].items()
                if other != branch_key
            }
        seen.append(
            Seen(
                *branch_key,
                names[says.class_index],
                says.confidence,
                float(each.change.norm()),
                float(coarse_share(each.change[None])[0]),
                (each.scores[0], each.scores[-1]),
                seen_by,
            )
        )
    several = len(lenses) > 1
    titled = {f"{m} {branch}" if several else branch: each for (m, branch), each in made.items()}
    reel = make_visual_reel(titled, [branch for _, branch in made], names)
    return Visualised(reel, tuple(seen))
