"""The map's page: what the latest run read."""

from __future__ import annotations

from firm import Firm

from parcours.workspaces.pages.map import say_data


def test_the_latest_run_is_told_in_rows(firm: Firm, silent_firm: Firm) -> None:
    told = say_data(firm, "en")
    for part in ("31,000 rows read", "30,988 kept", "12 in quarantine", "1,215,487 events", "50,510 customers"):
        assert part in told
    assert say_data(silent_firm, "en") == ""
