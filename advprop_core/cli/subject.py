"""A photo and a model, and what ``attack``, ``compare`` and ``explain`` make of them."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from rich.markup import escape
from rich.table import Table
from torch import Tensor, nn

from advprop_core.cli.options import AimOptions, AnswerOptions, open_model
from advprop_core.cli.output import Json, Report, bare_table, command_line
from advprop_core.cli.values import read_branches, read_class, read_photo
from advprop_core.compare.compare import MapRequest
from advprop_core.compare.experiment import Experiment, Perturbation, perturbation_json
from advprop_core.files import versions
from advprop_core.models.bundle import bundled_models
from advprop_core.models.checkpoints import Checkpoint
from advprop_core.models.class_names import UNKNOWN, class_json, find_class
from advprop_core.models.dual_bn import MAIN
from advprop_core.models.folding import fold
from advprop_core.models.header import file_sha256
from advprop_core.models.settings import ModelSettings
from advprop_core.pictures import decoding
from advprop_core.report.comparison_words import describe_change, describe_facts, outcome
from advprop_core.text import branch_outcomes, percent
from advprop_core.types import AttackConfig, Comparison, ModelInfo, Prediction

_TOP = 5  # classes of a prediction in the JSON


@dataclass(frozen=True)
class Subject:
    """What a command for one photo works on.

    Attributes:
        model_name: As it was given.
        checkpoint: The opened model.
        branches: The branches that predict, main first.
        image: The photo's file.
        data: The photo's bytes.
        pixels: (1, 3, S, S) in [0, 1], at the model's own size.
        true_class: Where known.
        true_class_source: In words, how it is known.
    """

    model_name: str
    checkpoint: Checkpoint
    branches: tuple[str, ...]
    image: Path
    data: bytes
    pixels: Tensor
    true_class: int | None
    true_class_source: str

    @property
    def info(self) -> ModelInfo:
        """What the checkpoint says of itself."""
        return self.checkpoint.info

    @property
    def title(self) -> str:
        """``shapes-advprop on church.jpg``."""
        return f"{self.info.name or self.model_name} on {self.image.name}"

    def modules(self, *, folded: bool = False) -> dict[str, nn.Module]:
        """The branches that predict, main first; folded for speed if asked."""
        plain = {name: self.checkpoint.model.branch(name) for name in self.branches}
        return {n: fold(m, self.pixels) for n, m in plain.items()} if folded else {**plain}

    def aim(self, config: AttackConfig, options: AimOptions) -> AttackConfig:
        """The attack with its target class, if one was named that the model has."""
        target = read_class(self.info, options.target_class, "--target-class")
        return replace(config, target_class=target)

    def experiment(
        self,
        perturbation: Perturbation | None,
        attack_branch: str | None,
        maps: MapRequest | None = None,
    ) -> Experiment:
        """What is done with the photo.

        The attack goes through ``attack_branch``; where none is given, through the one branch that
        predicts, or main.
        """
        source = attack_branch or (self.branches[0] if len(self.branches) == 1 else MAIN)
        return Experiment(perturbation, source, self.branches, self.true_class, maps)

    def run(self, experiment: Experiment) -> Comparison:
        """Do it; an InputError for a branch, layer or class that the model does not have."""
        return experiment.run(self.checkpoint.model, self.pixels)

    def to_json(self) -> Json:
        """Enough to find the same photo and the same model again."""
        file = bundled_models().get(self.model_name, Path(self.model_name))
        digest = file_sha256(file) if file.is_file() else None
        return {
            "image": {
                "path": str(self.image),
                "sha256": hashlib.sha256(self.data).hexdigest(),
                "size": list(self.pixels.shape[2:]),
            },
            "model": {
                "given": self.model_name,
                "sha256": digest,
                "name": self.info.name,
                "architecture": self.info.architecture,
                "branches": {b: self.info.branches[b] for b in self.checkpoint.model.branch_names},
                "notes": list(self.checkpoint.notes),
            },
            "true_class": class_json(self.info, self.true_class),
            "true_class_source": self.true_class_source,
        }

    def manifest(
        self, result: Comparison, config: Perturbation | None, *, only_clean: bool = False
    ) -> Json:
        """Inputs, settings, results and versions, as plain values."""
        by_kind: dict[str, Json] = {}
        for (kind, branch), prediction in result.predictions.items():
            by_kind.setdefault(kind, {})[branch] = prediction_json(self.info, prediction)
        content = self.to_json() | {"command": command_line(), "versions": versions()}
        if only_clean:
            return content | {"predictions": {"clean": by_kind["clean"]}}
        if isinstance(config, AttackConfig):
            content["attack"] = {"name": config.name, **asdict(config)}
        else:
            content["perturbation"] = perturbation_json(config)
        return content | {
            "true_class": class_json(self.info, result.true_class),
            "attacked_class": class_json(self.info, result.attacked_class),
            "attack_branch": result.attack_branch,
            "predictions": by_kind,
            "facts": asdict(result.facts),
            "outcome": outcome(result, self.info.class_names),
        }

    def tell(self, report: Report, result: Comparison, config: Perturbation | None) -> None:
        """What was done and what came of it, in four lines."""
        names = self.info.class_names
        true = "unknown"
        if self.true_class is not None:
            true = f"{names[self.true_class]} ({self.true_class_source})"
        kind = "attack" if isinstance(config, AttackConfig) else "perturbation"
        report.say(f"true class: {true}")
        report.say(f"{kind}: {describe_change(result, config, names)}")
        for branch, what in branch_outcomes(result, names):
            report.say(f"{branch} {what}")
        report.say(describe_facts(result))


def open_subject(
    image: Path, model: str, settings: ModelSettings, answers: AnswerOptions
) -> Subject:
    """Read the photo, then the model.

    Raises:
        CheckpointError: For a model that cannot be opened.
        InputError: For a photo that cannot be read, or a branch or class that the model does not
            have.
    """
    data, photo = read_photo(image)
    checkpoint = open_model(model, settings)
    # Photos are often sorted into folders of their classes, which then need not be named.
    info, folder = checkpoint.info, image.absolute().parent.name  # where a link to it lies
    true_class, source = find_class(info.classes, answers.true_class or folder), "given"
    if answers.true_class is None:
        source = "unknown" if true_class is None else f"taken from the folder {folder}"
    elif answers.true_class != UNKNOWN:
        true_class = read_class(info, answers.true_class, "--true-class")
    return Subject(
        model,
        checkpoint,
        read_branches(checkpoint.model, answers.branch),
        image,
        data,
        decoding.to_pixels(photo, info.input_size),
        true_class,
        source,
    )


def prediction_table(subject: Subject, answers: Mapping[str, Prediction], top: int) -> Table:
    """A column per branch, the most probable class first; the true class is marked."""
    names, true_class = subject.info.class_names, subject.true_class
    table = bare_table([f"{name} ({subject.info.origin(name).label})" for name in answers], gap=3)
    columns = [
        [
            f"{percent(probability):>5}  {escape(names[index])}{' *' * (index == true_class)}"
            for index, probability in prediction.top(top)
        ]
        for prediction in answers.values()
    ]
    for row in zip(*columns, strict=True):
        table.add_row(*row)
    if true_class is not None:
        table.caption = f"* true class: {escape(names[true_class])}"
        table.caption_justify = "left"
    return table


def prediction_json(info: ModelInfo, prediction: Prediction, top: int = _TOP) -> list[Json]:
    """The most probable classes, best first."""
    return [
        {**(class_json(info, index) or {}), "probability": probability}
        for index, probability in prediction.top(top)
    ]
