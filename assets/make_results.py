"""Makes the bundled results again, and writes the tables of docs/results.md.

    .venv/bin/python assets/make_results.py evaluate [NAME …] [--runs runs]
    .venv/bin/python assets/make_results.py docs

--runs is a folder that holds imagenette-val-224, the validation photos of Imagenette with a shorter
side of 224 pixels, and keeps the reports; what is finished in one is not measured again. The
studies over seeds among the results are made by benchmarks/effect, the halves of the norm by
benchmarks/halves, transfer by benchmarks/robust_sources.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from advprop_core.evaluation.intervals import wilson_interval
from advprop_core.report.words import own_attacks
from advprop_core.text import markdown_table, points, radius, trained_blocks
from benchmarks.auxiliaries import table as auxiliaries_table
from benchmarks.effect import table as study_table
from benchmarks.effect.design import FROM_NOTHING, STUDIES
from benchmarks.halves import table as halves_table
from benchmarks.robust_sources import GRIDS

RESULTS = Path(__file__).parent / "results"
DOCS = Path(__file__).parents[1] / "docs" / "results.md"
_OBJECTIVES = ("vanilla", "mixed", "adversarial", "advprop", "fast-advprop")
_SHAPES = "--model " + ",".join(f"shapes-{objective}" for objective in _OBJECTIVES)
_TOLD_IMAGES = (100, 400, 1600, 6400)
_PHOTOS = "--data imagenette-val-224 --limit 300 --attack pgd --epsilon"
COMMANDS = {
    "imagenette": "--model imagenette-vanilla,imagenette-advprop "
    f"{_PHOTOS} 1/255,2/255,4/255 --corruptions all",
    "imagenette-branches": f"--model imagenette-advprop {_PHOTOS} 2/255,4/255 --attack-branch each",
    "shapes-autoattack": "--model shapes-vanilla,shapes-advprop --data shapes --limit 20 "
    "--attack pgd,autoattack --epsilon 4/255",
    "shapes-conflict": f"{_SHAPES} --data shapes-conflict --limit 500",
}
EXPLAINED = {
    "shapes-objects": "shapes-conflict --model shapes-vanilla,shapes-adversarial,shapes-advprop "
    "--method smoothgrad,grad-cam",
}

Row = Mapping[str, Any]


def main() -> None:
    """Measure, or print tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    studies = [*COMMANDS, *EXPLAINED]
    parser.add_argument("step", choices=("evaluate", "docs"))
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(studies))
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    asked = parser.parse_args()
    if unknown := set(asked.names) - set(studies):
        parser.error(f"there is no {', '.join(sorted(unknown))}: one of {', '.join(studies)}")
    if asked.step == "docs":
        DOCS.write_text(with_tables(DOCS.read_text("utf-8")), "utf-8")
        return
    for name in asked.names or studies:
        (_explain if name in EXPLAINED else _evaluate)(name, asked.runs)


def with_tables(document: str) -> str:
    """The document with each table between its marks written anew."""
    for name, table in tables().items():
        start, end = f"<!-- {name} -->\n\n", f"\n\n<!-- /{name} -->"
        before, after = document.split(start)[0], document.split(end)[1]
        document = f"{before}{start}{table}{end}{after}"
    return document


def tables() -> dict[str, str]:
    """The tables of docs/results.md by the name in their marks, as Markdown."""
    files = {name: RESULTS / study.results for name, study in STUDIES.items()}
    studies = {name: file for name, file in files.items() if file.exists()}  # run by now
    return {
        "accuracy": accuracy_table(_read("imagenette")),
        "trust": trust_table(_read("imagenette")),
        "autoattack": strongest_table(_read("shapes-autoattack")),
        "shape": shape_table(_read("shapes-conflict")),
        "branches": matrix_table(_read("imagenette-branches")),
        "objects": objects_table(_read("shapes-objects")),
        **{name: study_table.markdown(file) for name, file in studies.items()},
        "halves": halves_table.halves(_read("norm-halves")),
        "dial": halves_table.dial(_read("norm-halves")),
        "calibrated": halves_table.calibrated(_read("norm-halves")),
        **_added(),
        **{f"transfer-{name}": table for name, table in transfer_tables().items()},
        "overall": study_table.overall([RESULTS / study.results for study in FROM_NOTHING]),
    }


def _added() -> dict[str, str]:
    """The ways to add an auxiliary branch, once they are measured."""
    if not (RESULTS / "added-auxiliaries.json").exists():
        return {}
    return {"auxiliaries": auxiliaries_table.ways(_read("added-auxiliaries"))}


def transfer_tables() -> dict[str, str]:
    """Accuracies on a new task and differences to the first source, for each grid that was run."""
    contents = {name: RESULTS / f"transfer-{name}.json" for name in GRIDS}
    return {
        name: _transfer_table(json.loads(path.read_text("utf-8")))
        for name, path in contents.items()
        if path.exists()
    }


def _transfer_table(content: Mapping[str, Any]) -> str:
    rows = content["accuracies"]
    conditions = list(dict.fromkeys((row["trainable"], row["num_images"]) for row in rows))
    conditions = [condition for condition in conditions if condition[1] in _TOLD_IMAGES]
    has_blocks = len(content["trainable"]) > 1
    lines = []
    for source in content["sources"]:
        cells = {(r["trainable"], r["num_images"]): r for r in rows if r["source"] == source}
        lines.append([source.replace(":", ", "), *(_learned(cells[cell]) for cell in conditions)])
    heads = [
        f"{trained_blocks(trainable)}, {count} images" if has_blocks else f"{count} images"
        for trainable, count in conditions
    ]
    return markdown_table(["source", *heads], lines)


def _learned(row: Row) -> str:
    """``62.2 %, +3.1 [+1.0, +5.2]``."""
    accuracy = f"{100 * row['accuracy']:.1f} %"
    if row["difference"] is None:
        return accuracy
    low, high = map(points, row["difference_interval"])
    return f"{accuracy}, {points(row['difference'])} [{low}, {high}]"


def accuracy_table(content: Mapping[str, Any]) -> str:
    """Accuracies of each branch, clean and under attack."""
    rows = own_attacks(content["results"])
    radii = list(dict.fromkeys(_radius(row) for row in rows if _is_attack(row)))
    lines = []
    for model, branch in _branches(rows):
        own = [row for row in rows if (row["model"], row["branch"]) == (model, branch)]
        clean = next(row for row in own if row["condition"]["kind"] == "clean")
        under = [next(r for r in own if _is_attack(r) and _radius(r) == radius) for radius in radii]
        accuracies = (_share(row["top1"], row["interval"]) for row in (clean, *under))
        lines.append([model, branch, *accuracies])
    head = ["network", "branch", "clean", *(f"PGD-10 {radius}" for radius in radii)]
    return markdown_table(head, lines)


def trust_table(content: Mapping[str, Any]) -> str:
    """Corruptions and confidence."""
    errors = {
        (row["model"], row["branch"]): row for row in content["mean_corruption_error"]["results"]
    }
    clean = {
        (row["model"], row["branch"]): row["calibration"]
        for row in content["results"]
        if row["condition"]["kind"] == "clean"
    }
    lines = [
        [
            *who,
            _share(errors[who]["error"], errors[who]["interval"]),
            _share(clean[who]["expected_calibration_error"], clean[who]["interval"]),
        ]
        for who in _branches(content["results"])
    ]
    return markdown_table(
        ["network", "branch", "mean corruption error", "calibration error"], lines
    )


def strongest_table(content: Mapping[str, Any]) -> str:
    """PGD and AutoAttack at one radius, on the same images."""
    attacks: dict[str, dict[tuple[str, str], Row]] = {}
    for row in filter(_is_attack, content["results"]):
        attacks.setdefault(row["condition"]["attack"], {})[row["model"], row["branch"]] = row
    (epsilon,) = {_radius(row) for row in content["results"] if _is_attack(row)}
    lines = [
        [*who, *(_share(rows[who]["top1"], rows[who]["interval"], 0) for rows in attacks.values())]
        for who in _branches(content["results"])
    ]
    head = ["network", "branch", *(f"{name} {epsilon}" for name in attacks)]
    return markdown_table(head, lines)


def shape_table(content: Mapping[str, Any]) -> str:
    """What decides where outline and texture are of two classes."""
    head = ["network", "branch", "by shape", "by texture", "by neither", "shape bias"]
    lines = [
        [
            one["model"], one["branch"],
            *(
                _share(one[way], wilson_interval(round(one[way] * one["n"]), one["n"]))
                for way in ("shape", "texture", "neither")
            ),
            _share(one["shape_bias"], one["interval"]),
        ]
        for one in content["shape_bias"]["results"]
    ]  # fmt: skip
    return markdown_table(head, lines)


def objects_table(content: Mapping[str, Any]) -> str:
    """How much of each method's maps lies on the object."""
    by_method: dict[tuple[str, str], list[str]] = {}
    for row in content["results"]:
        share, difference = row["share"], row["difference"]
        cells = by_method.setdefault((row["model"], row["branch"]), [])
        cells.append(_share(share["value"], (share["low"], share["high"])))
        cells.append(_difference(difference["share"]) if difference else "")
    head = ["network", "branch", "SmoothGrad", "difference", "Grad-CAM", "difference"]
    return markdown_table(head, [[*who, *cells] for who, cells in by_method.items()])


def _difference(estimate: Mapping[str, float]) -> str:
    """``+8.8 [+6.9, +10.7]``, in points."""
    value, low, high = (points(estimate[end]) for end in ("value", "low", "high"))
    return f"{value} [{low}, {high}]"


def matrix_table(content: Mapping[str, Any]) -> str:
    """Who stands whose perturbations: a row for each attacked branch."""
    rows = [row for row in content["results"] if _is_attack(row)]
    places = list(dict.fromkeys((_radius(row), row["branch"]) for row in rows))
    lines = [
        [source, *(
            _share(row["top1"], row["interval"])
            for place in places for row in rows
            if (_radius(row), row["branch"]) == place
            and row["condition"]["attack_branch"] == source
        )]
        for source in dict.fromkeys(row["condition"]["attack_branch"] for row in rows)
    ]  # fmt: skip
    return markdown_table(
        ["PGD-10 through", *(f"{radius}: {who}" for radius, who in places)], lines
    )


def _branches(rows: Sequence[Row]) -> list[tuple[str, str]]:
    return list(dict.fromkeys((row["model"], row["branch"]) for row in rows))


def _share(share: float, interval: Sequence[float], digits: int = 1) -> str:
    low, high = (f"{100 * end:.{digits}f}" for end in interval)
    return f"{100 * share:.{digits}f} % [{low}, {high}]"


def _radius(row: Row) -> str:
    return radius(row["condition"]["epsilon"], row["condition"]["norm"])


def _is_attack(row: Row) -> bool:
    return bool(row["condition"]["kind"] == "attack")


def _read(name: str) -> Mapping[str, Any]:
    content: Mapping[str, Any] = json.loads((RESULTS / f"{name}.json").read_text("utf-8"))
    return content


def _evaluate(name: str, runs: Path) -> None:
    report = f"report-{name}"
    _run(["evaluate", *COMMANDS[name].split(), "--report", report], runs)
    _keep(name, runs / report / "results.json")


def _explain(name: str, runs: Path) -> None:
    file = f"{name}.json"
    _run(["explain", *EXPLAINED[name].split(), "--json", file], runs)
    _keep(name, runs / file)


def _run(words: Sequence[str], runs: Path) -> None:
    # From inside the folder, so that the command that the results quote holds no path of ours.
    subprocess.run([sys.executable, "-m", "advprop_core.cli", *words], cwd=runs, check=True)


def _keep(name: str, written: Path) -> None:
    content = json.loads(written.read_text("utf-8"))
    packed = json.dumps(content, ensure_ascii=False, separators=(",", ":"))  # half as large
    (RESULTS / f"{name}.json").write_text(packed + "\n", "utf-8")


if __name__ == "__main__":
    main()
