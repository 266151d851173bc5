import pytest
import torch

from advprop_core.attacks.gradient import attack
from advprop_core.attribution.errors import UnknownLayer
from advprop_core.attribution.layers import default_layer
from advprop_core.attribution.maps import explain
from advprop_core.compare import film as module
from advprop_core.compare.compare import MapRequest
from advprop_core.compare.film import kept_steps, make_film
from advprop_core.types import AttackConfig

PGD = AttackConfig.pgd(8 / 255, steps=4)


@pytest.fixture
def branches(dual):
    return {name: dual.branch(name) for name in ("main", "aux")}


def run(branches, image, config=PGD, **fields):
    return make_film(branches, image, config, **{"attack_branch": "aux", **fields})


@pytest.mark.parametrize(
    ("steps", "most", "expected"),
    [
        (4, 25, (0, 1, 2, 3, 4)),
        (1, 2, (0, 1)),
        (100, 5, (0, 25, 50, 75, 100)),
        (10, 4, (0, 3, 7, 10)),
    ],
)
def test_kept_steps_literal(monkeypatch, steps, most, expected):
    monkeypatch.setattr(module, "_MOST_FRAMES", most)
    assert kept_steps(steps) == expected


def test_the_frames_are_the_clean_picture_and_every_point_of_the_walk(branches, pixels):
    film = run(branches, pixels(1), true_class=2)
    assert film.steps == (-1, 0, 1, 2, 3, 4)
    assert film.all_steps == 4
    points = []
    label = torch.tensor([2])
    attack(branches["aux"], pixels(1), label, PGD, lambda _, x: points.append(x))
    assert torch.equal(film.pixels, torch.cat([pixels(1), *points]))
    for name, branch in branches.items():
        with torch.no_grad():
            expected = branch(film.pixels)
        shown = torch.stack([said.logits for said in film.predictions[name]])
        torch.testing.assert_close(shown, expected, rtol=1e-4, atol=1e-5)
    assert film.maps == {}
    assert (film.true_class, film.attacked_class, film.class_index) == (2, 2, 2)


def test_a_walk_from_the_clean_picture_shows_it_once(branches, pixels):
    still = AttackConfig.pgd(8 / 255, steps=2, random_start=False)
    assert run(branches, pixels(1), still).steps == (-1, 1, 2)
    assert run(branches, pixels(1), AttackConfig.fgsm(8 / 255)).steps == (-1, 1)


def test_a_long_walk_is_shown_in_a_few_frames(branches, pixels, monkeypatch):
    monkeypatch.setattr(module, "_MOST_FRAMES", 3)
    long = AttackConfig.pgd(8 / 255, steps=20)
    film = run(branches, pixels(1), long)
    assert film.steps == (-1, 0, 10, 20)
    assert film.all_steps == 20


def test_maps_of_every_frame_explain_one_class(branches, pixels):
    film = run(branches, pixels(1), maps=MapRequest("grad-cam", class_index=4))
    assert film.class_index == 4
    layer = default_layer(branches["main"], pixels(1))
    for name, branch in branches.items():
        assert film.maps[name].shape == (6, 32, 32)
        expected = explain(branch, film.pixels[5:], 4, "grad-cam", layer=layer)[0]
        torch.testing.assert_close(film.maps[name][5], expected, rtol=1e-3, atol=1e-5)
    plain = run(branches, pixels(1), maps=MapRequest("saliency"))
    assert plain.class_index == plain.attacked_class


def test_a_network_without_the_map_is_filmed_without(branches, pixels, monkeypatch):
    def refuse(module, pixels):
        raise UnknownLayer("no stage gives a map")

    monkeypatch.setattr(module, "default_layer", refuse)
    film = run(branches, pixels(1), maps=MapRequest())
    assert (film.maps, film.maps_refused) == ({}, "no stage gives a map")
    assert torch.equal(film.pixels, run(branches, pixels(1)).pixels)


def test_progress_rises_and_what_it_raises_ends_the_film(branches, pixels):
    told = []
    run(branches, pixels(1), maps=MapRequest("saliency"), progress=told.append)
    assert told == sorted(told)
    assert told[-1] == 1

    def stop(share):
        raise InterruptedError

    with pytest.raises(InterruptedError):
        run(branches, pixels(1), progress=stop)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"attack_branch": "adv"}, "attack_branch must be one of main, aux"),
        ({"maps": MapRequest("grad-cam", layer="nowhere")}, "nowhere"),
        ({"maps": MapRequest("saliency", class_index=9)}, "class_index"),
    ],
)
def test_refusals(branches, pixels, fields, words):
    with pytest.raises(ValueError, match=words):
        run(branches, pixels(1), **fields)


def test_one_image(branches, pixels):
    with pytest.raises(ValueError, match="one image, got 2"):
        run(branches, pixels(2))
