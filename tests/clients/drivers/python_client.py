"""segment-analytics-python and rudder-sdk-python as their documentation says: nothing but host and key are set."""

from __future__ import annotations

import importlib
import logging
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import lines

PACKAGE = sys.argv[1]
MODES: dict[str, dict[str, Any]] = {
    "batch": {},
    "gzip": {"gzip": True},
    "plain": {"gzip": False},
    "single": {"sync_mode": True},
}


class Noting(logging.Handler):
    """Passes on what the client and the library that makes it retry write to their logs."""

    def emit(self, record: logging.LogRecord) -> None:
        lines.note(record.getMessage()[:200])


class Python:
    """One client at a time."""

    def open(self, url: str, key: str, mode: str, retries: int | None = None) -> None:
        self.dropped: list[Any] = []
        self.refused: list[str] = []
        more = {} if retries is None else {"max_retries": retries}
        client = importlib.import_module(f"{PACKAGE}.analytics.client").Client
        self.client = client(key, host=url, on_error=self._lose, **MODES[mode], **more)

    def send(self, calls: list[dict[str, Any]]) -> None:
        for call in calls:
            type = call.pop("type")
            more = {"context": {"consent": {"categoryPreferences": call.pop("consent")}}}
            if ago_ms := call.pop("ago_ms", 0):
                more["timestamp"] = lines.Skewed.now(lines.datetime.UTC) - lines.datetime.timedelta(milliseconds=ago_ms)
            named = {_snake(name): value for name, value in call.items()}
            if type == "alias":
                named.pop("anonymous_id")  # An alias names two ids, and no third.
            try:
                getattr(self.client, type)(**named, **more)
            except Exception as fault:  # In `sync_mode` what is not delivered is raised.
                self._lose(fault, [call])

    def settle(self) -> dict[str, Any]:
        if self.client.consumers:
            self.client.flush()
        return {"dropped": self.dropped, "refused": self.refused}

    def close(self) -> None:
        if self.client.consumers:
            self.client.shutdown()

    def _lose(self, fault: Exception, items: list[dict[str, Any]]) -> None:
        self.refused.append(str(fault)[:200])
        self.dropped += [item.get("properties", {}).get("amount") for item in items]


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


for name, level in (("segment", logging.DEBUG), ("backoff", logging.INFO)):
    logging.getLogger(name).setLevel(level)
    logging.getLogger(name).addHandler(Noting())
lines.listen(Python())
