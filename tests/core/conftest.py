"""Small networks and images for the tests of the library, and its command."""

import sys
from collections.abc import Callable
from dataclasses import dataclass

import pytest
import timm
import torch
from torch import Tensor, nn

from advprop_core.cli import main
from advprop_core.models.dual_bn import DualBNModel, norm_layers
from advprop_core.types import ModelInfo

HALVES = (0.5, 0.5, 0.5)


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    """The networks are so small that a second thread only gets in the way."""
    torch.set_num_threads(1)


def randomise(module: nn.Module, seed: int = 0) -> None:
    """Give every norm layer statistics and weights of its own, so that branches differ."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for norm in norm_layers(module).values():
            norm.running_mean.normal_(0, 0.3, generator=generator)
            norm.running_var.uniform_(0.5, 2.0, generator=generator)
            norm.weight.uniform_(0.7, 1.4, generator=generator)
            norm.bias.normal_(0, 0.2, generator=generator)


@pytest.fixture(name="randomise", scope="session")
def _randomise() -> Callable[..., None]:
    return randomise


@pytest.fixture(scope="session")
def make_tiny() -> Callable[..., nn.Sequential]:
    """(classes, seed) to an 8-channel network of two convolutions with BatchNorm."""

    def make(classes: int = 4, seed: int = 0) -> nn.Sequential:
        torch.manual_seed(seed)
        return nn.Sequential(
            nn.Conv2d(3, 8, 3, padding=1, bias=False),
            nn.BatchNorm2d(8),
            nn.ReLU(inplace=True),
            nn.Conv2d(8, 8, 3, stride=2, padding=1),
            nn.BatchNorm2d(8),
            nn.ReLU(inplace=True),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(8, classes),
        )

    return make


@pytest.fixture(scope="session")
def make_dual() -> Callable[..., DualBNModel]:
    """(architecture, classes, auxiliaries) to a frozen timm model whose branches differ."""

    def make(
        architecture: str = "test_resnet", classes: int = 6, auxiliaries: int = 1
    ) -> DualBNModel:
        torch.manual_seed(0)
        network = timm.create_model(architecture, num_classes=classes)
        model = DualBNModel(network, HALVES, HALVES, auxiliaries)
        with torch.no_grad():  # timm starts classifiers near zero, where attacks find no slope
            network.get_classifier().weight.normal_(0, 0.3)
        randomise(model)
        return model.freeze()

    return make


@pytest.fixture
def dual(make_dual: Callable[..., DualBNModel]) -> DualBNModel:
    return make_dual()


@pytest.fixture(scope="session")
def pixels() -> Callable[..., Tensor]:
    """(count, side, seed) to random pixels."""

    def draw(count: int = 2, side: int = 32, seed: int = 0) -> Tensor:
        generator = torch.Generator().manual_seed(seed)
        return torch.rand(count, 3, side, side, generator=generator)

    return draw


@pytest.fixture(scope="session")
def make_info() -> Callable[..., ModelInfo]:
    """(any field) to what describes a model of `make_dual`."""

    def make(**fields: object) -> ModelInfo:
        values: dict[str, object] = {
            "architecture": "test_resnet",
            "class_ids": tuple(f"n{i}" for i in range(6)),
            "class_names": tuple(f"name {i}" for i in range(6)),
            "input_size": 32,
            "mean": HALVES,
            "std": HALVES,
            "branches": {"main": "trained", "aux": "trained"},
        }
        return ModelInfo(**{**values, **fields})  # type: ignore[arg-type]

    return make


@dataclass(frozen=True)
class Answer:
    """What the command left in the terminal, and its exit code."""

    code: int
    out: str
    err: str

    def refuses(self, message: str) -> None:
        """One sentence on standard error, exit code 2, no traceback."""
        assert self.code == 2
        assert message in self.err
        assert self.err.startswith("Error: ")
        assert len(self.err.splitlines()) == 1
        assert self.out == ""


@pytest.fixture
def advprop(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Answer]:
    """Calls the command as a person would."""
    monkeypatch.setenv("COLUMNS", "200")

    def call(*words: object) -> Answer:
        arguments = [str(word) for word in words]
        monkeypatch.setattr(sys, "argv", ["advprop", *arguments])
        with pytest.raises(SystemExit) as ended:
            main.main()
        captured = capsys.readouterr()
        return Answer(int(ended.value.code or 0), captured.out, captured.err)

    return call
