"""One order a line comes in as JSON, one answer a line goes out: how a test drives a client in a process of its own."""

from __future__ import annotations

import datetime
import json
import os
import sys
import traceback
from typing import Any

SKEW = datetime.timedelta(milliseconds=int(os.environ.get("SKEW_MS", "0")))
_RIGHT = datetime.datetime


class _Any(type):
    """A moment is a moment, whichever clock it comes from."""

    def __instancecheck__(cls, value: object) -> bool:
        return isinstance(value, _RIGHT)


class Skewed(_RIGHT, metaclass=_Any):
    """The clock of this process: wrong, as clocks of clients are."""

    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> datetime.datetime:
        """Return the wrong time."""
        return _RIGHT.now(tz) + SKEW


# Before the client is imported, which then has the wrong clock and is otherwise what its wheel holds.
datetime.datetime = Skewed  # type: ignore[misc]


def say(message: dict[str, Any]) -> None:
    """Write one line."""
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def note(text: object) -> None:
    """Tell the test something that it did not ask for, such as a line of the client's own log."""
    say({"noted": str(text)})


def listen(handler: Any) -> None:
    """Take orders until the input ends: ``{"do": NAME, ...}`` calls that method, whose result is the answer."""
    for line in sys.stdin:
        order = json.loads(line)
        try:
            say({"done": getattr(handler, order.pop("do"))(**order) or {}})
        except Exception:
            say({"failed": traceback.format_exc()})
