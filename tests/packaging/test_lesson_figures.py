"""The figures in the lessons are those of the files that they are from, in every language."""

import json
import math
import re
from functools import cache
from pathlib import Path

import pytest
import torch

from advprop_core.anatomy.halves import ENDS, NAIVE, by_pair
from advprop_core.attacks import digits
from advprop_core.browser.gallery import pictures_for
from advprop_core.browser.graph import Step
from advprop_core.browser.lessons import NETWORKS, lesson_material
from advprop_core.browser.norms import norm_vector
from advprop_core.evaluation import studies
from advprop_core.models.bundle import bundled_models, open_model
from advprop_core.models.header import read_info
from advprop_core.pictures.decoding import to_pixels
from benchmarks.effect.design import FROM_NOTHING
from benchmarks.effect.table import overall

REPO = Path(__file__).parents[2]
RESULTS = REPO / "assets" / "results"
DOCUMENT = (REPO / "docs" / "results.md").read_text("utf-8")
LESSONS = REPO / "app" / "web" / "src" / "text" / "lessons"
SIZE = NETWORKS["imagenet-lite0"]

NUMBER = re.compile(r"(\d+(?:,\d{3})*(?:\.\d+)?)(\s*%)?")
SMALL = 12
"""Whole numbers up to here count what the page shows: lessons, steps, levels."""
A_YEAR = re.compile(r"20\d\d")
EXPLAINED = {
    "all": "100 255 95",  # the whole, the levels of a colour value, the level of intervals
    "fooled": "16",  # where the slider ends
    "gradient": "0.1 0.2 0.3 0.05 0.5 64",  # of sums that a reader attacks by hand; 8 × 8 pixels
    "algorithm": "0.7 85.2 59.4 52.9 1000",  # of the paper: EfficientNet-B7, ImageNet, ImageNet-C
}
"""What a lesson sets itself, or quotes from the paper."""


def results(name):
    return json.loads((RESULTS / f"{name}.json").read_text("utf-8"))


def percent(share, decimals=0):
    return f"{100 * share:.{decimals}f}"


def points(gain):
    return [percent(abs(share), 1) for share in (gain.points, *gain.interval)]


def card(name, kind="clean"):
    """What was measured of a network's main branch, as its card says."""
    (metric,) = (
        metric
        for metric in read_info(bundled_models()[name]).metrics
        if (metric["branch"], metric["condition"]["kind"]) == ("main", kind)
    )
    return metric


def fine_tuned(run):
    gains = studies.gains(results("finetune-128px"), [f"lite0-{run}"])
    return {gain.measure: gain for gain in gains if gain.branch == "main"}


@cache
def photo_network():
    return open_model("imagenet-lite0")


@cache
def of_digits():
    return {
        name: {kind: 1 - error for kind, error in errors.items()}
        for name, errors in digits.begin(digits.EPSILON).errors().items()
    }


def fooled():
    opened = photo_network()
    coffee = pictures_for(opened.info, SIZE)[0]
    with torch.no_grad():
        answer = opened.model.branch("main")(to_pixels(coffee.image, SIZE)).softmax(1)[0]
    assert opened.info.class_names[answer.argmax()] == "espresso"
    return [str(opened.info.num_classes), percent(answer.max().item())]


def gradient():
    return [
        *(percent(1 / (1 + math.exp(-score))) for score in (0, 2, 4)),
        *(str(len(part.signs)) for part in digits.load_digits()),
        *(str(digits.EPSILON), str(SIZE), f"{3 * SIZE * SIZE:,}"),
    ]


def training():
    plain, adversarial = fine_tuned("vanilla"), fine_tuned("adversarial")
    cards = [card(name) for name in ("shapes-vanilla", "shapes-advprop")]
    return [
        *(percent(share) for shares in of_digits().values() for share in shares.values()),
        *(str(digits.EPSILON), str(len(digits.load_digits()[1].signs))),
        *(
            percent(run[measure].share, 1)
            for run in (plain, adversarial)
            for measure in ("clean", "attack-1")
        ),
        *points(adversarial["clean"]),
        *(percent(row_of_card["top1"], 1) for row_of_card in cards),
        *(str(row_of_card["n"]) for row_of_card in cards),
    ]


def norms():
    header = bundled_models()["shapes-advprop"].read_bytes()
    tensors = json.loads(header[8 : 8 + int.from_bytes(header[:8], "little")])
    learned = {
        name: math.prod(tensor["shape"])
        for name, tensor in tensors.items()
        if name.endswith(("weight", "bias"))
    }
    added = sum(count for name, count in learned.items() if ".aux_bn." in name)
    pair = by_pair(results("norm-halves"))["imagenette-advprop", "aux"]
    return [
        *points(studies.contrast(results("objectives-64px"), "advprop", "mixed", "clean")),
        percent(pair[ENDS[0]].share("clean")),
        percent(min(pair[mixture].share("clean") for mixture in NAIVE)),
        percent(added / (sum(learned.values()) - added)),
        str(digits.EPSILON),
    ]


def algorithm():
    through = {
        row["condition"]["attack_branch"]: row
        for row in results("imagenette-branches")["results"]
        if row["branch"] == "main" and row["condition"].get("epsilon") == pytest.approx(4 / 255)
    }
    gained = overall([RESULTS / study.results for study in FROM_NOTHING]).splitlines()
    return [
        *(percent(through[branch]["top1"]) for branch in ("main", "aux")),
        str(through["main"]["n"]),
        *re.findall(r"\d+\.\d", " ".join(line for line in gained if "corruption" not in line)),
    ]


def maps():
    content = results("shapes-objects")
    compared = ("shapes-vanilla", "shapes-advprop")
    return [
        *(
            percent(row["share"]["value"])
            for row in content["results"]
            if row["model"] in compared and row["branch"] == "main"
        ),
        str(content["n"]),
    ]


def texture():
    content = results("shapes-conflict")
    bias_rows = {(row["model"], row["branch"]): row for row in content["shape_bias"]["results"]}
    compared = [
        bias_rows["shapes-vanilla", "main"],
        *(bias_rows["shapes-advprop", branch] for branch in ("main", "aux")),
    ]
    robust = [card(name, "attack") for name in ("shapes-vanilla", "shapes-fast-advprop")]
    return [
        *(percent(share) for row in compared for share in (row["shape_bias"], *row["interval"])),
        percent(bias_rows["shapes-fast-advprop", "main"]["shape_bias"]),
        *(percent(robust_row["top1"]) for robust_row in robust),
        *(str(content["n"]), str(len(lesson_material()["conflicts"]))),
        *re.findall(r"shape bias (\d+)\.\d %", DOCUMENT),
    ]


def trust():
    cards = [card(name)["top1"] for name in ("imagenette-vanilla", "imagenette-advprop")]
    assert lesson_material()["scenes"][0]["shape"] == "star"
    return [percent(cards[0] - cards[1], 1), *points(fine_tuned("advprop")["clean"])[1:]]


def figures_in(text):
    return {
        number
        for number, share in NUMBER.findall(text)
        if share or not number.isdigit() or int(number) > SMALL
    }


@pytest.mark.parametrize(
    "measured",
    [fooled, gradient, training, norms, algorithm, maps, texture, trust],
    ids=lambda measured: measured.__name__,
)
def test_every_figure_of_a_lesson_is_that_of_its_file(measured):
    name = measured.__name__
    explained_figures = {*measured(), *EXPLAINED["all"].split(), *EXPLAINED.get(name, "").split()}
    texts = {path.parent.name: path.read_text("utf-8") for path in LESSONS.glob(f"*/{name}.ts")}
    assert len(texts) >= 3
    for language, text in texts.items():
        unknown = {
            figure
            for figure in figures_in(text) - explained_figures
            if not A_YEAR.fullmatch(figure)
        }
        assert not unknown, f"{language}: from nowhere, or no longer what the file says"


def test_the_cells_of_the_coarse_map():
    opened = photo_network()
    norm = norm_vector(opened.model.branch("main"))
    one_hot = torch.eye(1, opened.info.num_classes)
    grey = torch.full((1, 3, SIZE, SIZE), 0.5)
    rows, columns = Step(opened.model, SIZE)(grey, one_hot, torch.zeros(1), norm)[2].shape[1:]
    for path in LESSONS.glob("*/maps.ts"):
        assert re.search(rf"{rows} ?× ?{columns}", path.read_text("utf-8"))
