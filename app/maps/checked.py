"""What the checks of maps found: a verdict for each kind of map, and a table of them all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import fmean as mean
from typing import TYPE_CHECKING, Any

from advprop_core.attribution.methods import METHODS
from advprop_core.faithfulness.maps import Score, Undefined
from advprop_core.text import percent
from advprop_core.types import InputKind
from app.language.text import N_, _, join
from app.shell.messages import PICTURES, graded

if TYPE_CHECKING:
    from advprop_core.faithfulness.curves import Curves
    from advprop_core.faithfulness.trust import Cell, Trust

COLUMNS = N_("""
A green ✓ speaks for the map, a violet ✗ against it; no mark means that the check is undecided.

- **Deletion**, **Insertion**: how much better the area under the curve of the class's probability
  is than for random orders (Petsiuk et al. 2018): ✓ above 0.02, ✗ below −0.02. Scattered dots
  disturb a network more than a patch does, so a map of patches may score below 0: compare maps with
  each other.
- **Infidelity**: error of the score changes that the map predicts, relative to the changes
  themselves; 0 is perfect, 1 is no better than an empty map (Yeh et al. 2019): ✓ below 0.9, ✗ above
  1.1.
- **Sensitivity**: largest change of the map under noise of at most 0.02, relative to the map's own
  length; small means stable (Yeh et al. 2019): ✓ below 0.5, ✗ above 1.
- **Random weights**: rank correlation with the map of the same network with random weights. Near
  0 the map shows what was learnt, near 1 it mostly shows the picture (Adebayo et al. 2018): ✓
  between −0.3 and 0.3, ✗ beyond 0.6 on either side.
- **Other branch**, **Under attack**: rank correlation with the other branch's map (with each, where
  there are several), and with this branch's map of the other picture. Neither is good or bad.
- **On the object**: share of the map's positive values inside the object, where the scene says
  where it is.

The limits of ✓ and ✗ are this app's own: no paper fixes them.
""")


@dataclass(frozen=True)
class _Check:
    """One check that speaks for a map or against it.

    Attributes:
        title: Of its column.
        value: What it found of a map.
        good: The figure from which on it speaks for the map.
        bad: That from which on it speaks against it.
    """

    title: str
    value: Callable[[Trust], Any]
    good: float
    bad: float

    def direction(self, trust: Trust) -> int:
        """1 for the map, −1 against it, 0 where it does not tell."""
        value = self.value(trust)
        if value is None or isinstance(value, Undefined):
            return 0
        sign = 1 if self.good > self.bad else -1
        return int(sign * value > sign * self.good) - int(sign * value < sign * self.bad)


def _of_curves(name: str) -> Callable[[Trust], Any]:
    # Where curves are undefined, so are their gains.
    return lambda trust: getattr(trust.curves, name, None)


_CHECKS = (
    _Check(N_("Deletion"), _of_curves("deletion_gain"), 0.02, -0.02),
    _Check(N_("Insertion"), _of_curves("insertion_gain"), 0.02, -0.02),
    _Check(N_("Infidelity"), lambda trust: getattr(trust.infidelity, "relative", None), 0.9, 1.1),
    _Check(N_("Sensitivity"), lambda trust: trust.sensitivity, 0.5, 1.0),
    _Check(N_("Random weights"), lambda trust: _size(trust.randomisation.kept), 0.3, 0.6),
)
_SIGNED = ("Deletion", "Insertion")


def verdict(checks: Mapping[Cell, Trust], method: str) -> str:
    """Whether one kind of map holds up here, over its branches and pictures, in a sentence."""
    trusts = [trust for cell, trust in checks.items() if cell[0] == method]
    sides: dict[int, list[str]] = {1: [], -1: [], 0: []}
    for check in _CHECKS:
        share = mean(check.direction(trust) for trust in trusts)
        sides[(share > 0.5) - (share < -0.5)].append(_(check.title).lower())
    passed, failed, undecided = sides[1], sides[-1], sides[0]
    if len(failed) > len(passed):
        conclusion = _("should not be trusted here")
    elif failed:
        conclusion = _("is doubtful here")
    elif len(passed) > len(undecided):
        conclusion = _("can be trusted here, as far as these checks show")
    else:
        conclusion = _("is neither confirmed nor refuted here")
    named = ((passed, _("for it")), (failed, _("against it")), (undecided, _("undecided")))
    listed = _("; ").join(
        _("{what}: {figures}").format(what=side, figures=join(titles))
        for titles, side in named
        if titles
    )
    return _("**{title}** {verdict} ({listed}).").format(
        title=_(METHODS[method].title), verdict=conclusion, listed=listed
    )


def row(cell: Cell, trust: Trust) -> dict[str, str]:
    """What was checked of one map, by column."""
    method, kind, branch = cell
    line = {
        _("Map"): _(METHODS[method].title),
        _("Branch"): branch,
        _("Picture"): _(PICTURES[kind]),
    }
    for check in _CHECKS:
        shown = trust.randomisation.kept if check.title == "Random weights" else check.value(trust)
        text = _number(shown, "+" if check.title in _SIGNED else "")
        line[_(check.title)] = graded(text, check.direction(trust), "✓✗")
    line[_("Other branch")] = _others(trust)
    line[_("Under attack")] = _number(getattr(trust.under_attack, "rank_correlation", None))
    if (share := trust.inside_object) is not None:
        line[_("On the object")] = "–" if isinstance(share, Undefined) else percent(share)
    return line


def undefined(checks: Mapping[Cell, Trust]) -> list[str]:
    """Why some figures are missing."""
    reasons = {
        f"{_(METHODS[method].title)}, {branch}, {_(PICTURES[kind])}: {trust.curves.reason}"
        for (method, kind, branch), trust in checks.items()
        if isinstance(trust.curves, Undefined)
    }
    return [
        _("– where there is no figure. {reason}.").format(reason=reason)
        for reason in sorted(reasons)
    ]


def curves(checks: Mapping[Cell, Trust], method: str) -> dict[tuple[InputKind, str], Curves]:
    """(input kind, branch) to the curves of one kind of map, where they exist."""
    return {
        (kind, branch): trust.curves
        for (name, kind, branch), trust in checks.items()
        if name == method and not isinstance(trust.curves, Undefined)
    }


def _size(value: Score) -> Score:
    return value if isinstance(value, Undefined) else abs(value)


def _number(value: Score | None, sign: str = "") -> str:
    if value is None or isinstance(value, Undefined):
        return "–"
    return f"{value:{sign}.2f}".replace("-", "−")


def _others(trust: Trust) -> str:
    """The agreement with the other branch, or with each of them by name."""
    numbers = {
        name: _number(other.rank_correlation) for name, other in trust.across_branches.items()
    }
    if len(numbers) > 1:
        return ", ".join(f"{name} {number}" for name, number in numbers.items())
    return next(iter(numbers.values()), "–")
