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
        help="What to remove from images: all, or kinds among patch-shuffle (outlines), grey "
        "(colour), edges (all but lines), low-pass (detail), high-pass (coarse structure). "
        "KIND=STRENGTH is one strength instead of the usual ones: patches along each side for "
        "patch-shuffle, else the cut-off in cycles per image, as in patch-shuffle=3,low-pass=6. "
        "Probes are made at the network's own size.",
    ),
]
ReportOption = Annotated[
    Path | None,
    typer.Option(
        "--report",
        metavar="DIR",
        help="Folder for results.json, results.csv and report.html, which opens "
        "offline. Finished figures are saved there at once: the same command, or one with more "
        "conditions, continues where an earlier one ended.",
    ),
]
AttackBranchOption = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Branch whose gradient makes the perturbation; `each` takes every branch in turn and "
        "evaluates all branches on it. By default each branch is attacked through itself (white "
        "box).",
    ),
]
RestartsOption = Annotated[
    int | None,
    typer.Option(
        "--restarts",
        metavar="N",
        help="Random starts of pgd: an image counts as robust only if every start fails. By "
        "default 1.",
    ),
]
SanityOption = Annotated[
    bool,
    typer.Option(
        "--sanity",
        help="Also measure noise of each radius and PGD with no limit on epsilon, and warn where "
        "they show a masked gradient. Checks that need neither are always made.",
    ),
]
StrictOption = Annotated[
    bool,
    typer.Option(
        "--strict",
        help="Refuse unreadable images, unknown class folders and files that are no pictures "
        "instead of leaving them out.",
    ),
]
DownloadOption = Annotated[
    bool,
    typer.Option(
        "--download",
        help="Fetch the data set where it is missing: imagenette:DIR or cifar10:DIR.",
    ),
]
SmallestOption = Annotated[
    str | None,
    typer.Option(
        "--smallest-epsilon",
        metavar="LIMIT",
        help="Also search, image by image, for the smallest epsilon at which PGD fools each "
        "branch, up to LIMIT, such as 16/255. It takes about as long as ten attacks; --norm and "
        "--steps are those of --attack.",
    ),
]
