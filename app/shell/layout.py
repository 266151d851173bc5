"""Places on a page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Literal, TypeVar

import streamlit as st

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

T = TypeVar("T")


def in_rows(
    items: Iterable[T], across: int, gap: Literal["small", "medium", "large"] = "medium"
) -> Iterator[tuple[DeltaGenerator, T]]:
    """Each item with a column of its own, so many in a row.

    On a narrow page the columns of a row stand below one another: with one row for all of them,
    the items would not keep their order.
    """
    shown = list(items)
    for start in range(0, len(shown), across):
        yield from zip(st.columns(across, gap=gap), shown[start:], strict=False)
