"""Which network made a bundle, so that the same one can be found and known again."""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from advprop_core.models.bundle import bundled_models, says_all_itself
from advprop_core.models.checkpoints import Checkpoint
from advprop_core.models.digest import model_digest
from advprop_core.models.dual_bn import DualBNModel
from advprop_core.models.header import file_sha256
from advprop_core.models.settings import ModelSettings
from advprop_core.types import ModelInfo


@dataclass(frozen=True)
class Source:
    """A network, and how it was opened.

    Attributes:
        name: What ``--model`` was given: a bundled name, a file, or a timm name.
        model: The network itself, frozen.
        info: What is known of it.
        settings: What the person said of a file in a foreign layout.
        file_sha256: Of the file that it was read from; None where it is timm's.
    """

    name: str
    model: DualBNModel
    info: ModelInfo
    settings: ModelSettings = field(default_factory=ModelSettings)
    file_sha256: str | None = None

    @classmethod
    def opened(cls, name: str, checkpoint: Checkpoint, settings: ModelSettings) -> Self:
        """What was opened by this name; the settings count where its file needs them."""
        file = bundled_models().get(name, Path(name))
        return cls(
            name,
            checkpoint.model,
            checkpoint.info,
            ModelSettings() if says_all_itself(str(file)) else settings,
            file_sha256(file) if file.is_file() else None,
        )

    def to_json(self) -> dict[str, Any]:
        """What a manifest says of it; ``weights_sha256`` is over all that decides its answers."""
        base = self.info.base
        return {
            "name": self.name,
            "file_sha256": self.file_sha256,
            "weights_sha256": model_digest(self.model, self.info),
            "base": base and asdict(base),
            "architecture": self.info.architecture,
            "branches": dict(self.info.branches),
            "settings": self.settings.given,
        }
