"""Places on a page, and what all pages put there."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, TypeVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from advprop_core.report.sections import Plot
from advprop_core.report.style import Spec
from app.figures.style import on_page
from app.language.text import _, current
from app.shell import cache, chart_saving, state
from app.shell.messages import emphasised, plain, unbroken
from app.shell.pictures import PictureGone
from app.shell.state import key

T = TypeVar("T")


def in_rows(
    items: Iterable[T],
    across: int,
    gap: Literal["small", "medium", "large"] = "medium",
    *,
    roomy: str,
) -> Iterator[tuple[DeltaGenerator, T]]:
    """Each item with a column of its own, so many in a row.

    On a narrow page the columns of a row stand below one another: with one row for all of them,
    the items would not keep their order. They do so before they are too narrow for a figure.
    ``roomy`` is a name that no other rows of the page have.
    """
    shown = list(items)
    for start in range(0, len(shown), across):
        # page.css knows the prefix
        row = st.container(key=f"roomy-{roomy}-{start}")
        yield from zip(row.columns(across, gap=gap), shown[start:], strict=False)


def tabs(titles: Sequence[str], field: str) -> tuple[DeltaGenerator, str]:
    """Tabs that the link remembers; returns the one that is open, and its title.

    What lies in the others costs nothing.

    Args:
        titles: At least one, marked for the catalogues, each a value of the field.
        field: Of the page's view.
    """
    if st.session_state.get(key(field)) not in titles:  # another result has other tabs
        st.session_state[key(field)] = titles[0]
    titles_by_label = {_(title): title for title in titles}
    widget = f"tabs.{field}"  # the field holds the title in English, as links do
    st.session_state[widget] = _(state.value(field))

    def take() -> None:
        state.choose(**{field: titles_by_label.get(st.session_state[widget], titles[0])})

    places = st.tabs([*titles_by_label], key=widget, on_change=take)
    return next((place, title) for place, title in zip(places, titles, strict=True) if place.open)


def once(name: str, about: Hashable, draw: Callable[[], T]) -> T:
    """What ``draw`` gives, drawn once for all who look at the same.

    A page is run again at every click, most of what it shows has not changed, and a class of people
    looks at the same links. ``about`` says all that it depends on.
    """
    key_of_drawing = name, current(), about  # in which language, too
    drawn: T | None = cache.drawings().get(key_of_drawing)
    if drawn is None:
        drawn = draw()
        cache.drawings().put(key_of_drawing, drawn)
    return drawn


def chart(figure: Spec, name: str, alt: str, heading: str = "", **options: Any) -> None:
    """A figure and a way to save it; ``alt`` may hold Markdown, which is taken out.

    ``heading`` stands above it in a saved file; see :func:`app.shell.chart_saving.offer`.
    """
    shown = on_page(figure, dark=st.context.theme.type == "dark")
    st.plotly_chart(shown, key=name, config=chart_saving.CONFIG, alt=plain(alt), **options)
    chart_saving.offer(figure, name, alt, heading)


def table(rows: Iterable[Mapping[str, Any]]) -> None:
    """A row for each mapping of head to cell; texts are Markdown.

    Reports begin their heads small, a page does not. No number is torn from its percent sign.
    """
    st.table(
        [
            {
                unbroken(head[:1].upper() + head[1:]): unbroken(cell)
                if isinstance(cell, str)
                else cell
                for head, cell in row.items()
            }
            for row in rows
        ],
        border="horizontal",
        hide_index=True,
    )


def small_picture(source: str, size: int, width: int, alt: str) -> None:
    """A picture by its short text, as a network sees it at a size; one that has gone is named."""
    try:
        st.image(cache.preview(source, size), width=width, output_format="PNG", alt=alt)
    except (PictureGone, ValueError) as error:
        st.caption(f":material/broken_image: {error}")


def page_button(title: str, page: str, choices: dict[str, Any], **options: Any) -> None:
    """A button that opens another page, by its room, where these fields of its view are chosen."""
    if st.button(title, on_click=state.choose, kwargs=choices, **options):
        st.switch_page(f"app/{page}/page.py")


def report_plots(plots: Sequence[Plot], across: int, page: str, roomy: str) -> None:
    """Plots of a report on this page's ground, so many in a row; ``page`` begins their keys."""
    for column, plot in in_rows(plots, min(across, len(plots)), roomy=roomy):
        with column:
            chart(plot.spec, f"{page}.{plot.key}", plot.alt)
            if plot.note:
                st.markdown(emphasised(plot.note))


def image(png: bytes, caption: str | None, alt: str) -> None:
    """A picture as wide as its place."""
    # PNG, for Streamlit would make JPEGs of them: a perturbation does not survive that.
    st.image(png, caption=caption, width="stretch", output_format="PNG", alt=plain(alt))
