"""What is compared, as PLAN.md, SCALES.md, CAUSES.md and FINETUNE.md fixed it before the runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from advprop_core.pictures.probes import ProbeConfig

_RECIPE = "--recipe imagenette-64"
_SEEDS = (0, 1, 2, 3, 4)


@dataclass(frozen=True)
class Study:
    """A set of runs that differ in one thing.

    Attributes:
        title: What is asked.
        about: How it was done, in a sentence; ``{seeds}`` stands for their number.
        recipe: Options of ``advprop train`` that all runs share.
        runs: Label to the options of one run.
        titles: Label to what people read.
        bases: Label to that of the run it is compared with, seed by seed; none for these.
        questions: Title, runs, and pairs of runs whose gains are compared.
        tuned: Labels whose learning rate is chosen on the hold-out; none where that of another
            study is taken.
        tuning: Options of these runs: their length.
        severities: Of the 15 corruptions.
        results: File name of what was measured.
        epsilons: Radii of PGD-10 in 255ths.
        attacked: Photos that are attacked, evenly over the classes; None for all.
        corrupted: Photos that are corrupted and probed, evenly over the classes; None for all.
        probes: What photos lose, to see what a network reads.
        noise: Whether Gaussian noise is measured.
        calibration: Whether the calibration error is measured.
        training_photos: Whether accuracy on the photos trained with is measured too: how far above
            that on others it is tells of overfitting.
    """

    title: str
    about: str
    runs: Mapping[str, str]
    titles: Mapping[str, str]
    bases: Mapping[str, str]
    questions: tuple[tuple[str, tuple[str, ...], tuple[tuple[str, str], ...]], ...]
    tuned: tuple[str, ...]
    tuning: str
    severities: tuple[int, ...]
    results: str
    recipe: str = _RECIPE
    seeds: tuple[int, ...] = _SEEDS
    rates: tuple[float, ...] = (0.1, 0.2, 0.4)
    tuning_seed: int = 100
    epsilons: tuple[float, ...] = (2,)
    attacked: int | None = None
    corrupted: int | None = None
    probes: tuple[ProbeConfig, ...] = ()
    noise: bool = True
    calibration: bool = False
    training_photos: bool = False

    def command(self, data: Path, runs: Path, label: str, seed: int) -> list[str]:
        """One run, as words for ``advprop``."""
        return [*self._words(data, self.runs[label], seed), "--out", str(runs / f"{label}-{seed}")]

    def tuning_command(self, data: Path, runs: Path, label: str, rate: float) -> list[str]:
        """One run of the tuning, which never reads ``val``'s results."""
        options = f"{self.runs[label]} --learning-rate {rate} {self.tuning}"
        return [
            *self._words(data, f"{options} --holdout 0.1", self.tuning_seed),
            *("--out", str(runs / f"tune-{label}-{rate}")),
        ]

    def _words(self, data: Path, options: str, seed: int) -> list[str]:
        words = ["train", "--data", str(data), *self.recipe.split(), *options.split()]
        return [*words, "--seed", str(seed), "--resume"]


_OBJECTIVES = ("vanilla", "mixed", "adversarial", "advprop")
OBJECTIVES = Study(
    title="Does AdvProp help?",
    about="RegNetX-002 at 64 pixels, 30 epochs, {seeds} seeds; attacks in training are one step of "
    "1/255",
    runs={name: f"--objective {name} --learning-rate 0.4" for name in _OBJECTIVES},
    titles={name: name for name in _OBJECTIVES},
    bases=dict.fromkeys(_OBJECTIVES[1:], "vanilla"),
    questions=(("Which objective?", _OBJECTIVES, ()),),
    tuned=_OBJECTIVES,
    tuning="--epochs 10",
    severities=(1, 3, 5),
    results="objectives-64px.json",
)

_REGNET = "--learning-rate 0.4 --epochs 8 --arch"
_SIZES = ("002", "004", "006")
SIZES = Study(
    title="AdvProp and the size of the network",
    about="RegNetX at 64 pixels, 8 epochs, {seeds} seeds; attacks in training are one step of "
    "1/255",
    runs={
        f"regnetx-{size}-{name}": f"{_REGNET} regnetx_{size} --objective {name}"
        for name in ("vanilla", "advprop")
        for size in _SIZES
    },
    titles={
        f"regnetx-{size}-{name}": f"RegNetX-{size}, {name}"
        for name in ("vanilla", "advprop")
        for size in _SIZES
    },
    bases={f"regnetx-{size}-advprop": f"regnetx-{size}-vanilla" for size in _SIZES},
    questions=(
        (
            "Does a larger network gain more?",
            tuple(f"regnetx-{size}-advprop" for size in _SIZES),
            (("regnetx-006-advprop", "regnetx-002-advprop"),),
        ),
    ),
    tuned=("regnetx-006-vanilla",),
    tuning="--epochs 4",
    severities=(3,),
    results="sizes-64px.json",
    rates=(0.2, 0.4),
)

_VANILLA, _ONE = "regnetx-002-vanilla", "regnetx-002-advprop"  # the same runs as those of SIZES
_STRENGTHS = {
    f"{_ONE}-{epsilon}": f"{_REGNET} regnetx_002 --objective advprop "
    f"--epsilon {epsilon}/255 --step-size {epsilon}/255"
    for epsilon in ("0.5", "2", "4")
}
_AUXILIARIES = {
    f"{_ONE}-{name}": f"{_REGNET} regnetx_002 --objective advprop --auxiliaries {radii}"
    for name, radii in {"two": "1/255,2/255", "three": "1/255,2/255,4/255"}.items()
}
STRENGTHS = Study(
    title="Which attack, and how many auxiliary branches?",
    about="RegNetX-002 at 64 pixels, 8 epochs, {seeds} seeds; attacks in training are one step, of "
    "1/255 and more with several auxiliaries",
    runs={label: SIZES.runs[label] for label in (_VANILLA, _ONE)} | _STRENGTHS | _AUXILIARIES,
    titles={_VANILLA: "vanilla", _ONE: "ε = 1/255"}
    | {f"{_ONE}-{epsilon}": f"ε = {epsilon}/255" for epsilon in ("0.5", "2", "4")}
    | {f"{_ONE}-two": "two auxiliaries", f"{_ONE}-three": "three auxiliaries"},
    bases=dict.fromkeys([_ONE, *_STRENGTHS, *_AUXILIARIES], _VANILLA),
    questions=(
        (
            "Which strength suits a small network?",
            (f"{_ONE}-0.5", _ONE, f"{_ONE}-2", f"{_ONE}-4"),
            ((_ONE, f"{_ONE}-4"),),
        ),
        (
            "Do several auxiliary branches gain more?",
            (_ONE, f"{_ONE}-two", f"{_ONE}-three"),
            ((f"{_ONE}-two", _ONE), (f"{_ONE}-three", _ONE)),
        ),
    ),
    tuned=(),
    tuning="",
    severities=(3,),
    results="strengths-64px.json",
)

_CAUSES = {  # what is added to the two runs of SIZES
    "": "",
    "-whole": "--crop-scale 1",
    "-whole-16": "--crop-scale 1 --epochs 16",
    "-slower": "--learning-rate 0.2",
}
_TITLES = {
    "": "crops, 8 epochs",
    "-whole": "whole photos, 8 epochs",
    "-whole-16": "whole photos, 16 epochs",
    "-slower": "crops, 8 epochs, rate 0.2",
}
CAUSES = Study(
    title="Why does AdvProp gain no clean accuracy here?",
    about="RegNetX-002 at 64 pixels, {seeds} seeds, learning rate 0.4 if no other is named; "
    "attacks in training are one step of 1/255",
    runs={
        f"{one}{suffix}": f"{SIZES.runs[one]} {added}".strip()
        for suffix, added in _CAUSES.items()
        for one in (_VANILLA, _ONE)
    },
    titles={
        f"{one}{suffix}": f"{name} ({title})"
        for suffix, title in _TITLES.items()
        for one, name in ((_VANILLA, "vanilla"), (_ONE, "advprop"))
    },
    bases={f"{_ONE}{suffix}": f"{_VANILLA}{suffix}" for suffix in _CAUSES},
    questions=(
        (
            "Does a network gain more where it overfits?",
            (_ONE, f"{_ONE}-whole", f"{_ONE}-whole-16"),
            ((f"{_ONE}-whole", _ONE), (f"{_ONE}-whole-16", f"{_ONE}-whole")),
        ),
        (
            "Does the learning rate matter?",
            (_ONE, f"{_ONE}-slower"),
            ((f"{_ONE}-slower", _ONE),),
        ),
    ),
    tuned=(),
    tuning="",
    severities=(3,),
    results="causes-64px.json",
    training_photos=True,
)

_FIVE = ("vanilla", "mixed", "adversarial", "advprop", "fast-advprop")
FINETUNE = Study(
    title="Does AdvProp help a good network?",
    about="EfficientNet-lite0 with ImageNet weights, fine-tuned on Imagenette at 128 pixels for "
    "one epoch, {seeds} seeds; attacks in training are one step of 1/255",
    recipe="--start-from lite0-main.safetensors --size 128 --batch-size 32 --epochs 1 "
    "--warmup-epochs 0.1 --crop-scale 0.5 --learning-rate 0.003",
    runs={"lite0-vanilla": "--objective vanilla"}
    | {
        f"lite0-{name}": f"--objective {name} --epsilon 1/255 --step-size 1/255 --steps 1"
        for name in _FIVE[1:]
    },
    titles={f"lite0-{name}": name for name in _FIVE},
    bases={f"lite0-{name}": "lite0-vanilla" for name in _FIVE[1:]},
    questions=(("Which objective?", tuple(f"lite0-{name}" for name in _FIVE), ()),),
    tuned=("lite0-vanilla", "lite0-advprop"),
    tuning="--max-steps 150",
    severities=(3,),
    results="finetune-128px.json",
    epsilons=(0.5, 1, 2),
    attacked=200,
    corrupted=500,
    probes=tuple(
        ProbeConfig(kind, strength)
        for kind, strength in {
            "edges": 8,
            "low-pass": 8,
            "high-pass": 8,
            "patch-shuffle": 4,
        }.items()
    ),
    noise=False,
    calibration=True,
    rates=(0.003, 0.01, 0.03),
)

FROM_NOTHING = (OBJECTIVES, SIZES, STRENGTHS, CAUSES)
"""Studies whose networks have random weights at first."""
STUDIES = {
    "objectives": OBJECTIVES,
    "sizes": SIZES,
    "strengths": STRENGTHS,
    "causes": CAUSES,
    "finetune": FINETUNE,
}
