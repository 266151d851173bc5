"""What the reader's browser is told of the page, and tells it."""

from app.elements.declare import declare

_mount = declare("reader")


def reader(language: str) -> None:
    """Say which language the page is in: a browser picks letters, hyphens and a voice by it.

    When another theme is chosen, the page is drawn anew: charts have the ink of one theme, and
    Streamlit does not ask for that itself (its issue 11920).
    """
    _mount(key="reader", data={"language": language}, on_theme_change=lambda: None)
