"""A tiny network of the project's own format, the app on it alone, and results made by hand."""

import functools
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from streamlit.components.v2.component_manager import BidiComponentManager

from advprop_core.datasets.texture_shapes.scenes import SHAPES
from advprop_core.models import bundle, checkpoints, timm_networks
from advprop_core.models.dual_bn import norm_layers
from advprop_core.types import AttributionMap, Comparison, ModelInfo, PerturbationFacts, Prediction
from app.shell import cache
from tests.app.visit import Visit

SIZE = 64
HALVES = (0.5, 0.5, 0.5)
TWO = {"main": "trained", "aux": "trained"}


def tiny_info(name: str = "tiny-advprop", **fields: object) -> ModelInfo:
    info = ModelInfo("test_resnet", SHAPES, SHAPES, SIZE, HALVES, HALVES, TWO, name=name)
    return replace(info, **fields)


def save_tiny(path: Path, info: ModelInfo, seed: int = 0) -> Path:
    """A network whose branches differ and whose answers can be changed by an attack."""
    torch.manual_seed(seed)
    model = timm_networks.create(info)
    with torch.no_grad():
        # timm starts classifiers near zero, where attacks find no slope.
        model.branch("main").network.get_classifier().weight.normal_(0, 0.3)
        for norm in norm_layers(model).values():
            norm.running_mean.normal_(0, 0.3)
            norm.running_var.uniform_(0.5, 2.0)
    checkpoints.save(path, model.freeze(), info)
    return path


@pytest.fixture(scope="session")
def tiny_info_of() -> Callable[..., ModelInfo]:
    """(name, any field) to what describes a tiny network."""
    return tiny_info


@pytest.fixture(scope="session")
def save_tiny_network() -> Callable[..., Path]:
    """(path, what describes it) writes a tiny network there."""
    return save_tiny


@pytest.fixture(scope="session")
def tiny_models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Name to file: tiny-advprop with two branches, tiny-vanilla with main alone."""
    folder = tmp_path_factory.mktemp("models")
    alone = tiny_info("tiny-vanilla", branches={"main": "trained"})
    return {
        "tiny-advprop": save_tiny(folder / "tiny-advprop.safetensors", tiny_info()),
        "tiny-vanilla": save_tiny(folder / "tiny-vanilla.safetensors", alone, seed=1),
    }


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    """The networks are so small that a second thread only gets in the way."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session", autouse=True)
def _no_search_for_components() -> Iterator[None]:
    """No package brings a component of Streamlit's, and AppTest would search all at each start."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BidiComponentManager, "discover_and_register_components", lambda *_, **__: ())
        yield


@pytest.fixture
def clear_caches() -> Iterator[None]:
    """Nothing is known of models, uploads or folders before the test, nor after it.

    What pictures look like is kept: the same text names the same picture in every test.
    """
    clear()
    yield
    clear()


def clear() -> None:
    cached = (cache.pool, cache.uploads, cache.model_files, cache.described, cache.load_lens)
    stores = (cache.calibrated_lenses, cache.network_uploads, cache.opened_networks,
              cache.photo_sets)  # fmt: skip
    read = (cache._seen, cache.own_photos)
    for function in (*cached, *stores, *read):
        function.clear()


@pytest.fixture
def offer(clear_caches: None, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """(files) makes these the app's only networks, whatever is bundled."""
    monkeypatch.setattr(bundle, "bundled_models", dict)
    monkeypatch.delenv("ADVPROP_IMAGES", raising=False)

    def offer_files(*files: Path) -> None:
        clear()
        monkeypatch.setenv("ADVPROP_MODELS", json.dumps([*map(str, files)]))

    return offer_files


@pytest.fixture
def tiny(offer: Callable[..., None], tiny_models: dict[str, Path]) -> None:
    """The app has the two tiny networks and no other."""
    offer(*tiny_models.values())


@pytest.fixture
def hold(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[object, str], threading.Event]]:
    """(module, function) makes it report a half and wait; returns the event that lets it go."""
    monkeypatch.setattr("app.shell.tasks.QUICK", 0.2)
    monkeypatch.setattr("app.shell.tasks.PATIENCE", 0.0)
    events = []

    def hold_function(module: object, name: str) -> threading.Event:
        let_go, real = threading.Event(), getattr(module, name)

        @functools.wraps(real)
        def held(*inputs, progress, **options):
            progress(0.5)
            let_go.wait(30)
            progress(0.6)
            return real(*inputs, progress=progress, **options)

        monkeypatch.setattr(module, name, held)
        events.append(let_go)
        return let_go

    yield hold_function
    for let_go in events:
        let_go.set()


@pytest.fixture
def visit(tiny: None) -> Callable[..., Visit]:
    """(query parameters) opens the app on the tiny networks."""
    return lambda **parameters: Visit(parameters)


@pytest.fixture
def visit_other() -> Callable[..., Visit]:
    """(query parameters) opens the app for one person more, on what is offered already."""
    return lambda **parameters: Visit(parameters)


@pytest.fixture
def visit_with(offer: Callable[..., None]) -> Callable[..., Visit]:
    """(files, query parameters) opens the app on these checkpoint files."""

    def start(*files: Path, **parameters: str) -> Visit:
        offer(*files)
        return Visit(parameters)

    return start


# -- results made by hand ------------------------------------------------------------------------


def prediction(*shares: float) -> Prediction:
    probabilities = torch.tensor(shares)
    return Prediction(probabilities.clamp_min(1e-9).log(), probabilities)


@pytest.fixture(scope="session")
def make_result() -> Callable[..., Comparison]:
    """(branch=(clean shares, perturbed shares) …) to a comparison of 4×4 pictures."""

    def make(
        *,
        true_class: int | None = 0,
        change: float = 4 / 255,
        maps: dict[tuple[str, str], list[list[float]]] | None = None,
        attack_branch: str | None = "main",
        survives: dict[str, bool] | None = None,
        **branches: tuple[tuple[float, ...], tuple[float, ...]],
    ) -> Comparison:
        branches = branches or {"main": ((0.9, 0.1), (0.2, 0.8)), "aux": ((0.7, 0.3), (0.6, 0.4))}
        kinds = ("clean", "adversarial")
        grid = {
            (kind, branch): prediction(*both[place])
            for place, kind in enumerate(kinds)
            for branch, both in branches.items()
        }
        values = maps or {key: [[0.0, 1.0], [2.0, 3.0]] for key in grid}
        clean = torch.full((3, 4, 4), 0.5)
        wrong = {b: grid["clean", b].class_index != true_class for b in branches}
        return Comparison(
            clean=clean,
            adversarial=clean + change,
            predictions=grid,
            maps={
                (kind, branch): AttributionMap(torch.tensor(v), "grad-cam", branch, kind, 0, "act1")
                for (kind, branch), v in values.items()
            },
            facts=PerturbationFacts(
                linf=abs(change),
                l2=abs(change) * 48**0.5,
                low=0.5,
                high=0.5 + change,
                survives_png=survives or dict.fromkeys(branches, True),
                clean_wrong=None if true_class is None else wrong,
            ),
            true_class=true_class,
            attacked_class=0 if true_class is None else true_class,
            attack_branch=attack_branch,
        )

    return make


@pytest.fixture
def study_content():
    """A small study: three runs, three seeds, one question."""
    shares = {
        ("vanilla", "main"): (0.5, 0.6, 0.7), ("advprop", "main"): (0.6, 0.7, 0.81),
        ("advprop", "aux"): (0.4, 0.7, 0.7), ("mixed", "main"): (0.4, 0.5, 0.59),
    }  # fmt: skip
    return {
        "format": 1, "kind": "study", "title": "Does it *help*?", "about": "Small networks",
        "command": "make", "data": "photos", "n": 100, "measures": {"clean": "clean"},
        "runs": {"vanilla": "vanilla", "advprop": "advprop", "mixed": "mixed"},
        "bases": {"advprop": "vanilla", "mixed": "vanilla"},
        "questions": [{"title": "Which?", "runs": ["vanilla", "advprop", "mixed"],
                       "contrasts": [["advprop", "mixed"]]}],
        "results": [
            {"run": run, "branch": branch, "seed": seed, "measure": "clean", "top1": share}
            for (run, branch), several in shares.items()
            for seed, share in enumerate(several)
        ],
    }  # fmt: skip


@pytest.fixture
def damaged(tiny_models, tmp_path):
    """Name to a checkpoint file that no page can use, each for a reason of its own."""
    whole = tiny_models["tiny-advprop"].read_bytes()
    length = int.from_bytes(whole[:8], "little")
    content = whole[8 : 8 + length].decode()
    odd_header = content.replace('\\"input_size\\": 64', '\\"input_size\\": -1').encode()
    assert len(odd_header) == length
    assert odd_header != content.encode()
    files = {
        "not-safetensors": b"PK\x03\x04 pickled, or whatever",
        "empty": b"",
        "truncated": whole[: len(whole) // 2],
        "odd-header": whole[:8] + odd_header + whole[8 + length :],
    }
    paths = {}
    for name, data in files.items():
        paths[name] = tmp_path / f"{name}.safetensors"
        paths[name].write_bytes(data)
    return paths
