"""The Robustness page, on tiny networks."""

import json
import re

import pytest

from advprop_core.errors import InputError
from app.robustness import bundled, work
from app.shell import cache
from tests.app.visiting import chosen

PAGE = "app/robustness/page.py"
LINK = {
    "v": "1", "tested": "tiny-advprop,tiny-vanilla", "data": "shapes", "images": "14",
    "radii": "2/255, 8/255", "attack_steps": "1", "results": "run", "steps": "1",
    "model": "tiny-advprop",
}  # fmt: skip


@pytest.fixture(autouse=True)
def cells(monkeypatch, tmp_path):
    monkeypatch.setattr(work, "user_cache_path", lambda *_, **__: tmp_path)


@pytest.fixture
def come(visit):
    """(choices) opens the page by a link; that times the networks, and measures nothing else."""

    def come_and_wait(**choices):
        person = visit(**LINK | choices).turn_to(PAGE)
        assert all(seconds > 0 for seconds in timed(person))
        return person

    return come_and_wait


def timed(person):
    """How long each network takes, once that is known."""
    jobs = [job for name, job in person.at.session_state.items() if "work.run_time" in name]
    return [job.future.result(60) for job in jobs]


def heading(person):
    shown = next((m.value for m in person.at.markdown if m.value.startswith("## ")), None)
    return shown and re.sub(r"\\(.)", r"\1", shown)


def assert_whole(person):
    assert not person.at.exception, person.at.exception
    assert heading(person).startswith("## Under PGD-1 at ε = 8/255 (L∞), **")
    assert person.charts[:2] == ["robustness.glance", "robustness.curve.0"]
    assert "n = 14 images of shapes, seed 0." in person.text


def open_tab(person, title):
    person.at.session_state["view.part"] = title
    person.run()
    assert not person.at.exception, person.at.exception
    assert chosen(person).part == title


def test_nothing_is_measured_before_it_is_asked_for(come):
    person = come()
    assert not person.at.exception
    assert heading(person) is None
    assert "PGD-1 at ε = 2/255 and 8/255 (L∞)" in person.text
    assert not person.at.get("progress")


def test_before_a_run_it_is_said_how_long_it_takes(come):
    person = come()
    assert "How long that takes is being measured" in person.text
    assert len(timed(person)) == 2
    person.run()
    assert "passes of an image through a network, a few seconds on this machine." in person.text


def test_a_run_and_all_that_it_shows(come):
    person = come(corrupted="1", severities="1").press("Run")
    assert_whole(person)
    assert [tab.label for tab in person.at.tabs] == [
        "Attacks", "Corruptions", "Confidence", "Disagreement", "Studies",
    ]  # fmt: skip
    assert "--corruptions all --severity 1 --limit 14" in person.at.code[0].value
    assert not person.button("Run").disabled
    accuracies = person.at.table[0].value
    assert list(accuracies.columns) == [
        "Network", "Branch", "Clean", "PGD-1, L∞ ε = 2/255", "PGD-1, L∞ ε = 8/255"
    ]  # fmt: skip
    assert len(accuracies) == 3
    open_tab(person, "Corruptions")
    assert person.charts == ["robustness.glance", "robustness.heat"], "one map, not one for each"
    assert "points" in person.text
    assert len(person.at.table[0].value) == 3
    person.choose(compared_with="nobody")
    assert "is wrong on" in person.text
    open_tab(person, "Confidence")
    assert person.charts[1:] == [f"robustness.reliability.{number}" for number in range(3)]


def test_who_harms_whom_what_is_needed_and_how_little_turns_an_image(come):
    link = {"through_each": "1", "probed": "1", "searched": "1", "data": "shapes-conflict"}
    person = come(**link, radii="1/255, 2/255", tested="tiny-advprop", expert="1").press("Run")
    assert not person.at.exception, person.at.exception
    assert person.charts == [
        "robustness.glance", "robustness.curve.0", "robustness.smallest", "robustness.transfer.0",
    ]  # fmt: skip
    person.choose(transfer="matrix.1")
    assert person.charts[-1] == "robustness.matrix.1"
    assert "through itself" in person.text
    assert "Median ε at which PGD-1 fools the branch" in person.text
    assert person.widget("through_each").value is True
    assert "--attack-branch each --probe all --smallest-epsilon 16/255" in person.at.code[0].value
    open_tab(person, "Shape")
    assert person.charts[1:] == ["robustness.bias", "robustness.probes"]


def test_another_session_with_the_same_link_finds_the_result(come, visit):
    come().press("Run")
    pool = cache.pool()
    later = visit(**LINK).turn_to(PAGE)
    assert cache.pool() is pool
    assert_whole(later)


def test_a_reload_finds_the_running_job_and_may_stop_it(come, visit, hold, monkeypatch):
    held = hold(work, "measure")
    person = come()
    person.button("Run").click()
    person.at.run()
    assert [p.value for p in person.at.progress] == [50]
    assert person.button("Run").disabled
    assert person.widget("images").disabled

    later = visit(**LINK)
    later.at.switch_page(PAGE)
    later.at.run()
    assert [p.value for p in later.at.progress] == [50]
    monkeypatch.setattr(cache.pool(), "_is_here", lambda session: False)  # the first one went
    later.button("Stop").click()
    later.at.run()
    assert not later.at.get("progress")
    assert "Finished figures are saved" in later.at.info[0].value
    person.at.run()
    assert not person.at.get("progress"), "it is stopped for the session that went as well"
    assert "someone stopped it, or a network file changed" in person.at.info[0].value
    held.set()
    assert_whole(later.press("Run"))


def test_what_is_chosen_next_leaves_the_result_until_there_is_another(come):
    person = come().press("Run")
    before = heading(person)
    person.choose(images=21)
    assert heading(person) == before
    assert "Previous result" in person.text
    assert "n = 14 images" in person.text
    person.press("Run")
    assert "Previous result" not in person.text
    assert "n = 21 images" in person.text


def test_work_that_fails_is_said_and_tried_again_when_asked(come, monkeypatch):
    runs = []

    def fail(request, files, *, progress):
        runs.append(request)
        raise InputError("logits must be finite.")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(work, "measure", fail)
        person = come().press("Run")
        assert person.errors == ["logits must be finite."]
        person.run()
        assert len(runs) == 1
    assert_whole(person.press("Run"))
    assert not person.errors


def test_on_a_full_disk_figures_are_whole_and_it_is_said_that_they_are_not_kept(
    come, fill_disk, tmp_path
):
    fill_disk()
    person = come().press("Run")
    assert_whole(person)
    assert re.search(r"could not keep them .*No space left on device", person.text)
    assert not [*work.cell_folder().iterdir()]  # nor is a part of a file left


@pytest.mark.parametrize(
    ("choices", "said"),
    [
        ({"radii": "2/255, 0"}, "clean images are measured anyway"),
        ({"radii": ""}, "1 to 12 radii"),
        ({"corrupted": "1", "severities": ""}, "No severity"),
    ],
)
def test_what_cannot_be_measured_is_said(come, choices, said):
    person = come(**choices)
    assert not person.at.exception
    (error,) = person.errors
    assert said in error
    assert "Run" not in [b.label for b in person.at.button]


def test_no_network_is_said_and_stays_so(come):
    person = come().choose(tested=[])
    assert person.errors == ["No network is chosen. Choose at least one."]
    assert person.run().errors


def test_networks_of_different_classes_have_no_images_in_common(
    visit_with, tiny_models, save_tiny_network, tiny_info_of, tmp_path
):
    others = tiny_info_of("others", class_ids=("a", "b"), class_names=("a", "b"))
    file = save_tiny_network(tmp_path / "others.safetensors", others)
    link = {**LINK, "tested": "others,tiny-advprop"}
    person = visit_with(tiny_models["tiny-advprop"], file, **link).turn_to(PAGE)
    assert not person.at.exception
    assert person.errors == [
        "`others` and `tiny-advprop` know different classes: measure networks of the same classes "
        "together."
    ]


def test_a_link_to_a_network_that_is_not_here(come):
    person = come(tested="tiny-vanilla,gone")
    assert any("tested" in warning for warning in person.warnings)
    assert chosen(person).tested == ("tiny-vanilla",)


def test_without_a_link_the_page_shows_bundled_results_and_has_something_to_measure(visit):
    person = visit(steps="1").turn_to(PAGE)
    assert not person.errors
    assert not person.warnings
    assert chosen(person).tested == ("tiny-advprop",)
    assert (chosen(person).data, chosen(person).results) == ("shapes", "imagenette")
    assert "300" in person.text


def test_another_norm_has_other_radii(come):
    person = come(expert="1").choose(ball="l2")
    assert chosen(person).radii == "0.5, 1, 2"
    assert "ε = 0.5, 1 and 2 (L2)" in person.text


# -- single images ---------------------------------------------------------------------------------


def test_an_image_opens_in_the_playground_with_its_network_and_attack(come):
    person = come(part="Disagreement").press("Run")
    assert person.widget("gallery_network").options[0] == "tiny-advprop"
    outcome = person.at.session_state["shown.robustness"].result
    opens = [b for b in person.at.button if (b.key or "").startswith("robustness.open.")]
    assert opens, "the tiny branches differ somewhere"
    source = opens[0].key.removeprefix("robustness.open.")
    assert source in outcome.sources["tiny-advprop"]
    opens[0].click()
    person.run()
    view = chosen(person)
    assert (view.model, view.image, view.perturbation) == ("tiny-advprop", source, "pgd")
    assert (view.epsilon, view.steps, view.norm) == (8.0, 1, "linf")
    person.assert_whole()


def test_an_attack_that_the_playground_lacks_opens_as_near_as_it_can(come):
    person = come(radii="64/255", seed="7", part="Disagreement").press("Run")
    assert person.widget("gallery_network").options[0] == "tiny-advprop"
    opens = [b for b in person.at.button if (b.key or "").startswith("robustness.open.")]
    assert {b.help for b in opens} == {
        "Opens this image there, with this network and this attack from another random start at "
        "ε = 16/255, the largest possible."
    }
    opens[0].click()
    person.run()
    assert (chosen(person).epsilon, chosen(person).seed) == (16.0, 0)


def test_a_network_with_one_branch_has_wrong_answers_to_show_and_no_disagreement(come):
    person = come(part="Disagreement").press("Run")
    assert person.widget("gallery_network").options[0] == "tiny-advprop"
    both = person.widget("gallery_group")
    assert [option.split(" (")[0] for option in both.options] == [
        "Branches differ", "Only main survives", "Only aux survives", "Confidently wrong"
    ]  # fmt: skip
    person.choose(gallery_condition="clean")
    assert "Only aux is right" in str(person.widget("gallery_group").options)
    person.choose(gallery_network="tiny-vanilla")
    alone = person.widget("gallery_group")
    assert len(alone.options) == 1


# -- choices inside the tabs -----------------------------------------------------------------------

IMAGENETTE = {"v": "3", "model": "tiny-advprop", "steps": "1", "results": "imagenette"}


@pytest.mark.parametrize(
    ("part", "name", "value"),
    [
        ("Attacks", "several.pictured", ["aux of imagenette-advprop"]),
        ("Corruptions", "corrupted_branch", "main of imagenette-vanilla"),
        ("Corruptions", "compared_with", "nobody"),
        ("Confidence", "confidence_under", "PGD-10, L∞ ε = 4/255"),
    ],
)
def test_what_is_chosen_inside_a_tab_is_in_the_link(visit, monkeypatch, part, name, value):
    monkeypatch.setattr("app.robustness.parts.MOST_BRANCHES", 3)  # so that figures take not all
    person = visit(**IMAGENETTE, part=part).turn_to(PAGE).choose(**{name: value})
    assert person.widget(name).value == value
    again = visit(**dict(person.at.query_params)).turn_to(PAGE)
    assert again.widget(name).value == value
    assert chosen(again) == chosen(person)
    assert not again.warnings


def test_what_a_link_asks_for_inside_a_tab_and_is_not_there_is_said(visit):
    link = {"part": "Corruptions", "corrupted_branch": "aux9 of none", "compared_with": "none"}
    person = visit(**IMAGENETTE, **link).turn_to(PAGE)
    assert not person.at.exception
    assert [warning.partition(", which")[0] for warning in person.warnings] == [
        "The link asks for corrupted_branch = `aux9 of none`",
        "The link asks for compared_with = `none`",
    ]
    assert chosen(person.run()).corrupted_branch == ""


# -- results of others -----------------------------------------------------------------------------


@pytest.fixture
def results_file(come):
    """The bytes of a results file, as the page itself offers it."""
    person = come().press("Run")
    return json.dumps(person.at.session_state["shown.robustness"].result.content).encode()


def test_a_file_of_the_person(come, results_file):
    person = come(results="file")
    person.at.file_uploader[0].set_value(("results.json", results_file, "application/json"))
    person.run()
    assert_whole(person)
    open_tab(person, "Disagreement")
    assert "holds totals only" in person.text
    open_tab(person, "Attacks")
    person.at.file_uploader[0].set_value(("other.json", b"{}", "application/json"))
    person.run()
    assert_whole(person)
    assert "holds no results" in person.errors[0]
    assert "stay below" in person.errors[0]


def test_bundled_results_are_there_at_once(visit, results_file, monkeypatch, tmp_path):
    path = tmp_path / "zoo.json"
    path.write_bytes(results_file)
    monkeypatch.setattr(bundled, "bundled", lambda: {"zoo": path})
    person = visit(steps="1").turn_to(PAGE)
    assert_whole(person)
    assert chosen(person).results == "zoo"
    assert "advprop evaluate --model" in person.at.code[0].value


def test_a_study_is_shown_question_by_question(visit, study_content, monkeypatch, tmp_path):
    path = tmp_path / "objectives.json"
    path.write_text(json.dumps(study_content))
    monkeypatch.setattr(bundled, "bundled", lambda: {"objectives": path})
    person = visit(steps="1").turn_to(PAGE)
    assert not person.at.exception, person.at.exception
    assert heading(person) == "## Does it ∗help∗? 3 seeds"
    assert person.charts == ["robustness.gains"]
    assert "**main** of advprop is better, +10.3 points" in person.text
    assert list(person.at.table[0].value.columns) == [
        "Measure", "**main** of advprop", "**aux** of advprop", "**main** of mixed"
    ]  # fmt: skip
    assert person.at.code[0].value == "make"


def test_bundled_results_that_are_damaged_are_named(come, monkeypatch, tmp_path):
    path = tmp_path / "zoo.json"
    path.write_text('{"format": 9, "results": []}')
    monkeypatch.setattr(bundled, "bundled", lambda: {"zoo": path})
    person = come(results="zoo")
    assert not person.at.exception
    assert "zoo.json has results in format 9" in person.errors[0]


def test_a_masked_gradient_is_a_warning(come, results_file, monkeypatch, tmp_path):
    content = json.loads(results_file)
    content["warnings"] = [{"model": "a", "branch": "main", "sign": "x", "text": "Look *twice*."}]
    path = tmp_path / "zoo.json"
    path.write_text(json.dumps(content))
    monkeypatch.setattr(bundled, "bundled", lambda: {"zoo": path})
    assert come(results="zoo").warnings == ["Look \\*twice\\*."]
