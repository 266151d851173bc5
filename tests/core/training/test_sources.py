from functools import partial
from itertools import chain

import numpy as np
import pytest
import torch
from PIL import Image

from advprop_core.datasets.listed import ImageList, open_photo
from advprop_core.pictures.formats import ImageError
from advprop_core.training import sources
from advprop_core.training.recipe import Augmentation, Recipe
from advprop_core.training.sources import InMemory, OnDisk

CPU = torch.device("cpu")
CLASSES = 12  # as many as photos, so that a label says which photo it is


def recipe_of(batch_size=4, seed=0, **augmentation):
    return Recipe(
        size=32, batch_size=batch_size, seed=seed, augmentation=Augmentation(**augmentation)
    )


def open_row(images, row, _):
    return Image.fromarray(images[row].permute(1, 2, 0).contiguous().numpy())


def on_disk(images, labels, recipe, classes=CLASSES):
    names = tuple((str(label), str(label)) for label in range(classes))
    rows = range(len(labels))
    return OnDisk(ImageList("made", names, labels, rows, partial(open_row, images)), recipe)


def of_files(files, recipe):
    names = tuple((file.name, file.name) for file in files)
    labels = torch.arange(len(files))
    return OnDisk(ImageList("made", names, labels, files, open_photo), recipe)


@pytest.fixture
def photos():
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (12, 3, 43, 43), generator=generator, dtype=torch.uint8)
    return images, torch.arange(12)


@pytest.fixture(autouse=True)
def _one_worker(monkeypatch):
    """Starting them takes longer than what they do here."""
    monkeypatch.setattr(sources.os, "cpu_count", lambda: 1)


KINDS = {
    "in memory": (InMemory, {}),
    "on disk": (on_disk, {"randaugment": "rand-m9-mstd0.5"}),
}


@pytest.fixture(params=KINDS)
def make_source(request, photos):
    """(batch size, seed, any augmentation) to a source of twelve photos."""
    kind, own = KINDS[request.param]

    def make(batch_size=4, seed=0, count=12, **augmentation):
        recipe = recipe_of(batch_size, seed, **own, **augmentation)
        return kind(*(part[:count] for part in photos), recipe, CLASSES)

    return make


def assert_alike(ours, theirs):
    ours, theirs = list(ours), list(theirs)
    assert len(ours) == len(theirs)
    for one, other in zip(ours, theirs, strict=True):
        assert (one.seed, one.common_seed) == (other.seed, other.common_seed)
        assert torch.equal(one.pixels, other.pixels)
        assert torch.equal(one.targets, other.targets)


def labels_of(batches):
    return [batch.targets.tolist() for batch in batches]


def all_of(lists):
    return list(chain.from_iterable(lists))


# -- both sources -------------------------------------------------------------------------------


def test_every_photo_comes_once_an_epoch_in_an_order_of_its_own(make_source):
    source = make_source()
    assert len(source) == 12
    first, second = (labels_of(source.epoch(number, 0, CPU)) for number in (0, 1))
    for batches in (first, second):
        assert [len(batch) for batch in batches] == [4, 4, 4]
        assert sorted(all_of(batches)) == list(range(12))
    assert all_of(first) != sorted(all_of(first))
    assert first != second


def test_a_last_batch_that_is_not_full_is_left_out(make_source):
    batches = labels_of(make_source(batch_size=5).epoch(0, 0, CPU))
    assert [len(batch) for batch in batches] == [5, 5]
    assert len(set(all_of(batches))) == 10


def test_an_epoch_can_be_taken_up_at_any_step(make_source):
    source = make_source(mixup=0.2, color_jitter=0.4, gaussian=0.1)
    whole = list(source.epoch(2, 0, CPU))
    torch.rand(3)  # whatever the global generator went through in between
    assert_alike(source.epoch(2, 1, CPU), whole[1:])
    assert_alike(make_source(mixup=0.2, color_jitter=0.4, gaussian=0.1).epoch(2, 2, CPU), whole[2:])
    assert labels_of(source.epoch(2, 3, CPU)) == []


def test_steps_epochs_and_seeds_draw_anew(make_source):
    batches = list(make_source().epoch(0, 0, CPU))
    batches += [*make_source().epoch(1, 0, CPU), *make_source(seed=1).epoch(0, 0, CPU)]
    assert len({batch.seed for batch in batches}) == len(batches)
    views = {}
    for batch in batches:
        for label, pixels in zip(batch.targets.tolist(), batch.pixels, strict=True):
            views.setdefault(label, []).append(pixels)
    for own in views.values():
        assert len(own) == 3
        assert not own[0].equal(own[1])
        assert not own[0].equal(own[2])
        assert not own[1].equal(own[2])


def test_pixels_are_what_the_network_takes(make_source):
    batch = next(make_source(gaussian=0.5).epoch(0, 0, CPU))
    assert batch.pixels.shape == (4, 3, 32, 32)
    assert batch.pixels.dtype == torch.float32
    assert batch.pixels.is_contiguous(memory_format=torch.channels_last)
    assert batch.pixels.min() >= 0
    assert batch.pixels.max() <= 1


def test_processes_deal_out_the_batches_of_one(make_source, monkeypatch):
    whole = labels_of(make_source().epoch(1, 1, CPU))
    dealt, seeds, common = [], set(), set()
    for rank in range(2):
        monkeypatch.setattr(sources, "world", lambda rank=rank: (rank, 2))
        batches = list(make_source().epoch(1, 1, CPU))
        dealt.append(labels_of(batches))
        seeds.add(batches[0].seed)
        common.add(batches[0].common_seed)
    assert len(seeds) == 2
    assert len(common) == 1
    for step, expected in enumerate(whole):
        shares = [own[step] for own in dealt]
        assert {len(share) for share in shares} == {2}
        assert sorted(all_of(shares)) == sorted(expected)


def test_no_two_steps_or_processes_have_a_seed_in_common(monkeypatch):
    seeds = []
    for rank in range(4):
        monkeypatch.setattr(sources, "world", lambda rank=rank: (rank, 4))
        seeds += [
            sources._seed(recipe_of(seed=s), purpose, number)
            for s in (0, 1)
            for purpose in (sources._STEP, sources._AUGMENTATION)
            for number in range(100)
        ]
    assert len(set(seeds)) == len(seeds)
    assert max(seeds) < 2**32  # all that the generator of a CPU looks at


def test_processes_augment_apart(monkeypatch):
    photos = torch.randint(0, 256, (1, 3, 43, 43), dtype=torch.uint8).expand(4, -1, -1, -1)
    seen = []
    for rank in (0, 1):
        monkeypatch.setattr(sources, "world", lambda rank=rank: (rank, 2))
        source = InMemory(photos, torch.arange(4), Recipe(size=32, batch_size=4), 4)
        seen.append(next(source.epoch(0, 0, CPU)).pixels)
    assert not torch.equal(*seen)


@pytest.mark.parametrize("kind", ["mixup", "cutmix"])
def test_mixed_images_have_the_mixed_targets(make_source, kind):
    (batch,) = make_source(batch_size=12, **{kind: 1.0}).epoch(0, 0, CPU)
    assert batch.targets.shape == (12, CLASSES)
    torch.testing.assert_close(batch.targets.sum(1), torch.ones(12))
    assert batch.targets.min() >= 0
    assert ((batch.targets > 0).sum(1) == 2).all()
    share = batch.targets.amax(1)
    assert share.max() < 1
    torch.testing.assert_close(share, share[:1].expand(12))  # timm draws one for a batch


def test_mixup_shows_both_photos_at_their_shares():
    levels = torch.arange(12) * 20
    images = levels.byte().view(12, 1, 1, 1).expand(12, 3, 43, 43)
    recipe = recipe_of(12, mixup=1.0)
    (batch,) = InMemory(images, torch.arange(12), recipe, CLASSES).epoch(0, 0, CPU)
    torch.testing.assert_close(batch.pixels.mean((1, 2, 3)) * 255, batch.targets @ levels.float())


# -- in memory ----------------------------------------------------------------------------------


def test_photos_keep_their_labels():
    labels = torch.arange(12)
    images = (labels * 20).byte().view(12, 1, 1, 1).expand(12, 3, 43, 43)
    for batch in InMemory(images, labels, recipe_of(crop_scale=0.5), CLASSES).epoch(0, 0, CPU):
        levels = batch.pixels.mean((1, 2, 3)) * 255 / 20
        torch.testing.assert_close(levels, batch.targets.float())


def test_memory_leaves_the_global_generator_alone(photos):
    torch.manual_seed(0)
    before = torch.get_rng_state()
    list(InMemory(*photos, recipe_of(color_jitter=0.4, poisson=0.1), CLASSES).epoch(0, 0, CPU))
    assert torch.equal(before, torch.get_rng_state())


# -- on disk ------------------------------------------------------------------------------------

STRONG = {
    "randaugment": "rand-m9-mstd0.5",
    "color_jitter": 0.4,
    "gaussian": 0.2,
    "cutmix": 1.0,
}


def test_the_number_of_workers_does_not_matter(photos, monkeypatch):
    source = on_disk(*photos, recipe_of(**STRONG), CLASSES)
    seen = []
    for cores in (1, 2):
        monkeypatch.setattr(sources.os, "cpu_count", lambda cores=cores: cores)
        seen.append(list(source.epoch(1, 0, CPU)))
    assert_alike(*seen)


def test_on_disk_a_photo_is_seen_alike_by_whichever_process_reads_it(photos, monkeypatch):
    source = on_disk(*photos, recipe_of(randaugment="rand-m9"), CLASSES)
    alone = {
        label: pixels
        for batch in source.epoch(0, 0, CPU)
        for label, pixels in zip(batch.targets.tolist(), batch.pixels, strict=True)
    }
    monkeypatch.setattr(sources, "world", lambda: (1, 2))
    for batch in source.epoch(0, 0, CPU):
        for label, pixels in zip(batch.targets.tolist(), batch.pixels, strict=True):
            assert torch.equal(pixels, alone[label])


def test_timm_crops_flips_and_keeps_labels(photos):
    """The ramp of each photo starts at a level of its own."""
    _, labels = photos
    ramp = torch.linspace(0, 100, 43).expand(12, 3, 43, 43)
    images = (ramp + labels.view(12, 1, 1, 1) * 10).round().byte()
    rising = []
    for batch in on_disk(images, labels, recipe_of(12), CLASSES).epoch(0, 0, CPU):
        middle = batch.pixels * 255 - batch.targets.view(-1, 1, 1, 1) * 10
        assert middle.min() > -1.5
        assert middle.max() < 101.5
        rising = (batch.pixels[:, 0, 16, 31] > batch.pixels[:, 0, 16, 0]).tolist()
    assert 1 < sum(rising) < 11
    whole = recipe_of(12, crop_scale=1.0, flip=False)
    for batch in on_disk(images, labels, whole, CLASSES).epoch(0, 0, CPU):
        assert (batch.pixels[:, 0, 16, 31] > batch.pixels[:, 0, 16, 0]).all()


def test_colours_and_noises_are_drawn_in_batches(photos):
    _, labels = photos
    grey = torch.full((12, 3, 43, 43), 128, dtype=torch.uint8)
    spread = {}
    for kind in ("color_jitter", "gaussian", "salt_and_pepper"):
        source = on_disk(grey, labels, recipe_of(12, **{kind: 0.4}), CLASSES)
        (batch,) = source.epoch(0, 0, CPU)
        own = batch.pixels.flatten(1)
        spread[kind] = (own.std(1).amax().item(), own.mean(1).std().item())
    assert spread["color_jitter"][0] < 1e-3, "each stays grey all over"
    assert spread["color_jitter"][1] > 0.05, "at a level of its own"
    assert spread["gaussian"][0] > 0.15
    assert spread["salt_and_pepper"][0] > 0.15


def levels(*shape, high=256, kind=np.uint8):
    return np.random.default_rng(0).integers(0, high, shape).astype(kind)


ODD = {
    "grey.png": Image.fromarray(levels(50, 40)),
    "alpha.png": Image.fromarray(levels(50, 40, 4)),
    "grey-alpha.png": Image.fromarray(levels(50, 40, 2)),
    "sixteen.png": Image.fromarray(levels(50, 40, high=65536, kind=np.uint16)),
    "palette.gif": Image.fromarray(levels(50, 40, 3)).convert("P"),
    "clear.png": Image.fromarray(levels(50, 40)).convert("P"),
    "ink.jpg": Image.fromarray(levels(50, 40, 4), "CMYK"),
    "bits.tiff": Image.fromarray(levels(50, 40)).convert("1"),
    "small.webp": Image.fromarray(levels(9, 300, 3)),
}


@pytest.mark.parametrize("text", ["foo", "rand-m9-zzz", "rand-mx"])
def test_a_randaugment_that_timm_does_not_have(text):
    with pytest.raises(ValueError, match=f"randaugment '{text}' is not timm's"):
        of_files([], recipe_of(randaugment=text))


def test_files_of_odd_modes_and_shapes(tmp_path):
    files = [tmp_path / name for name in ODD]
    for file, image in zip(files, ODD.values(), strict=True):
        image.save(file, **({"transparency": 3} if file.name == "clear.png" else {}))
    recipe = recipe_of(len(ODD), randaugment="rand-m9")
    (batch,) = of_files(files, recipe).epoch(0, 0, CPU)
    assert sorted(batch.targets.tolist()) == list(range(len(ODD)))
    assert batch.pixels.shape == (len(ODD), 3, 32, 32)
    assert (batch.pixels.flatten(1).std(1) > 0.01).all()


@pytest.mark.parametrize("content", [b"no photo", None], ids=["damaged", "gone"])
def test_the_next_photo_stands_in_for_one_that_cannot_be_read(tmp_path, content):
    Image.fromarray(levels(40, 40, 3)).save(tmp_path / "a.png")
    if content:
        (tmp_path / "b.png").write_bytes(content)
    files = [tmp_path / "a.png", tmp_path / "b.png"]
    with pytest.warns(UserWarning, match=r"b\.png: .*; the next photo is used in its place"):
        image, label = of_files(files, recipe_of(2))[0, 1]
    assert (image.shape, label) == ((3, 32, 32), 0)
    (batch,) = of_files(files, recipe_of(2)).epoch(0, 0, CPU)
    assert batch.targets.tolist() == [0, 0]


@pytest.mark.filterwarnings("ignore:.*used in its place")
def test_many_damaged_files_in_a_row_are_no_accident(tmp_path):
    for number in range(12):
        (tmp_path / f"{number}.png").write_bytes(b"no photo")
    files = [tmp_path / f"{number}.png" for number in range(12)]
    with pytest.raises(ImageError, match=r"9\.png: "):
        of_files(files, recipe_of(2))[0, 0]
