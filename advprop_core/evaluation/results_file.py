"""The form of ``results.json``, and how one that somebody gives is read; loads no torch.

Earlier versions wrote fewer intervals, so these may be missing.
"""

import json
from collections.abc import Sequence
from typing import Annotated, Any, Generic, Literal, Self, TypeVar

from pydantic import (
    ConfigDict,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    ValidationError,
    model_validator,
)

from advprop_core.errors import InputError, as_input_error
from advprop_core.evaluation import studies
from advprop_core.evaluation.figures import (
    Accuracy,
    Amount,
    Calibration,
    CorruptionError,
    Count,
    ImageNetCError,
    Name,
    OfBranch,
    ShapeBias,
    SmallestEpsilon,
)
from advprop_core.evaluation.paired import unpack
from advprop_core.evaluation.studies import Branch, Strict
from advprop_core.types import Norm

FORMAT = 1
"""Raised when older files, the bundled ones too, cannot be read; new fields have defaults."""

_KINDS = ("clean", "attack", "corruption", "probe")


Result = TypeVar("Result", bound="OfBranch")


class _Clean(Strict):
    model_config = ConfigDict(extra="forbid")

    kind: Literal["clean"]


class _Attack(Strict):
    kind: Literal["attack"]
    attack: Name
    norm: Norm
    epsilon: Amount
    attack_branch: Branch
    steps: Annotated[int, Field(ge=0)]
    step_size: Amount | None = None
    restarts: Count = 1


class _Corruption(Strict):
    kind: Literal["corruption"]
    corruption: Name
    severity: Annotated[int, Field(ge=1, le=5)]


class _Probe(Strict):
    kind: Literal["probe"]
    probe: Name
    strength: Amount | None


class _Other(Strict):
    """Of a later version; its rows are left out."""

    kind: str


def _kind(condition: Any) -> str:
    kind = condition.get("kind") if isinstance(condition, dict) else None
    return kind if kind in _KINDS else "other"


class _Row(Accuracy):
    model: str
    condition: Annotated[
        Annotated[_Clean, Tag("clean")]
        | Annotated[_Attack, Tag("attack")]
        | Annotated[_Corruption, Tag("corruption")]
        | Annotated[_Probe, Tag("probe")]
        | Annotated[_Other, Tag("other")],
        Discriminator(_kind),
    ]
    calibration: Calibration
    images: str | None = None
    right: str | None = None

    @model_validator(mode="after")
    def _check_bits(self) -> Self:
        if (self.right is None) != (self.images is None):
            raise InputError("must have images where it has right")
        if self.right is not None and int(unpack(self.right, self.n).sum()) != round(
            self.top1 * self.n
        ):
            raise InputError("must have as many right answers as top1 says")
        return self


class _CorruptionError(CorruptionError, OfBranch):
    """The mean over corruptions."""


class _Mce(ImageNetCError, OfBranch):
    """What articles report."""


class _Bias(ShapeBias, OfBranch):
    """Shape against texture."""


class _Warning(Strict):
    text: str


class _Measure(Strict, Generic[Result]):
    results: list[Result]
    meaning: str = ""

    @model_validator(mode="after")
    def _check_rows(self) -> Self:
        _require_each_once([(result.model, result.branch) for result in self.results])
        return self


class _Results(Strict):
    data: str
    n: Count
    seed: int
    command: str
    models: dict[str, str]
    results: Annotated[list[_Row], Field(min_length=1)]
    warnings: list[_Warning] = Field(default_factory=list)
    notes: list[Annotated[str, StringConstraints(min_length=1)]] = Field(default_factory=list)
    mean_corruption_error: _Measure[_CorruptionError] | None = None
    imagenet_c: _Measure[_Mce] | None = None
    shape_bias: _Measure[_Bias] | None = None
    smallest_epsilon: _Measure[SmallestEpsilon] | None = None

    @model_validator(mode="after")
    def _check_rows(self) -> Self:
        _require_each_once([(row.model, row.branch, repr(row.condition)) for row in self.results])
        corrupted = {r.model for r in self.results if isinstance(r.condition, _Corruption)}
        errors = self.mean_corruption_error
        with_mean = {error.model for error in errors.results} if errors else set()
        if lacking := corrupted - with_mean:
            raise InputError(f"the mean corruption error of {min(lacking)} is missing")
        return self


def _require_each_once(rows: Sequence[tuple[str, ...]]) -> None:
    if len({*rows}) < len(rows):
        twice = next(row for row in rows if rows.count(row) > 1)
        raise InputError(f"two results are of {', '.join(twice[:2])} under the same condition")


def require_format(name: str, content: Any) -> None:
    """Refuse what is no ``results.json``, or one of another format, and say what to do."""
    if not isinstance(content, dict) or not {"format", "results"} <= content.keys():
        raise InputError(
            f"{name} holds no results of advprop evaluate: give the results.json that `advprop "
            "evaluate … --report DIR` writes"
        )
    if content.get("kind") == "transfer":
        raise InputError(f"{name} holds results of advprop transfer: open it on the Transfer page")
    if content["format"] != FORMAT:
        raise InputError(
            f"{name} has results in format {content['format']}, this version reads format "
            f"{FORMAT}: measure them again with this version"
        )


def parse(name: str, data: bytes) -> dict[str, Any]:
    """The content of a ``results.json``, or of a study, as the file has it.

    Rows of a kind that this version does not know are left out.

    Raises:
        InputError: Names the file: it is no such file, of another format, or damaged.
    """
    content: dict[str, Any] = read_json(data)
    require_format(name, content)
    # Checked, and then given back as the file has it: pages show fields of later versions too.
    is_study = content.get("kind") == studies.KIND
    try:
        (studies.Study if is_study else _Results).model_validate_json(data)
    except ValidationError as refusal:
        raise InputError(
            f"{name} is damaged: {as_input_error(refusal)}. Write it again with `advprop evaluate "
            "… --report DIR`"
        ) from None
    if is_study:
        return dict(content)
    rows = [row for row in content["results"] if row["condition"]["kind"] in _KINDS]
    if not rows:
        raise InputError(
            f"{name} has nothing that this version shows: clean, attacked, corrupted or probed "
            "images"
        )
    return content | {"results": rows}


def read_json(data: bytes) -> Any:
    """What JSON holds; None where it is none."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError):  # no JSON, no text, or nested without end
        return None
