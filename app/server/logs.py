"""Logs as an operator's tools read them: a JSON object a line, without what visitors gave."""

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from typing import Any


class JsonLines(logging.Formatter):
    """Writes a record as one line; of an error its kind and place, for its text may hold a name."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        written = datetime.fromtimestamp(record.created, UTC)
        line: dict[str, Any] = {
            "time": written.isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        ours = ("task", "seconds", "code")  # what our own lines say besides their message
        line |= {name: vars(record)[name] for name in ours if name in vars(record)}
        if record.exc_info and (error := record.exc_info[1]) is not None:
            frames = traceback.extract_tb(error.__traceback__)
            line["error"] = type(error).__name__
            line["where"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
        return json.dumps(line)


def begin() -> None:
    """From now on every line is JSON; call it when the server has made its loggers."""
    for name in ("app", "advprop_core"):
        logger = logging.getLogger(name)
        logger.addHandler(logging.StreamHandler(sys.stderr))
        logger.setLevel(logging.INFO)
        logger.propagate = False
    loggers = [logging.getLogger(), *map(logging.getLogger, logging.Logger.manager.loggerDict)]
    for handler in {handler for logger in loggers for handler in logger.handlers}:
        handler.setFormatter(JsonLines())
