"""Paired differences over seeds, on figures made by hand."""

import copy
import json

import pytest

from advprop_core.errors import InputError
from advprop_core.evaluation import studies
from advprop_core.evaluation.intervals import student_interval
from advprop_core.evaluation.results_file import parse


def fault(content):
    """What a person is told of a study's file, or None."""
    try:
        parse("study.json", json.dumps(content).encode())
    except InputError as error:
        return str(error)
    return None


def rows(run, branch, measure, shares, **more):
    return [
        {"run": run, "seed": seed, "branch": branch, "measure": measure, "top1": share, **more}
        for seed, share in enumerate(shares)
    ]


@pytest.fixture
def content():
    return {
        "format": 1, "kind": "study", "title": "Does it help?", "about": "Small networks",
        "command": "make", "data": "photos", "n": 100,
        "measures": {"clean": "clean", "corruption": "2 corruptions"},
        "runs": {"plain": "Plain", "new": "New", "wide": "Wide", "wide-new": "Wide, new"},
        "bases": {"new": "plain", "wide-new": "wide"},
        "questions": [{"title": "Which?", "runs": ["plain", "new"], "contrasts": []},
                      {"title": "Wider?", "runs": ["new", "wide-new"],
                       "contrasts": [["wide-new", "new"]]}],
        "results": [
            *rows("plain", "main", "clean", [0.5, 0.6, 0.7]),
            *rows("new", "main", "clean", [0.6, 0.6, 0.9]),
            *rows("new", "aux", "clean", [0.5, 0.5, 0.5]),
            *rows("wide", "main", "clean", [0.5, 0.5, 0.5]),
            *rows("wide-new", "main", "clean", [0.8, 0.6, 0.8]),
            *(row for run in ("plain", "wide", "wide-new") for row in
              rows(run, "main", "corruption", [0.4, 0.4, 0.4])),
            *rows("new", "main", "corruption", [0.2, 0.3, 0.4], corruption="fog"),
            *rows("new", "main", "corruption", [0.6, 0.7, 0.8], corruption="snow"),
            *rows("new", "aux", "corruption", [0.4, 0.5, 0.6]),
        ],
    }  # fmt: skip


def test_gains_are_paired_by_seed_with_the_base_s_main_branch(content):
    found = {(one.run, one.branch, one.measure): one for one in studies.gains(
        content, ["plain", "new"])}  # fmt: skip
    plain = found["plain", "main", "clean"]
    assert (plain.share, plain.points, plain.interval) == (pytest.approx(0.6), None, None)
    new = found["new", "main", "clean"]
    assert new.points == pytest.approx(0.1)  # 0.1, 0 and 0.2
    assert new.interval == pytest.approx(student_interval([0.1, 0.0, 0.2]))
    assert found["new", "aux", "clean"].points == pytest.approx(-0.1)
    # Corruptions are averaged first: 0.4, 0.5, 0.6 against 0.4.
    assert found["new", "main", "corruption"].share == pytest.approx(0.5)
    assert found["new", "main", "corruption"].points == pytest.approx(0.1)


def test_a_contrast_compares_gains_seed_by_seed(content):
    one = studies.contrast(content, "wide-new", "new", "clean")
    assert one.points == pytest.approx(0.7 / 3 - 0.1)  # 0.3, 0.1, 0.3 minus 0.1, 0, 0.2
    assert one.interval == pytest.approx(student_interval([0.2, 0.1, 0.1]))
    assert one.seeds == 3


def test_seeds_that_do_not_match_are_refused(content):
    content["results"] = [row for row in content["results"]
                          if (row["run"], row["seed"]) != ("plain", 2)]  # fmt: skip
    with pytest.raises(ValueError, match=r"new and plain have different seeds: \[0, 1, 2\] and"):
        studies.gains(content, ["new"])
    assert "different seeds" in fault(content)


def test_a_whole_study_has_no_fault(content):
    assert fault(content) is None


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        (("title",), 3, "title must be a string, got 3"),
        (("n",), "many", "n must be an integer"),
        (("measures",), {}, "measures must have at least 1"),
        (("results", 0, "run"), "other", "results[0] is of an unknown run"),
        (("results", 1, "top1"), 2, "results[1].top1 must be at most 1, got 2"),
        (("results", 0, "branch"), "<b>", "results[0].branch must match"),
        (("questions", 0, "runs"), ["nobody"], "a question is about nobody, which has no"),
        (("questions", 0), {}, "questions[0].title is missing"),
        (("bases",), 5, "bases must be a"),
    ],
)
def test_what_is_damaged_is_said(content, place, value, said):
    damaged = copy.deepcopy(content)
    inside = damaged
    for step in place[:-1]:
        inside = inside[step]
    inside[place[-1]] = value
    assert said in fault(damaged)


def test_a_run_that_no_question_is_about_stands_in_the_table_too(content):
    row = content["results"][0]
    lonely = [{**row, "run": "lonely", "seed": seed} for seed in (0, 1)]
    content["runs"]["lonely"] = "Lonely"
    content["results"] += lonely
    assert "no results of ('lonely', 'main', 'corruption')" in fault(content)


def test_the_table_has_a_row_for_each_branch(content):
    del content["questions"][:]
    lines = studies.markdown(content, str.upper).splitlines()
    assert lines[0] == "| run | branch | CLEAN | 2 CORRUPTIONS |"
    assert lines[2] == "| PLAIN | main | 60.0 % | 40.0 % |"
    assert lines[3] == (
        "| NEW | main | 70.0 % (+10.0: −14.8 to +34.8) | 50.0 % (+10.0: −14.8 to +34.8) |"
    )
    assert len(lines) == 2 + 5
