"""A model file that somebody wants to open: what is known of it before it is described."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from advprop_core.models import bundle, header
from advprop_core.models.architectures import Search, match, near_matches
from advprop_core.models.checkpoints import Checkpoint, read
from advprop_core.models.foreign import written_architecture
from advprop_core.models.header import CheckpointError
from advprop_core.models.published import PUBLISHED
from advprop_core.models.settings import ModelSettings
from advprop_core.models.weights import require_tensors


@dataclass(frozen=True)
class Look:
    """What a first look at a file shows.

    Attributes:
        says_all: Whether the file is in this project's layout, and needs no more.
        architecture: As the file itself calls it; None where it does not.
        search: Which architectures fit its tensors; None where the one that it names does.
    """

    says_all: bool
    architecture: str | None
    search: Search | None

    @property
    def proposal(self) -> str | None:
        """The architecture to begin with: the file's own word, or the best fit."""
        if self.search is None:
            return self.architecture
        return next(iter(self.search.fitting), None)


def look(path: Path, *, progress: Callable[[float], None] = lambda share: None) -> Look:
    """Read a file, and find its architecture.

    Args:
        path: Of the file.
        progress: Called with the share of the search that is done; may raise to stop.

    Raises:
        CheckpointError: If the file is damaged, holds pickled code or no tensors.
    """
    content, text = read(path)
    if text is not None:
        return Look(says_all=True, architecture=None, search=None)
    mappings = require_tensors(content, path.name)
    written = written_architecture(content)
    if written is not None and match(mappings, written).fits:
        return Look(says_all=False, architecture=written, search=None)
    return Look(False, written, near_matches(content, progress=progress))


def open_unknown(path: Path, settings: ModelSettings) -> Checkpoint:
    """Open a file that a stranger gave: unlike others it may not name a file of this machine.

    Raises:
        CheckpointError: As :func:`~advprop_core.models.checkpoints.load` does; and for an adapter
            of a network that is neither published nor bundled.
        InputError: For settings that contradict the file.
        UnknownArchitecture: If timm has no such network.
    """
    text = header.read_text(path)
    base = None if text is None else header.parse(text, path.name).base
    if base is not None and base.name not in {*PUBLISHED, *bundle.bundled_models()}:
        raise CheckpointError(
            f"{path.name} is an adapter for {base.name}, which is not here: put both files into "
            "one folder, and start the app with --model FILE"
        )
    return bundle.open_file(path, settings)
