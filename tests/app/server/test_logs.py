import io
import json
import logging

import pytest

from app.server import logs


@pytest.fixture
def written():
    """What the loggers of this project write as lines, which is put back as it was."""
    stream = io.StringIO()
    logger = logging.getLogger("app")
    before = logger.handlers[:], logger.level, logger.propagate
    logger.handlers = [logging.StreamHandler(stream)]
    logger.handlers[0].setFormatter(logs.JsonLines())
    logger.setLevel(logging.INFO)
    yield stream
    logger.handlers, logger.level, logger.propagate = before


def test_a_line_is_json_and_says_of_an_error_where_it_was_and_not_what_it_named(written):
    log = logging.getLogger("app.somewhere")
    log.info("A task is done", extra={"task": "compare", "seconds": 0.5, "picture": "me.jpg"})
    try:
        raise ValueError("holiday.jpg is odd")
    except ValueError as error:
        log.error('A "page" failed', exc_info=error, extra={"code": "c0de"})
    done, failed = map(json.loads, written.getvalue().splitlines())
    assert {name: done[name] for name in ("level", "logger", "message", "task", "seconds")} == {
        "level": "INFO", "logger": "app.somewhere", "message": "A task is done",
        "task": "compare", "seconds": 0.5,
    }  # fmt: skip
    assert failed["error"] == "ValueError"
    assert failed["code"] == "c0de"
    assert "test_logs.py" in failed["where"][-1]
    assert "jpg" not in written.getvalue()
