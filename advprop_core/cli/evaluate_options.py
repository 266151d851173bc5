"""The options that ``evaluate`` alone has."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

DataOption = Annotated[
    str,
    typer.Option(
        metavar="DIR",
        help="Folder of class folders (CLASS/IMAGE; ids or names of the model's classes); a "
        "built-in name: shapes, shapes-conflict; or a published set as it unpacks, as KIND:DIR, "
        "KIND being imagenet, imagenet-a, imagenet-r, imagenet-sketch, imagenet-stylized, "
        "imagenet-c, tiny-imagenet, imagenette, cifar10 or cifar10-c. A folder that shows its "
        "layout needs no KIND.",
    ),
]
AttacksOption = Annotated[
    list[str] | None,
    typer.Option(
        "--attack",
        metavar="KIND",
        help="pgd (random start), i-fgsm (no random start), fgsm (one step of size epsilon) or "
        "autoattack (arXiv 2003.01690: four attacks, some hundred times the work of pgd); "
        "repeat it or write commas. Clean images are always measured.",
    ),
]
EpsilonsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--epsilon",
        metavar="E",
        help="Radii of the attacks in pixel units on [0, 1], such as 2/255,4/255; one condition "
        "each. By default 4/255 for linf and 1 for l2.",
    ),
]
CleanOption = Annotated[
    str | None,
    typer.Option(
        metavar="DIR",
        help="ImageNet's validation photos, for imagenet-c:DIR, which has none: clean accuracy, "
        "attacks, probes and relative mCE need them.",
    ),
]
CorruptionsOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAMES",
        help="all, which are the 15 kinds of ImageNet-C, or names such as fog,snow; also its four "
        "extra kinds speckle_noise, gaussian_blur, spatter, saturate. They are made here, at 224 "
        "pixels, and resized to the network's input afterwards; of imagenet-c:DIR and "
        "cifar10-c:DIR they are read, by default the 15 that are there.",
    ),
]
SeveritiesOption = Annotated[
    list[str] | None,
    typer.Option(metavar="S", help="Severities of corruptions, such as 1,3,5. By default all 5."),
]
ProbesOption = Annotated[
    list[str] | None,
    typer.Option(
        "--probe",
        metavar="KINDS",
        help="What images lose on purpose: all, or kinds among patch-shuffle (outlines go), grey "
        "(colour goes), edges (lines alone stay), low-pass (detail goes), high-pass (coarse "
        "structure goes). KIND=STRENGTH is one strength instead of the usual ones: patches along "
        "each side for patch-shuffle, else the cut-off in cycles per image, as in "
        "patch-shuffle=3,low-pass=6. Probes are made at the network's own size.",
    ),
]
ReportOption = Annotated[
    Path | None,
    typer.Option(
        "--report",
        metavar="DIR",
        help="Folder for results.json, results.csv and report.html, which opens without a "
        "network. What is finished is kept there at once: the same command, or one with more "
        "conditions, goes on where an earlier one was.",
    ),
]
AttackBranchOption = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Branch whose gradient makes the perturbation; each for every branch in turn, each "
        "shown to all. By default each branch is attacked through itself (white box).",
    ),
]
RestartsOption = Annotated[
    int | None,
    typer.Option(
        "--restarts",
        metavar="N",
        help="Random starts of pgd: the branch it goes through stands an image that none of them "
        "turns. By default 1.",
    ),
]
SanityOption = Annotated[
    bool,
    typer.Option(
        "--sanity",
        help="Also show noise of each radius and PGD without a bound, and warn where they "
        "tell of a masked gradient. What can be told without them is told anyway.",
    ),
]
StrictOption = Annotated[
    bool,
    typer.Option(
        "--strict",
        help="Refuse unreadable images and unknown class folders instead of leaving them out.",
    ),
]
DownloadOption = Annotated[
    bool,
    typer.Option(
        "--download",
        help="Fetch the data set where it is missing: imagenette:DIR or cifar10:DIR.",
    ),
]
