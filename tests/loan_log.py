"""A small loan log in XES, of the same form as the public one: forty applications, half of them sent an offer."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

FIRST = datetime(2011, 10, 3, 8, tzinfo=UTC)
STEPS = (
    ("A_SUBMITTED", "COMPLETE", 0, 40),
    ("A_PARTLYSUBMITTED", "COMPLETE", 1, 40),
    ("A_PREACCEPTED", "COMPLETE", 60, 30),
    ("W_Completeren aanvraag", "SCHEDULE", 61, 30),
    ("W_Completeren aanvraag", "START", 181, 30),
    ("O_SENT", "COMPLETE", 240, 20),
    ("W_Nabellen offertes", "START", 3_000, 20),
    ("O_SENT_BACK", "COMPLETE", 9_000, 12),
    ("A_ACTIVATED", "COMPLETE", 15_000, 10),
)
"""Activity, state, minutes after the first, and how many of the forty applications get there."""


@pytest.fixture(scope="session")
def make_loans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the log, as the place ``bpic2012`` names it."""
    folder = tmp_path_factory.mktemp("log")
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', '<log xes.version="1.0">']
    for number in range(40):
        lines.append(f'<trace><string key="concept:name" value="{1000 + number}"/>')
        lines.append('<string key="AMOUNT_REQ" value="5000"/>')
        for activity, state, minutes, reach in STEPS:
            if number < reach:
                at = (FIRST + timedelta(days=number, minutes=minutes)).isoformat(timespec="milliseconds")
                lines.append(
                    f'<event><string key="concept:name" value="{activity}"/>'
                    f'<string key="lifecycle:transition" value="{state}"/>'
                    f'<date key="time:timestamp" value="{at}"/></event>'
                )
        lines.append("</trace>")
    lines.append("</log>")
    with gzip.open(folder / "bpic2012.xes.gz", "wt", encoding="utf-8") as file:
        file.write("\n".join(lines))
    return folder
