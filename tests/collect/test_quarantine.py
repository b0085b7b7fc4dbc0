"""Quarantine: bytes are asked for and sealed only when they are kept."""

from __future__ import annotations

import pytest

from parcours.collect import quarantine
from parcours.collect.quarantine import Quarantine
from parcours.collect.rows import BadRow
from parcours.words import Words


def test_what_is_beyond_the_cap_is_counted_and_its_bytes_are_never_asked_for(monkeypatch) -> None:
    monkeypatch.setattr(quarantine, "MOST_KEPT", 1)
    aside = Quarantine("orders", "a.csv", bytes.upper, 5)
    aside.add(BadRow(3, "ragged_row", Words("trop", "many"), b"one"))
    aside.note(4, "ragged_row", Words("trop", "many"), lambda: pytest.fail("asked for"))
    aside.note(5, "nul_byte", Words("nul", "NUL"), lambda: pytest.fail("asked for"))
    assert (aside.count, [row.original for row in aside.kept]) == (3, [b"ONE"])
    told = aside.warnings()
    assert told[0].en == "a.csv: 2 row(s) in quarantine, the first on line 3. many"
    assert told[1].fr.endswith("la première à la ligne 5. nul")
