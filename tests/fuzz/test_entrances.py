"""Random bytes at the entrance, from nothing and from near what is good; thousands of them in the long form."""

from __future__ import annotations

import os
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.fuzz.entrances import BACK, ENTRANCE_SEEDS, ENTRANCES, OidcProvider, bring_question, open_house

EXAMPLES = int(os.environ.get("PARCOURS_EXAMPLES", "60"))


@st.composite
def near(draw: st.DrawFn, seeds: tuple[bytes, ...]) -> bytes:
    """Draw a seed with a piece of it replaced."""
    seed = draw(st.sampled_from(seeds))
    place = draw(st.integers(0, len(seed)))
    return seed[:place] + draw(st.binary(max_size=24)) + seed[place + draw(st.integers(0, 8)) :]


@pytest.mark.parametrize("name", sorted(ENTRANCES))
def test_nobody_comes_in_and_nothing_breaks(name: str) -> None:
    @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.one_of(near(ENTRANCE_SEEDS[name]), st.binary(max_size=600)))
    def check(data: bytes) -> None:
        ENTRANCES[name](data)

    check()


def test_what_is_good_is_taken() -> None:
    house = open_house()
    house.oidc.sign = lambda nonce: OidcProvider.sign(house.oidc, nonce)  # type: ignore[method-assign]
    code = house.oidc.authorize(bring_question(house)).partition("code=")[2].partition("&")[0]
    assert house.provider.identify(house.way, code, BACK, time.time()).mail == "ada@example.com"
