import json
from dataclasses import dataclass
from typing import Annotated

import pytest
from annotated_types import Ge, Len
from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config
from typing_extensions import TypedDict

from advprop_core.errors import Checked, InputError, as_input_error


@dataclass(frozen=True)
class Window(Checked):
    low: int
    high: int

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.low > self.high:
            raise InputError(f"low must not exceed high, got {self.low} and {self.high}")


class Row(TypedDict):
    steps: Annotated[int, Ge(1)]


@with_config(ConfigDict(extra="forbid"))
class Table(TypedDict):
    rows: Annotated[list[Row], Len(1)]
    window: Window


WINDOW = {"low": 1, "high": 2}


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ({"rows": [{"steps": 1}, {"steps": 0}], "window": WINDOW},
         "rows[1].steps must be at least 1, got 0"),
        ({"rows": [{"steps": "ten"}], "window": WINDOW},
         "rows[0].steps must be an integer, got 'ten'"),
        ({"rows": [], "window": WINDOW},
         "rows must have at least 1 item after validation, not 0, got []"),
        ({"rows": [{}], "window": WINDOW}, "rows[0].steps is missing"),
        ({"rows": [{"steps": 1}], "window": WINDOW, "row": 1},
         "row is not a field here: check its spelling, or leave it out"),
        ({"rows": [{"steps": 1}], "window": {"low": 3, "high": 2}},
         "window: low must not exceed high, got 3 and 2"),
        ({"rows": [{"steps": 1}], "window": {"low": "3", "high": 2}},
         "window.low must be an integer, got '3'"),
        ({"rows": "x" * 1000, "window": WINDOW},
         "rows must be a list, got 'xxxxxxxxxxxx...xxxxxxxxxxxxx'"),
    ],
)  # fmt: skip
def test_one_sentence_names_field_rule_and_value(table, sentence):
    with pytest.raises(ValidationError) as refusal:
        TypeAdapter(Table).validate_json(json.dumps(table), strict=True)
    assert str(as_input_error(refusal.value)) == sentence
