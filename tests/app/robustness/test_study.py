"""A study on the page: its sentences, its chart and its table."""

import json

import pytest

from advprop_core.evaluation import studies
from advprop_core.evaluation.results_file import parse
from app.figures import robustness as figures
from app.robustness import bundled, study


@pytest.fixture
def content(study_content):
    return study_content


@pytest.fixture
def finetuned():
    """A study as `benchmarks.effect` writes it of fine-tuned networks: ε, probes, calibration."""
    measures = {
        "clean": "clean", "corruption": "15 corruptions, severity 3 (500 photos)",
        "edges": "edges (500 photos)", "attack-0.5": "PGD-10, L∞ ε = 0.5/255 (200 photos)",
        "attack": "PGD-10, L∞ ε = 2/255 (200 photos)",
        "calibration": "calibration error (less is better)",
    }  # fmt: skip
    levels = {"vanilla main": 0.0, "advprop main": 0.1, "advprop aux": -0.1}
    return {
        "format": 1, "kind": "study", "title": "Does AdvProp help a good network?",
        "about": "EfficientNet-lite0, fine-tuned", "command": "make", "data": "photos", "n": 100,
        "measures": measures, "runs": {"lite0-vanilla": "vanilla", "lite0-advprop": "advprop"},
        "bases": {"lite0-advprop": "lite0-vanilla"},
        "questions": [{"title": "Which objective?", "runs": ["lite0-vanilla", "lite0-advprop"],
                       "contrasts": []}],
        "results": [
            {"run": f"lite0-{who.split()[0]}", "branch": who.split()[1], "seed": seed,
             "measure": measure, "top1": 0.5 + level + seed * 0.003 * (level > 0)}
            for who, level in levels.items() for seed in range(5) for measure in measures
        ],
    }  # fmt: skip


def test_the_answer_begins_with_main_of_advprop_and_says_how_many_comparisons_there_are(content):
    assert study.lead(content) == (
        "Clean, against main of “vanilla”: **main** of advprop is better, +10.3 points (+8.9 to "
        "+11.8). Of the others, **main** of mixed is worse, −10.3 points (−11.8 to −8.9). These "
        "are 3 comparisons. Even if nothing differs, about one in twenty shows a difference by "
        "chance."
    )
    assert study.answer(content, ["vanilla"], "clean") == (
        "Clean: there is nothing to compare against main of “vanilla”."
    )
    assert study.contrasts(content, [("advprop", "mixed")], "clean") == [
        "advprop minus mixed: +20.7 points (+17.8 to +23.5)."
    ]


def test_where_figures_come_from_and_what_is_asked(content):
    assert study.source(content) == "n = 100 images of photos, 3 seeds (0, 1 and 2)."
    assert bundled.question(content | {"title": "Does it help?"}) == "Does it help? 3 seeds"
    assert bundled.question(content | {"title": "The size"}) == "The size: 3 seeds"


def test_a_chart_has_a_line_for_each_run_and_branch(content):
    found = [one for one in studies.gains(content, ["advprop"]) if one.points is not None]
    chart = figures.gains(found, content["runs"])
    assert [trace["x"][0] for trace in chart["data"]] == pytest.approx([10.333, 0], abs=1e-3)
    assert chart["data"][0]["error_x"]["array"][0] == pytest.approx(1.434, abs=1e-3)
    assert chart["layout"]["yaxis"]["ticktext"] == ["advprop,<br>main", "advprop,<br>aux"]


def test_every_measure_has_a_row_and_an_error_that_falls_is_better(finetuned):
    assert parse("finetune.json", json.dumps(finetuned).encode()) == finetuned
    lines = study.table(finetuned, [*finetuned["runs"]])
    assert [line["measure"] for line in lines] == [
        study.safe(title) for title in finetuned["measures"].values()
    ]
    main, aux = "**main** of advprop", "**aux** of advprop"
    assert lines[0][main] == ":green-background[▲\u00a0+10.6]"
    assert lines[0][aux] == ":violet-background[▼\u00a0−10.0]"
    assert lines[-1][main] == ":violet-background[▼\u00a0+10.6]"
    assert lines[-1][aux] == ":green-background[▲\u00a0−10.0]"
    sentence = study.answer(finetuned, [*finetuned["runs"]], "calibration")
    assert "vanilla”: **main** of advprop is worse" in sentence
    assert "Of the others, **aux** of advprop is better" in sentence


def test_a_study_of_many_measures_on_the_page(visit, finetuned, monkeypatch, tmp_path):
    path = tmp_path / "finetune-128px.json"
    path.write_text(json.dumps(finetuned))
    monkeypatch.setattr(bundled, "bundled", lambda: {"finetune-128px": path})
    person = visit(steps="1", results="finetune-128px", v="3").turn_to("app/robustness/page.py")
    assert not person.at.exception, person.at.exception
    results = person.widget("results").options
    assert "Does AdvProp help a good network? 5 seeds" in results
    assert not any("128px" in title for title in results)
    measure = next(box for box in person.at.selectbox if box.label == "Measured on")
    assert len(measure.options) == 6
    person.choose(asked_on="calibration")
    assert "**aux** of advprop is better, −10.0 points" in person.text


def test_a_study_that_lacks_something_is_refused(content):
    del content["runs"]
    with pytest.raises(ValueError, match=r"s\.json is damaged: runs is missing"):
        parse("s.json", json.dumps(content).encode())
