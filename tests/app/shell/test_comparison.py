from dataclasses import replace

import pytest

from advprop_core.compare import photo
from advprop_core.compare.compare import MapRequest
from advprop_core.pictures.noise import NOISES, NoiseConfig
from advprop_core.pictures.regions import EraseConfig, Region
from advprop_core.types import AttackConfig
from app.shell import cache, comparison
from app.shell.jobs import Cancelled, Job
from app.shell.view import PERTURBATIONS, View

BASE = View(model="tiny", image="scene:1")


@pytest.fixture
def info(tiny_info_of):
    return tiny_info_of()


def perturbation(info, **fields):
    return comparison.perturbation(replace(BASE, **fields), info)


def test_every_perturbation_on_the_page_becomes_a_request(info):
    for name in PERTURBATIONS:
        made = perturbation(info, perturbation=name)
        kinds = {"none": type(None), "erase": EraseConfig, **dict.fromkeys(NOISES, NoiseConfig)}
        assert type(made) is kinds.get(name, AttackConfig), name


def test_what_is_erased_by_hand(info):
    made = perturbation(info, perturbation="erase", regions="1.2.3.4", fill="blur")
    assert made == EraseConfig((Region(1, 2, 3, 4),), "blur")
    assert perturbation(info, perturbation="erase").regions == ()


def test_pgd_takes_its_radius_in_255ths_and_picks_its_step(info):
    assert perturbation(info, epsilon=4.0, steps=10, seed=3) == AttackConfig.pgd(
        4 / 255, steps=10, seed=3
    )
    made = perturbation(info, epsilon=8.0, steps=20, step_size=0.5)
    assert (made.epsilon, made.step_size, made.steps) == (8 / 255, 0.5 / 255, 20)
    assert made.random_start


def test_i_fgsm_starts_at_the_picture(info):
    made = perturbation(info, perturbation="i-fgsm", steps=7)
    assert made == AttackConfig.pgd(4 / 255, steps=7, random_start=False)


def test_fgsm_takes_one_step_of_the_radius(info):
    made = perturbation(info, perturbation="fgsm", epsilon=2.0, steps=50, step_size=1.0)
    assert made == AttackConfig.fgsm(2 / 255)


def test_l2_is_in_pixel_units(info):
    made = perturbation(info, norm="l2", radius=1.5, step_size=0.25)
    assert (made.norm, made.epsilon, made.step_size) == ("l2", 1.5, 0.25)
    assert perturbation(info, perturbation="fgsm", norm="l2", radius=2.0) == AttackConfig.fgsm(
        2.0, norm="l2"
    )


def test_a_norm_without_a_radius_of_its_own_is_an_error(info):
    with pytest.raises(KeyError, match="l1"):
        perturbation(info, norm="l1")


@pytest.mark.parametrize("kind", ["pgd", "i-fgsm", "fgsm"])
def test_a_target_is_a_class_index_of_this_network(info, kind):
    made = perturbation(info, perturbation=kind, target=info.class_ids[3])
    assert made.target_class == 3
    assert perturbation(info, perturbation=kind).target_class is None


@pytest.mark.parametrize("kind", NOISES)
def test_noises_take_severity_and_seed(info, kind):
    made = perturbation(info, perturbation=kind, severity=0.2, seed=5)
    assert made == NoiseConfig(kind, 0.2, 5)


@pytest.fixture
def lens(tiny):
    return cache.load_lens("tiny-advprop")


def test_maps_have_a_layer_only_where_the_method_has_one(lens):
    view = replace(BASE, layer="layer2", explained=lens.info.class_ids[2])
    other = replace(view, method="saliency")
    asked = [comparison.map_request(each, lens) for each in (view, other)]
    assert asked == [MapRequest("grad-cam", "layer2", 2), MapRequest("saliency", None, 2)]
    default = MapRequest("grad-cam", lens.default_layer, "own")
    assert comparison.map_request(BASE, lens) == default
    alike = MapRequest("grad-cam", lens.default_layer, None)
    assert comparison.map_request(BASE, lens, one_class=True) == alike
    attacked = replace(BASE, explained="attacked")
    assert comparison.map_request(attacked, lens) == alike


def test_the_true_class_is_found_by_id_or_name(tiny_info_of):
    info = tiny_info_of(class_ids=("n01", "n02"), class_names=("tench", "church"))
    photo_of = replace(BASE, image="photo:coffee")
    for word, index in (("n02", 1), ("Church ", 1), ("nave", None), ("", None)):
        assert comparison.true_class(replace(photo_of, true_class=word), info) == index, word


def test_what_changes_nothing_but_the_drawing_is_the_same_job(lens):
    def key(**fields):
        return comparison.comparison_task(replace(BASE, **fields), lens).key

    assert key(opacity=10, expert=True) == key()
    assert hash(key()) == hash(key(opacity=10))
    for fields in ({"epsilon": 2.0}, {"image": "scene:5"}, {"seed": 1}, {"attack_branch": "aux"}):
        assert key(**fields) != key()


def test_the_task_reports_to_its_job_and_can_be_stopped(lens):
    task = comparison.comparison_task(replace(BASE, method="saliency", steps=4), lens)
    job = Job("key", task.call)
    result = task.call(progress=job.report)
    assert job.progress == 1
    assert 0 < float((result.adversarial - result.clean).max()) <= 4 / 255 + 1e-6
    job.cancelled = True
    with pytest.raises(Cancelled):
        task.call(progress=job.report)


def test_the_maps_of_the_view_come_with_the_answers_where_they_cost_almost_nothing(lens):
    def answer(**fields):
        view = replace(BASE, steps=1, **fields)
        task = comparison.comparison_task(view, lens)
        return task, task.call(progress=Job("key", None).report)

    task, result = answer()
    assert comparison.map_request(BASE, lens).is_met_by(result)
    layered, coarse = answer(method="layer-cam", layer=lens.finer_layer)
    assert {(drawn.method, drawn.layer) for drawn in coarse.maps.values()} == {
        ("layer-cam", lens.finer_layer)
    }
    assert task.key == layered.key  # whoever asks for other maps needs no other attack
    for fields in ({"method": "saliency"}, {"method": "score-cam"}, {"layer": "nowhere"}):
        assert answer(**fields)[1].maps == {}


def test_a_clean_picture_is_asked_of_the_branches_once(lens, monkeypatch):
    questions, predict = [], photo.predict

    def counted(module, pixels):
        questions.append(module)
        return predict(module, pixels)

    monkeypatch.setattr(photo, "predict", counted)

    def answer(**fields):
        view = replace(BASE, **{"image": "scene:71", "steps": 1, "method": "saliency"} | fields)
        return comparison.comparison_task(view, lens).call(progress=Job("key", None).report)

    first, second = answer(), answer(epsilon=2.0)
    assert questions == list(lens.branches.values())
    for branch in lens.branches:
        assert second.predictions["clean", branch] == first.predictions["clean", branch]
    elsewhere = answer(image="scene:72")
    assert questions == 2 * list(lens.branches.values())
    assert elsewhere.predictions["clean", "main"] != first.predictions["clean", "main"]
