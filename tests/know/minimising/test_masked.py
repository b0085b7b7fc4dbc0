"""Tests of counting what is masked: at the door, by kind and day, and never silently."""

from __future__ import annotations

from typing import Any

import pytest
from tests.know.conftest import START_MS, Firm

from parcours.errors import ParcoursError
from parcours.know.minimising.masked import Masked, MaskedDay
from parcours.know.state import open_state
from parcours.know.vault import Vault

DAY = START_MS // 86_400_000


def answer(text: str, user: str | None = "u1") -> dict[str, Any]:
    return {"id_user": user, "name": "Answered", "field_about": "delivery", "field_score": 3.0, "field_comment": text}


def test_a_text_is_masked_before_it_is_kept_and_counted(firm: Firm) -> None:
    firm.admit(
        answer("Appelez le 06 12 34 56 78 ou a@b.fr"), answer("a@b.fr, a@b.fr"), answer("rien"), answer("c@d.fr", None)
    )
    texts = firm.know._state.execute("SELECT ref FROM texts ORDER BY ref")
    held = Vault(firm.know._state, firm.know._keys).read_texts([int(ref or 0) for (ref,) in texts])
    assert [text for _, text in held.values()] == ["Appelez le [phone] ou [mail]", "[mail], [mail]", "rien"]
    assert Masked(firm.know._state).since(DAY) == (MaskedDay(DAY, {"mail": 3, "phone": 1}),)
    firm.admit(answer("4111 1111 1111 1111 et x@y.fr"))
    assert Masked(firm.know._state).since(DAY) == (MaskedDay(DAY, {"mail": 4, "card": 1, "phone": 1}),)
    assert Masked(firm.know._state).since(DAY + 1) == ()


def test_what_a_load_that_was_cut_short_masked_is_not_counted(firm: Firm) -> None:
    firm.door.admit(firm.batch(answer("a@b.fr")), 1, START_MS)
    firm.door.forget_from(1)
    firm.admit(answer("rien"))
    assert Masked(firm.know._state).since(DAY) == ()


def test_an_altered_count_is_named(firm: Firm) -> None:
    firm.admit(answer("a@b.fr"))
    state = open_state(firm.folder)
    state.execute("UPDATE masked SET count = 0")
    with pytest.raises(ParcoursError, match="row_damaged"):
        Masked(state).since(DAY)
