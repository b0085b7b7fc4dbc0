"""Logs of the processes of `serve`: one JSON object a line on stderr; no body, no write key, no address of a person."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
import time
import traceback
from types import TracebackType
from typing import Any

import msgspec

LOG = logging.getLogger(__name__)


class JsonLines(logging.Formatter):
    """Writes a record as one line: when, how grave, which process, what; ``extra={"fields": {...}}`` adds figures.

    An exception is told by its type and the places that it passed: its own words may repeat what somebody sent.
    """

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line: dict[str, object] = {
            "at": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "process": self._process,
            "says": _say(record),
        }
        line.update(getattr(record, "fields", {}))
        if record.exc_info and record.exc_info[0]:
            line["fault"] = _name_chain(record.exc_info[1])
            line["places"] = _list_places(record.exc_info[2])
        return msgspec.json.encode(line).decode()


def _say(record: logging.LogRecord) -> str:
    """Return the message; where it holds an exception, its type alone."""
    if isinstance(record.args, tuple):
        record.args = tuple(type(arg).__name__ if isinstance(arg, BaseException) else arg for arg in record.args)
    return record.getMessage().strip()


def _name_chain(fault: BaseException | None) -> list[str]:
    names: list[str] = []
    while fault is not None and len(names) < 8:
        names.append(type(fault).__name__)
        fault = fault.__cause__ or fault.__context__
    return names


def _list_places(passed: TracebackType | None) -> list[str]:
    frames = traceback.extract_tb(passed)[-12:]
    return [f"{frame.filename.rpartition('site-packages/')[2]}:{frame.lineno} {frame.name}" for frame in frames]


def log_as_json(process: str, level: int = logging.INFO) -> None:
    """Send every record of this process to stderr as JSON lines, and what ends it or a thread of it as well."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines(process))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in ("uvicorn", "uvicorn.error"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    sys.excepthook = _note_end
    threading.excepthook = _note_thread


def note_loop_fault(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log what an event loop could tell nobody else: its own message and the type of what was raised."""
    fault = context.get("exception")
    traced = (type(fault), fault, fault.__traceback__) if fault is not None else None
    LOG.error("in the event loop: %s", context.get("message", ""), exc_info=traced)


def _note_end(kind: type[BaseException], fault: BaseException, passed: TracebackType | None) -> None:
    LOG.critical("the process ends", exc_info=(kind, fault, passed))


def _note_thread(args: threading.ExceptHookArgs) -> None:
    fault = args.exc_value
    traced = (args.exc_type, fault, args.exc_traceback) if fault is not None else None
    LOG.error("a thread ended", exc_info=traced)
