"""Documents quote what was measured, and their links lead somewhere."""

import re
import runpy
from pathlib import Path

import pytest

from advprop_core.models.bundle import bundled_models
from advprop_core.models.header import read_info

REPO = Path(__file__).parents[2]
DOCUMENTS = sorted([*REPO.glob("*.md"), *(REPO / "docs").glob("*.md")])


def heading_anchors(document):
    """What `#…` in a link may name: headings in lower case, with dashes for spaces."""
    headings = re.findall(r"^#+ (.+)$", document, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document):
    targets = re.findall(r"\]\(([^)\s]+)\)", document.read_text("utf-8"))
    for target in targets:
        if target.startswith(("http://", "https://")):
            continue  # tests use no network
        file, _, anchor = target.partition("#")
        path = document.parent / file if file else document
        assert path.exists(), target
        if anchor:
            assert anchor in heading_anchors(path.read_text("utf-8")), target


def test_the_readme_is_read_in_two_minutes():
    assert len((REPO / "README.md").read_text("utf-8").splitlines()) <= 120


def test_the_tables_of_results():
    results = REPO / "docs" / "results.md"
    make_results = runpy.run_path(str(REPO / "assets" / "make_results.py"))
    written = results.read_text("utf-8")
    assert make_results["with_tables"](written) == written, "assets/make_results.py docs writes it"


@pytest.mark.parametrize("name", bundled_models())
def test_the_figures_of_the_networks(name):
    networks = (REPO / "docs" / "networks.md").read_text("utf-8")
    info = read_info(bundled_models()[name])
    shown = name
    for branch in info.branches:
        measured = {
            metric["condition"]["kind"]: f"{100 * metric['top1']:.1f} %"
            for metric in info.metrics
            if metric["branch"] == branch
        }
        shape_bias = measured.get("shape-bias", "–")
        cells = (shown, branch, measured["clean"], measured["attack"], shape_bias)
        row = f"| {' | '.join(cells)} |".replace("|  |", "| |")
        assert f"\n{row}" in networks
        shown = ""
