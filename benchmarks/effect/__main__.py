"""`python -m benchmarks.effect STEP`: comparisons of PLAN.md, SCALES.md, CAUSES.md and FINETUNE.md.

tune      trains the grid on the part of train/ that is not held out
train     trains the runs that are not finished yet
measure   measures every network once and writes its file in assets/results
table     prints the table of docs/results.md from that file
overall   prints main's gain over all settings of the studies that train from nothing
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.effect import table
from benchmarks.effect.design import FROM_NOTHING, STUDIES, Study

RESULTS = Path(__file__).parents[2] / "assets" / "results"


def main() -> None:
    asked = _read_arguments()
    study = STUDIES[asked.study]
    results = RESULTS / study.results
    if asked.step == "table":
        print(table.markdown(results))
    elif asked.step == "overall":
        print(table.overall([RESULTS / one.results for one in FROM_NOTHING]))
    elif asked.step == "measure":
        from benchmarks.effect.measure import measure_all

        measure_all(study, asked.data, asked.large, asked.runs, results)
    else:
        _run_all(study, asked)


def _run_all(study: Study, asked: argparse.Namespace) -> None:
    if asked.step == "tune":
        commands = [
            study.tuning_command(asked.data, asked.runs, label, rate)
            for rate in study.rates
            for label in study.tuned
        ]
    else:
        commands = [
            study.command(asked.data, asked.runs, label, seed)
            for seed in study.seeds
            for label in study.runs
        ]
    with ThreadPoolExecutor(asked.jobs) as pool:
        failed = [out for out in pool.map(_run, commands) if out is not None]
    if failed:
        sys.exit(f"{len(failed)} runs failed, see log.txt in {', '.join(map(str, failed))}")


def _run(words: list[str]) -> Path | None:
    """Train what is not finished; gives its folder if that fails, and the others go on."""
    out = Path(words[words.index("--out") + 1])
    if (out / "model.safetensors").exists():
        return None
    out.mkdir(parents=True, exist_ok=True)
    print("advprop", *words, flush=True)
    alone = os.environ | {"OMP_NUM_THREADS": "1"}  # two runs side by side beat two threads
    with (out / "log.txt").open("a") as log:
        command = [sys.executable, "-m", "advprop_core.cli", *words]
        done = subprocess.run(command, env=alone, stdout=log, stderr=log)
    return out if done.returncode else None


def _read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.effect",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("step", choices=("tune", "train", "measure", "table", "overall"))
    parser.add_argument("--study", choices=tuple(STUDIES), default="objectives")
    parser.add_argument("--data", type=Path, help="Imagenette, with train/ and val/")
    parser.add_argument("--large", type=Path, help="the photos of val/ at 224 pixels, to corrupt")
    parser.add_argument("--runs", type=Path, default=Path("runs/effect"), help="run folders")
    parser.add_argument("--jobs", type=int, default=2, help="runs side by side, a core each")
    asked = parser.parse_args()
    if asked.step not in ("table", "overall") and not asked.data:
        parser.error(f"{asked.step} needs --data")
    if asked.step == "measure" and not asked.large:
        parser.error("measure needs --large")
    return asked


if __name__ == "__main__":
    main()
