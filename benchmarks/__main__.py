"""`python -m benchmarks [NAME …] [--data DIR] [--json FILE]`: speed, measured side by side."""

from __future__ import annotations

import argparse
import importlib
import json
from pathlib import Path
from typing import Any

import torch

from benchmarks.timing import cores, machine

SUBJECTS = (
    "attacks", "comparison", "maps", "training", "allocator", "startup", "rerun", "shapes",
    "evaluation", "page", "transfer", "influence", "load",
)  # fmt: skip


def main() -> None:
    asked = _read_arguments()
    torch.set_num_threads(cores())
    facts = machine()
    _print_machine(facts)
    results: dict[str, Any] = {}
    for name in asked.names or SUBJECTS:
        print(f"\n{name}")
        results[name] = importlib.import_module(f"benchmarks.{name}").run(asked.data)
    if asked.json is not None:
        asked.json.parent.mkdir(parents=True, exist_ok=True)
        report = {"machine": facts | {"torch_threads": torch.get_num_threads()}} | results
        asked.json.write_text(json.dumps(report, indent=2) + "\n")


def _read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Measure speed, side by side where it is compared."
    )
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"{', '.join(SUBJECTS)}; all when none is named"
    )
    parser.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        help="a folder of Imagenette photos in class folders; drawn scenes when not given",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers here too")
    asked = parser.parse_args()
    if unknown := set(asked.names) - set(SUBJECTS):
        parser.error(f"{', '.join(sorted(unknown))}: not one of {', '.join(SUBJECTS)}")
    return asked


def _print_machine(facts: dict[str, Any]) -> None:
    print(f"{facts['cpu']}, {facts['cores']} cores, {torch.get_num_threads()} torch threads")
    packages = [f"{name} {version}" for name, version in facts["packages"].items()]
    print(", ".join([f"Python {facts['python']}", *packages]))
    if facts["load"] > 0.5:
        print(f"Other work is running (load {facts['load']}): do not quote what follows.")


if __name__ == "__main__":
    main()
