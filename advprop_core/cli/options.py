"""The options that commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ImageArgument = Annotated[
    Path,
    typer.Argument(metavar="IMAGE", help="A photo: JPEG, PNG, WebP, AVIF, TIFF …"),
]
ModelOption = Annotated[
    str,
    typer.Option(
        "--model",
        metavar="M",
        help="A bundled name (see `advprop models`), a checkpoint file, or a timm name.",
    ),
]
ModelsOption = Annotated[
    list[str],
    typer.Option(
        "--model",
        metavar="M",
        help="A bundled name (see `advprop models`), a checkpoint file, or a timm name. Repeat it, "
        "or write commas, to put several side by side.",
    ),
]
BranchOption = Annotated[
    list[str] | None,
    typer.Option(
        "--branch",
        metavar="NAME",
        help="Branch that predicts: main, aux, aux2 …; repeat it or write commas. "
        "Every branch by default.",
    ),
]
AttackBranchOption = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Branch whose gradient makes the perturbation. By default the one --branch names, "
        "and main where it names several or none.",
    ),
]
AttackOption = Annotated[
    str,
    typer.Option(
        "--attack",
        metavar="KIND",
        help="pgd (random start), i-fgsm (no random start) or fgsm (one step of size epsilon).",
    ),
]
NormOption = Annotated[
    str,
    typer.Option(
        metavar="NORM",
        help="What epsilon bounds: linf, the largest change of any channel value; or l2, the "
        "length of the whole change.",
    ),
]
EpsilonOption = Annotated[
    str | None,
    typer.Option(
        metavar="E",
        help="Radius of the perturbation in pixel units on [0, 1], such as 4/255 or 0.0157. "
        "By default 4/255 for linf and 1 for l2.",
    ),
]
StepSizeOption = Annotated[
    str | None,
    typer.Option(
        metavar="S", help="Move per step, in the unit of epsilon. By default 2.5 × epsilon / steps."
    ),
]
StepsOption = Annotated[
    int | None,
    typer.Option(metavar="N", help="Steps of pgd and i-fgsm. By default 10."),
]
TargetClassOption = Annotated[
    str | None,
    typer.Option(
        metavar="CLASS",
        help="Class to drive the prediction to: name, id or index. By default the attack is "
        "untargeted: it drives away from the true class, or from the attack branch's own clean "
        "prediction where that is not known.",
    ),
]
TrueClassOption = Annotated[
    str | None,
    typer.Option(
        metavar="CLASS",
        help="What the photo shows: name, id or index. By default the photo's folder, where its "
        "name is one of the model's classes; otherwise unknown.",
    ),
]
LayerOption = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Layer that grad-cam reads, such as s3 or layer4.1. By default the deepest stage "
        "whose map has at least 5×5 cells.",
    ),
]
ClassOption = Annotated[
    str | None,
    typer.Option(
        metavar="CLASS",
        help="Class whose score the maps explain, the same in all of them: name, id or index. "
        "By default the true class; where that is not known, the class that was predicted for "
        "the clean photo.",
    ),
]
SeedOption = Annotated[
    int, typer.Option(metavar="N", help="Seed of everything random: the same gives the same.")
]
OutOption = Annotated[
    Path,
    typer.Option(metavar="DIR", help="Folder for the results; made if need be, and overwritten."),
]
JsonOption = Annotated[
    str | None,
    typer.Option(
        "--json", metavar="FILE", help="Write the results as JSON too; - means standard output."
    ),
]
LimitOption = Annotated[
    int | None,
    typer.Option(metavar="N", help="At most this many images, spread evenly over the classes."),
]
