"""A study on the page: its sentences, its charts and its table."""

import json

import pytest

from advprop_core.evaluation.results_file import parse
from app.figures import robustness as figures
from app.robustness import study


@pytest.fixture
def content(study_content):
    return study_content


def test_the_answer_says_gains_and_where_none_is_shown(content):
    assert study.answer(content, content["questions"][0]) == (
        "Against the main branch of vanilla:\n\n"
        "- clean: **main** of advprop +10.3 points (+8.9 to +11.8) and **main** of mixed −10.3 "
        "points (−11.8 to −8.9); for the others no difference shows.\n"
        "- advprop minus mixed, clean: +20.7 points (+17.8 to +23.5)."
    )


def test_where_figures_come_from_and_all_of_them(content):
    assert study.source(content) == "n = 100 images of photos, 3 seeds (0, 1 and 2)."


def test_a_chart_has_a_line_for_each_run_and_branch(content):
    found = [one for one in study.studies.gains(content, ["advprop"]) if one.points is not None]
    chart = figures.gains(found, content["runs"], "clean")
    assert [trace.x[0] for trace in chart.data] == pytest.approx([10.333, 0], abs=1e-3)
    assert chart.data[0].error_x.array[0] == pytest.approx(1.434, abs=1e-3)
    assert chart.layout.yaxis.ticktext == ("advprop,<br>main", "advprop,<br>aux")


def test_a_study_is_opened_like_other_results(content):
    data = json.dumps(content).encode()
    assert parse("s.json", data) == content
    del content["runs"]
    with pytest.raises(ValueError, match=r"s\.json is damaged: runs is missing"):
        parse("s.json", json.dumps(content).encode())
