"""Links that somebody made to find a way in: every page opens, and says what it cannot use."""

import itertools
import re

import pytest

from app.shell.view import rules
from tests.app.shell.test_every_link import PAGES

HOSTILE = (
    "../../../../etc/passwd", "/etc/passwd", "folder:../../../../etc/passwd", "set:x/../../passwd",
    "upload:../../etc/passwd", "photo:../../../etc/passwd", "scene:-1", "scene:99999999999999",
    "upload:0123@0.0.1000", "file:///etc/passwd", "nan", "inf", "-1e999", "9" * 400, "x" * 100_000,
    "\0", "\u202egnp.exe", "<img src=//evil.example onerror=alert(1)>", "![](//evil.example)",
    "{{7*7}}", "'; drop table", "%2e%2e%2f", "None", "[]",
)  # fmt: skip


@pytest.mark.parametrize("page", PAGES)
def test_no_parameter_of_a_page_finds_a_file_or_a_defect(visit_on, page):
    """Each parameter gets another value in each round."""
    names = [name for name in rules(PAGES[page]) if name not in ("model", "expert")]
    for first in (0, 8, 16):
        values = itertools.islice(itertools.cycle(HOSTILE), first, first + len(names))
        asked = dict(zip(names, values, strict=True))
        if first:  # what else is asked is looked at further, where there is a picture
            asked |= {"image": "scene:2", "steps": "1"}
        person = visit_on(page, v="3", expert="1", **asked)
        assert person.at.title[0].value.endswith("?")
        assert not person.at.exception, person.at.exception
        said = "\n".join([*person.errors, *person.warnings, person.text])
        assert "root:" not in said
        assert "bug" not in said, person.errors
        # As code, or with its sign for HTML escaped.
        assert not re.search(r"(?<![`\\])<img", said)


@pytest.fixture
def visit_on(visit):
    def go(page, **parameters):
        return visit(**parameters).turn_to(f"app/{page}/page.py")

    return go
