"""The log's lines: JSON, whoever writes them, and nothing in them that people said or showed."""

from __future__ import annotations

import json
import logging
import sys
import threading

from omma.serve.service import fault_of

REQUESTS = "omma.serve"  # whose lines are JSON already
LONGEST = 300  # letters of another's message


class JsonLine(logging.Formatter):
    """A record as one line of JSON.

    Of what others say the first line is kept, and of an error its kind and where it happened: its words may
    quote what was asked.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        said = record.getMessage()
        if record.name == REQUESTS:
            return said
        line = {
            "time": round(record.created, 3),
            "level": record.levelname.lower(),
            "log": record.name,
            "message": said.partition("\n")[0][:LONGEST],
        }
        if record.exc_info and record.exc_info[1] is not None:
            line["fault"] = fault_of(record.exc_info[1])
        return json.dumps(line, ensure_ascii=False)


def log_to_stderr(*, quiet: bool = False) -> None:
    """Write all lines of the log to stderr; with `quiet` none for each request, but for faults of ours."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLine())
    logging.getLogger().addHandler(handler)
    logging.getLogger(REQUESTS).setLevel(logging.ERROR if quiet else logging.INFO)
    logging.captureWarnings(True)
    threading.excepthook = _unforeseen


def _unforeseen(told: threading.ExceptHookArgs) -> None:
    """A thread that broke off, as a line and not as a page: its error's words may quote what was asked."""
    name = "a thread" if told.thread is None else told.thread.name
    wrong = told.exc_value if told.exc_value is not None else told.exc_type()
    logging.getLogger("omma.threads").error("%s broke off", name, exc_info=wrong)
