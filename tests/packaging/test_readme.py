"""README quotes what was measured: its tables are those of the bundled results and cards."""

import runpy
from pathlib import Path

import pytest

from advprop_core.models.bundle import bundled_models
from advprop_core.models.header import read_info
from benchmarks.effect import table
from benchmarks.effect.design import STUDIES

REPO = Path(__file__).parents[2]
README = (REPO / "README.md").read_text("utf-8")


def test_the_tables_of_results():
    made = runpy.run_path(str(REPO / "assets" / "make_results.py"))["tables"]()
    assert made
    for one in made:
        assert f"\n\n{one}\n\n" in README, "python assets/make_results.py tables prints it"


def test_the_tables_of_studies():
    files = [REPO / "assets" / "results" / study.results for study in STUDIES.values()]
    for file in files:
        assert f"\n\n{table.markdown(file)}\n\n" in README, "python -m benchmarks.effect table"
    assert f"\n\n{table.overall(files)}\n\n" in README, "python -m benchmarks.effect overall"


@pytest.mark.parametrize("name", bundled_models())
def test_the_figures_of_the_networks(name):
    info = read_info(bundled_models()[name])
    shown = name
    for branch in info.branches:
        found = {
            one["condition"]["kind"]: f"{100 * one['top1']:.1f} %"
            for one in info.metrics
            if one["branch"] == branch
        }
        cells = (branch, found["clean"], found["attack"], found.get("shape-bias", "–"))
        assert f"\n| {' | '.join((shown, *cells))} |".replace("|  |", "| |") in README
        shown = ""
