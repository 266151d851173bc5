"""One person's session with the app, as Streamlit's AppTest runs it."""

import json
from collections.abc import Mapping
from concurrent.futures import wait
from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest

from advprop_core.types import AttributionMap, Comparison
from app.shell.view import KINDS

REPO = Path(__file__).resolve().parents[2]


class Visit:
    """One person's session with the app."""

    def __init__(self, parameters: dict[str, str], *, wait: bool = True) -> None:
        self.at = AppTest.from_file(REPO / "streamlit_app.py", default_timeout=120)
        self.at.query_params.update(parameters)
        self.run() if wait else self.at.run()

    def run(self) -> "Visit":
        """Run the page until nothing is being computed any more, as a browser's polling does."""
        self.at.run()
        while self.at.get("progress"):
            jobs = [j for k, j in self.at.session_state.items() if k[:5] == "work."]
            wait([job.future for job in jobs], 60)
            self.at.run()
        return self

    def turn_to(self, page: str) -> "Visit":
        """Open another page in the same session."""
        self.at.switch_page(page)
        return self.run()

    def choose(self, **fields: object) -> "Visit":
        """Move the widgets of these fields, one after the other, and run the page each time."""
        for name, value in fields.items():
            if name == "perturbation":
                self.choose_kind(value)
            else:
                self.widget(name).set_value(value)
            self.run()
        return self

    def choose_kind(self, perturbation: str) -> None:
        """Attack, noise or another kind, and which one of it."""
        kind = next(kind for kind, members in KINDS.items() if perturbation in members)
        if self.widget("perturbation.kind").value != kind:
            self.widget("perturbation.kind").set_value(kind)
            self.run()
        if len(KINDS[kind]) > 1:
            self.widget("perturbation").set_value(perturbation)

    def widget(self, name: str):
        key = name if "." in name else f"view.{name}"
        kinds = ("selectbox", "multiselect", "slider", "button_group", "number_input", "toggle")
        for kind in kinds:
            for widget in self.at.get(kind):
                if widget.key == key:
                    return widget
        raise AssertionError(f"no widget for {name} is on the page")

    def button(self, label: str):
        return next(button for button in self.at.button if button.label == label)

    def press(self, label: str) -> "Visit":
        self.button(label).click()
        return self.run()

    def upload(self, name: str, data: bytes, kind: str = "image/jpeg") -> "Visit":
        """Give the file to the uploader of the gallery."""
        self.look_at("Upload")
        self.at.file_uploader(key="gallery.upload").set_value((name, data, kind))
        return self.run()

    def look_at(self, group: str) -> "Visit":
        """Open the gallery at one of its groups."""
        self.at.session_state["gallery.open"] = True
        return self.run().choose(**{"gallery.group": group})

    @property
    def thumbnails(self) -> dict[str, str]:
        """Name of each picture on offer to why it cannot be chosen, if it cannot."""
        (shown,) = self.elements("thumbnails")
        return {picture["name"]: picture["refusal"] for picture in shown["pictures"]}

    def take(self, picture: str) -> "Visit":
        """Choose a thumbnail, as its element does: a session without a browser has no script."""
        assert self.thumbnails[picture] == ""
        self.at.session_state["view.image"] = picture
        self.at.session_state["gallery.open"] = False
        return self.run()

    def keys(self) -> set[str]:
        """Keys of the widgets that are on the page."""
        kinds = ("selectbox", "slider", "button_group", "number_input", "toggle", "button")
        return {widget.key for kind in kinds for widget in self.at.get(kind)}

    @property
    def result(self) -> Comparison:
        return self.at.session_state["shown.playground"].result

    @property
    def maps(self) -> Mapping[tuple[str, str], AttributionMap]:
        return self.at.session_state["shown.playground.maps"].result.maps

    @property
    def errors(self) -> list[str]:
        return [error.value for error in self.at.error]

    @property
    def warnings(self) -> list[str]:
        return [warning.value for warning in self.at.warning]

    @property
    def text(self) -> str:
        """What is read on the page; a space that does not break is a space."""
        kinds = ("title", "header", "subheader", "markdown", "caption")
        words = [e.value for kind in kinds for e in self.at.get(kind)]
        for shown in self.boards:
            words += [f"{branch['name']} {branch['said']}" for branch in shown["branches"]]
        return "\n".join(words).replace("\u00a0", " ")

    @property
    def boards(self) -> list[dict[str, Any]]:
        """What stands at a glance on the Playground, if it is there."""
        return self.elements("board")

    def elements(self, name: str) -> list[dict[str, Any]]:
        """What each element of ours with this name was given."""
        protos = [element.proto for element in self.at.get("bidi_component")]
        named = [proto for proto in protos if proto.component_name == f"advprop_{name}"]
        return [json.loads(proto.json) for proto in named]

    @property
    def board(self) -> dict[str, Any]:
        (board,) = self.boards
        return board

    @property
    def pictures(self) -> list[str]:
        """Captions of the pictures at a glance, in order."""
        return [picture["caption"] for picture in self.board["pictures"]]

    @property
    def charts(self) -> list[str]:
        return [chart.key for chart in self.at.get("plotly_chart")]

    def assert_whole(self) -> None:
        """The page is complete: three pictures, answers and two maps of each branch."""
        assert not self.at.exception, self.at.exception
        shown = self.board
        clean, perturbed, change = self.pictures
        assert clean.startswith("Clean: ")
        assert perturbed == "Perturbed"
        assert change.startswith(("Amplified", "Change"))
        assert not shown["isOld"]
        assert [branch["name"] for branch in shown["branches"]] == list(shown["maps"])
        assert all(branch["answers"] for branch in shown["branches"])
        assert {len(maps) for maps in shown["maps"].values()} == {2}
