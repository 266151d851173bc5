"""The attack studio below the Playground: computed when opened, kept while it is made anew."""

import threading
from functools import wraps

import pytest
import torch

from advprop_core.datasets.texture_shapes.scenes import SHAPES, draw_scene
from advprop_core.errors import InputError
from advprop_core.models import checkpoints
from app.figures.animation import to_animation
from app.playground import film, matrix, sweep
from app.playground.view import PlaygroundView
from app.shell import cache, links, samples
from tests.app.visiting import chosen, jpeg, lose_pictures

PARTS = {"sweep": (sweep, "sweep"), "film": (film, "make_film"),
         "matrix": (matrix, "attack_matrix")}  # fmt: skip


def result(person, part):
    return person.at.session_state[f"shown.studio.{part}"].result


def studio_charts(person):
    return [chart for chart in person.charts if chart.startswith("studio.")]


def button(person, key):
    return next(b for b in person.at.button if b.key == key)


def counting(function, part, done):
    @wraps(function)
    def run(*inputs, **options):
        done.append(part)
        return function(*inputs, **options)

    return run


@pytest.fixture
def counted(monkeypatch):
    """Names of the parts that were computed, in order."""
    done = []
    for part, (module, name) in {**PARTS, "folder": (matrix, "evaluate")}.items():
        monkeypatch.setattr(module, name, counting(getattr(module, name), part, done))
    return done


def test_nothing_is_computed_until_a_part_is_opened(visit, counted):
    person = visit(steps="2")
    person.assert_whole()
    assert person.widget("studio").value == ""
    assert counted == []
    person.choose(studio="sweep")
    assert counted == ["sweep"]
    assert person.at.query_params["studio"] == "sweep"
    person.choose(studio="")
    person.assert_whole()
    assert counted == ["sweep"]


def test_a_link_opens_a_part(visit):
    person = visit(studio="matrix", steps="2")
    assert studio_charts(person) == ["studio.matrix"]
    assert "Who fools whom?" in person.text


@pytest.fixture
def undecided(visit_with, tiny_models, tmp_path):
    """The page on a network whose main branch hardly prefers what the first picture shows."""
    checkpoint = checkpoints.load(tiny_models["tiny-advprop"])
    branch, info = checkpoint.model.branch("main"), checkpoint.info
    with torch.no_grad():
        bias = branch.network.get_classifier().bias
        bias -= branch(cache.pixels("scene:2", info.input_size))[0]
        bias[SHAPES.index(cache.picture("scene:2", info.input_size).label)] += 0.05
    path = tmp_path / "undecided.safetensors"
    checkpoints.save(path, checkpoint.model, info)
    return lambda **parameters: visit_with(path, **parameters)


def test_the_sweep_says_where_each_branch_flips(undecided):
    person = undecided(studio="sweep", steps="3")
    assert not person.at.exception
    assert studio_charts(person) == ["studio.curve"]
    found = result(person, "sweep")
    assert list(found.flips) == ["main", "aux"]
    assert 0 < found.flips["main"].epsilon < 16 / 255
    for words in ("**main** flips to ", "searched up to 16/255", "upper bound",
                  "to within 0.05/255", "PGD-3, L∞"):  # fmt: skip
        assert words in person.text


def test_a_flip_is_what_the_comparison_shows_there(undecided):
    person = undecided(studio="sweep", steps="3")
    flip = result(person, "sweep").flips["main"]
    button(person, "studio.go.main").click()
    person.run()
    strength = chosen(person).epsilon
    assert strength / 255 == pytest.approx(flip.epsilon, abs=1e-6)
    assert person.result.predictions["adversarial", "main"].class_index == flip.answer
    person.choose(epsilon=round(strength - 0.05, 2))
    held = person.result.predictions["adversarial", "main"].class_index
    assert held == person.result.attacked_class != flip.answer


def test_the_strength_does_not_make_the_sweep_anew(visit, counted):
    person = visit(studio="sweep", steps="2")
    person.choose(epsilon=9.0)
    assert counted == ["sweep"]
    person.choose(attack_branch="aux")
    assert counted == ["sweep", "sweep"]
    assert "through aux" in person.text


@pytest.mark.parametrize(
    ("norm", "points", "expected"),
    [
        ("linf", [{"x": 7.0}], {"view.epsilon": 7.0}),
        ("linf", [{"x": 2.3499999}], {"view.epsilon": 2.35}),
        ("linf", [{"x": 99.0}], {"view.epsilon": 16}),
        ("l2", [{"x": 1.2}, {"x": 1.2}], {"view.radius": 1.2}),
        ("linf", [], {}),
    ],
)
def test_a_click_on_the_curve_sets_the_strength(monkeypatch, norm, points, expected):
    session = {"studio.curve": {"selection": {"points": points}}}
    monkeypatch.setattr(sweep.st, "session_state", session)
    sweep._go_to_click(norm)
    assert {key: value for key, value in session.items() if key[:5] == "view."} == expected


def test_l2_has_its_own_radii(visit):
    person = visit(studio="sweep", steps="2", norm="l2")
    assert result(person, "sweep").epsilons[-1] == 5
    assert "searched up to 5 (L2)." in person.text


def test_a_branch_that_is_wrong_from_the_start_flips_at_0(visit):
    """Of the scenes there is one that an untrained branch gets wrong."""
    for scene in range(6):
        person = visit(studio="sweep", steps="1", image=f"scene:{scene}")
        wrong = [b for b, f in result(person, "sweep").flips.items() if f.epsilon == 0]
        if wrong:
            break
    assert wrong
    assert f"**{wrong[0]}** is wrong on the clean picture (at 0:" in person.text
    assert f"studio.go.{wrong[0]}" not in person.keys()  # noqa: SIM118


def test_a_target_is_chosen_in_the_studio_too_and_said_to_be_reached_or_not(visit):
    person = visit(studio="sweep", steps="3")
    person.choose(**{"studio.target": "heart"})
    assert chosen(person).target == "heart"
    assert result(person, "sweep").target_class == SHAPES.index("heart")
    assert "The target heart was " in person.text
    assert "towards heart" in person.text
    person.choose(expert=True)
    assert person.widget("target").value == "heart"
    person.choose(target="")
    assert person.widget("studio.target").value == ""
    assert "The target" not in person.text


def test_the_film_has_the_clean_picture_the_start_and_every_step(visit):
    person = visit(studio="film", steps="4")
    assert not person.at.exception
    reel = result(person, "film")
    assert [frame.title for frame in reel.frames] == [
        "Clean picture", "Random start", "Step 1 of 4", "Step 2 of 4", "Step 3 of 4", "Step 4 of 4",
    ]  # fmt: skip
    last = {b: person.result.predictions["adversarial", b] for b in reel.branches}
    for (name, share), said in zip(reel.frames[-1].answers, last.values(), strict=True):
        assert name == SHAPES[said.class_index]
        assert share == pytest.approx(said.confidence, abs=1e-3)
    assert len(to_animation(reel, "WebP", "film")) > 1000
    assert "Grad-CAM for the class" in person.text


def test_a_long_film_is_shortened_and_a_slow_map_replaced_and_both_are_said(visit):
    person = visit(studio="film", steps="60", perturbation="i-fgsm", method="occlusion")
    assert len(result(person, "film").frames) == 25  # the clean one, and 24: no random start
    assert "The film shows 24 of 60 pictures" in person.text
    assert "Occlusion would take too long" in person.text


def test_the_matrix_of_one_picture(visit):
    person = visit(studio="matrix", steps="2")
    found = result(person, "matrix")
    assert list(found.attacked) == [(a, b) for a in ("main", "aux") for b in ("main", "aux")]
    shown = person.result.predictions["adversarial", "aux"]
    assert found.attacked["main", "aux"].confidence == pytest.approx(shown.confidence, abs=1e-3)
    assert "The attack through **aux**" in person.text


def test_many_pictures_are_measured_when_asked_and_said_to_be_old_after_a_change(
    visit, monkeypatch, counted
):
    monkeypatch.setattr(matrix, "MOST_IMAGES", 20)
    person = visit(studio="matrix", steps="1")
    assert counted == ["matrix"]
    button(person, "ask.studio.folder").click()
    person.run()
    assert counted == ["matrix", "folder"]
    assert studio_charts(person) == ["studio.matrix", "studio.accuracies"]
    for words in ("n = 20 drawn scenes", "Wilson", "Accuracy on clean pictures"):
        assert words in person.text
    cells = result(person, "folder").cells
    assert [(c.condition.attack_branch, c.branch) for c in cells] == [
        (None, "main"), (None, "aux"), ("main", "main"), ("main", "aux"),
        ("aux", "main"), ("aux", "aux"),
    ]  # fmt: skip
    person.choose(epsilon=9.0)
    assert "measure again" in person.text
    assert counted.count("folder") == 1
    button(person, "ask.studio.folder").click()
    person.run()
    assert counted.count("folder") == 2
    assert "measure again" not in person.text


@pytest.fixture
def own_folder(visit, tmp_path, monkeypatch):
    """Photos of two of the network's classes; the network's classes are not the built-in ones."""
    from PIL import Image

    for label in ("star", "heart"):
        (tmp_path / label).mkdir()
        for index in range(3):
            scene = draw_scene(5, index, texture_agreement=1.0, size=64)
            Image.fromarray(scene.image).save(tmp_path / label / f"{index}.png")
    monkeypatch.setattr(samples, "SHAPES", ("other", "classes"))
    monkeypatch.setenv("ADVPROP_IMAGES", str(tmp_path))
    return tmp_path


def test_a_persons_own_folder_is_measured(visit, own_folder):
    person = visit(studio="matrix", steps="1")
    button(person, "ask.studio.folder").click()
    person.run()
    assert "n = 6 photos of your folder" in person.text


def test_without_photos_of_its_classes_it_is_said_what_to_do(visit, own_folder):
    for label in ("star", "heart"):
        (own_folder / label).rename(own_folder / f"{label}fish")
    person = visit(studio="matrix", steps="1")
    assert "it holds `heartfish` and `starfish`" in person.text
    assert "--images FOLDER" in person.text
    assert "zip under **Photos of your own**" in person.text
    assert "ask.studio.folder" not in person.keys()  # noqa: SIM118


@pytest.mark.parametrize("part", PARTS)
def test_a_network_with_main_alone(visit, part):
    person = visit(model="tiny-vanilla", studio=part, steps="2")
    assert not person.at.exception
    assert not person.errors
    assert result(person, part)


@pytest.mark.parametrize("part", PARTS)
def test_a_picture_of_unknown_class(visit, part):
    person = visit(image="photo:coffee", studio=part, steps="2")
    assert not person.at.exception
    assert not person.errors
    assert "on the clean picture (at 0" not in person.text


@pytest.mark.parametrize("kind", ["gaussian", "erase", "none"])
def test_what_is_no_attack_is_said_and_one_offered(visit, kind, counted):
    person = visit(studio="sweep", perturbation=kind, steps="1")
    assert not person.at.exception
    assert "is not an attack" in person.at.info[0].value
    assert counted == []
    button(person, "studio.pgd").click()
    person.run()
    assert chosen(person).perturbation == "pgd"
    assert counted == ["sweep"]


def test_an_attack_of_no_strength(visit):
    for part in PARTS:
        person = visit(studio=part, epsilon="0", steps="2")
        assert not person.at.exception
        assert not person.errors


def test_progress_can_be_stopped_and_taken_up_again(visit, hold):
    let_go = hold(matrix, "attack_matrix")
    person = visit(steps="1")
    person.widget("studio").set_value("matrix")
    person.at.run()
    assert [p.value for p in person.at.progress] == [50]
    person.at.button(key="stop.studio.matrix").click()
    let_go.set()
    person.run().assert_whole()
    assert studio_charts(person) == []
    person.at.button(key="go.studio.matrix").click()
    person.run()
    assert studio_charts(person) == ["studio.matrix"]


def test_the_previous_result_stays_while_another_is_made(visit, monkeypatch):
    person = visit(studio="matrix", steps="1")
    before = result(person, "matrix")
    let_go = threading.Event()
    real = matrix.attack_matrix

    def attack_matrix(*inputs, **options):
        let_go.wait(30)
        return real(*inputs, **options)

    monkeypatch.setattr(matrix, "attack_matrix", attack_matrix)
    person.widget("epsilon").set_value(9.0)
    at = person.at.run()
    assert "Previous result" in person.text
    assert result(person, "matrix") is before
    assert studio_charts(person) == ["studio.matrix"]
    let_go.set()
    person.run()
    assert result(person, "matrix") is not before
    assert not at.exception


def test_work_that_fails_is_said(visit, monkeypatch):
    def fail(*_, **__):
        raise InputError("the map is not finite.")

    monkeypatch.setattr(film, "make_film", fail)
    person = visit(studio="film", steps="1")
    assert person.errors == ["the map is not finite."]
    assert not person.at.exception


def test_links_without_a_studio_are_what_they_were():
    assert links.encode(PlaygroundView()) == {"v": "3"}
    view, complaints = links.decode({"v": "3", "studio": "kitchen"}, PlaygroundView())
    assert view == PlaygroundView()
    assert "studio = `kitchen`" in complaints[0]


def test_a_photo_that_is_gone_leaves_the_studio_what_was_made_of_it(visit):
    person = visit(steps="1", studio="matrix").upload("mine.jpg", jpeg())
    charts = person.charts
    assert "studio.matrix" in charts
    lose_pictures()
    person.choose(epsilon=2.0)
    assert not person.at.exception
    assert person.charts == charts
