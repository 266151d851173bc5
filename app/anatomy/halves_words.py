"""Words on which half of the norm carries robustness."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from advprop_core.anatomy.halves import ENDS, NAIVE, Mixture, MixtureAccuracy
from advprop_core.text import percent
from advprop_core.types import INPUT_KINDS

INTRODUCTION = (
    "A norm layer has two halves: γ and β, which are trained, and mean and variance, which are "
    "collected. To ask which half makes a branch robust, take γ and β of one branch and estimate "
    "mean and variance again, on clean pictures or on attacked ones."
)
BUNDLED = "Measured once, with 512 training pictures for mean and variance."


def table(
    rows: Mapping[Mixture, MixtureAccuracy], branch: str, second: str
) -> list[tuple[str, MixtureAccuracy]]:
    """Networks with the γ and β of one branch: what their statistics are, and accuracies."""
    affine = 0.0 if branch == "main" else 1.0
    other = second if branch == "main" else "main"
    statistics = {
        "as trained": affine,
        "of clean pictures": "clean",
        "of attacked pictures": "adversarial",
        f"{other}'s, naive": 1.0 - affine,
    }
    return [(title, rows[Mixture(affine, kind)]) for title, kind in statistics.items()]  # type: ignore[arg-type]


def verdict(
    rows: Mapping[Mixture, MixtureAccuracy], second: str, attack: str, pictures: str
) -> str:
    """What each half changes, in words."""
    clean, attacked = (
        [rows[Mixture(affine, kind)].share("adversarial") for affine in (0.0, 1.0)]
        for kind in INPUT_KINDS
    )
    by_affine = (clean[1] + attacked[1] - clean[0] - attacked[0]) / 2
    by_statistics = max((a - c for a, c in zip(attacked, clean, strict=True)), key=abs)
    main, naive = rows[ENDS[0]], [rows[mixture].share("clean") for mixture in NAIVE]
    return (
        f"Of {main.n} {pictures} under {attack}, **{second}**'s γ and β instead of main's change "
        f"the share of right answers by **{_points(by_affine)}**; mean and variance of attacked "
        f"pictures instead of clean ones change it by at most **{_points(by_statistics)}**. "
        "Swapping one half without estimating misleads: clean accuracy falls to "
        f"{percent(naive[0])} (mean and variance) and {percent(naive[1])} (γ and β), "
        f"from {percent(main.share('clean'))}. Both halves look important then, "
        "because mean and variance fit only the weights that they were collected with."
    )


def line(rows: Mapping[Mixture, MixtureAccuracy], second: str) -> str:
    """How accuracies change along the way."""
    main, other = (rows[mixture] for mixture in ENDS)
    return (
        f"Along the whole dial: from {_both(main)} at **main** to {_both(other)} at **{second}** "
        f"(n = {main.n}, 95 % Wilson intervals; grey: mean and variance moved along instead)."
    )


def alt(branch: str, rows: Sequence[tuple[str, MixtureAccuracy]]) -> str:
    """The bars of one branch's γ and β, one by one."""
    phrases = [f"mean and variance {title}: {_both(accuracy)}" for title, accuracy in rows]
    return f"γ and β of {branch}; {'; '.join(phrases)}."


def caption(attack: str, source: str) -> str:
    """How to read the bars, and where their numbers come from."""
    return (
        f"Share of right answers; plain: clean, hatched: under {attack} through the mixture "
        f"itself; error bars: 95 % Wilson intervals. {source} See Zhang et al., "
        "[arXiv 2403.19150](https://arxiv.org/abs/2403.19150)."
    )


def _both(accuracy: MixtureAccuracy) -> str:
    clean, robust = percent(accuracy.share("clean")), percent(accuracy.share("adversarial"))
    return f"{clean} clean and {robust} attacked"


def _points(share: float) -> str:
    return f"{100 * share:+.1f} points".replace("-", "−")
