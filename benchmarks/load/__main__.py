"""`python -m benchmarks.load`: one load, of as many people and as long as is asked."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from benchmarks.load import Load, measure
from benchmarks.timing import machine


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description=measure.__doc__)
    parser.add_argument("--sessions", type=int, default=Load.sessions, metavar="N")
    parser.add_argument("--seconds", type=float, default=Load.seconds, metavar="S")
    parser.add_argument(
        "--shared", type=int, default=0, metavar="N", help="strengths that all share; 0: each new"
    )
    parser.add_argument("--patient", action="store_true", help="wait for each answer")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers here too")
    asked = parser.parse_args()
    facts = machine()
    result = measure(Load(asked.sessions, asked.seconds, asked.shared, asked.patient))
    if asked.json is not None:
        asked.json.parent.mkdir(parents=True, exist_ok=True)
        asked.json.write_text(json.dumps({"machine": facts, "load": result}, indent=2) + "\n")


if __name__ == "__main__":
    main()
