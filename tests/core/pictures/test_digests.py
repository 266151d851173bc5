import dataclasses

import torch

from advprop_core.models.digest import model_digest
from advprop_core.pictures.digests import image_digests, image_seeds


def test_a_seed_follows_from_the_image_alone(pixels):
    photos = (pixels(5) * 255).byte()
    seeds = image_seeds(photos, 0)
    assert len(set(seeds)) == 5
    assert image_seeds(photos[2:4], 0) == seeds[2:4]
    assert not set(image_seeds(photos, 1)) & set(seeds)


def test_a_model_is_its_numbers(make_dual, make_info):
    model, info = make_dual(), make_info()
    before = model_digest(model, info)
    assert model_digest(make_dual(), dataclasses.replace(info, name="other")) == before
    assert model_digest(model, dataclasses.replace(info, mean=(0.4, 0.5, 0.5))) != before
    with torch.no_grad():
        next(model.branch("aux").parameters()).view(-1)[0] += 1e-3
    assert model_digest(model, info) != before


def test_an_image_goes_by_its_pixels_shape_and_label(pixels):
    images, labels = (pixels(5) * 255).byte(), torch.arange(5)
    found = image_digests(images, labels)
    assert len(set(found)) == 5
    assert image_digests(images.flip(0), labels.flip(0)) == found[::-1]
    others = image_digests(images, labels + 1) + image_digests(images.transpose(2, 3), labels)
    others += image_digests(images.view(5, 3, -1, 1), labels)
    assert not set(others) & set(found)
