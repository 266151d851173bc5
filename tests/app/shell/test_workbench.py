"""What pages about one picture share."""

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Block


def draw_outline(of_page):
    from app.playground import glance
    from app.shell import cache, workbench
    from app.shell.view import View

    outline = {"playground": glance.outline, "another": workbench._outline}[of_page]
    outline(View(model="tiny-advprop", image="scene:2"), cache.model_info("tiny-advprop"))


@pytest.mark.parametrize("of_page", ["playground", "another"])
def test_no_block_stands_where_the_result_is_going_to_be(tiny, of_page):
    drawn = AppTest.from_function(draw_outline, args=(of_page,)).run()
    assert not drawn.exception
    parts = list(drawn.main.children.values())
    assert len(parts) == 2
    # Streamlit would send a part of the result before the block that it belongs to, and the
    # browser shows an empty page then.
    assert not any(isinstance(part, Block) for part in parts)
