"""What makes customers hard to tell apart: planted from a stream of its own, in known shares, and listed in truth."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from parcours.simulate.calendar import NEVER, WEEKS
from parcours.simulate.life import Life, live
from parcours.simulate.muddle import RUBBISH, TILL_MAIL, Muddle, gather_muddle, litter, view_more, write_at_till
from parcours.simulate.names import name_people, take_names, write_again
from parcours.simulate.owners import list_households, list_second, list_tablets
from parcours.simulate.panel import draw
from parcours.simulate.people import SITES, People, gather_people
from parcours.simulate.requests import FILE, write_requests

CUSTOMERS = 3_000
World = tuple[People, Life, Muddle]


@pytest.fixture(scope="module")
def world() -> World:
    people = gather_people(CUSTOMERS, 5)
    life = live(draw(5, round(CUSTOMERS * 0.7), len(SITES), WEEKS), people, 5)
    return people, life, gather_muddle(people, life, 5)


def test_second_accounts_come_later_than_the_first_and_with_views_of_their_own(world: World) -> None:
    people, life, muddle = world
    assert 0.005 < len(muddle.second) / CUSTOMERS < 0.02
    assert (muddle.second_s > life.account_s[muddle.second]).all()
    account, device, moment = view_more(people, muddle, 5)
    again = account >= CUSTOMERS
    assert set(account[again].tolist()) == set(range(CUSTOMERS, CUSTOMERS + len(muddle.second)))
    assert not np.isin(device[again], np.concatenate((people.device, people.second_device))).any()
    assert (moment[again] > muddle.second_s[account[again] - CUSTOMERS]).all()
    told = list_second(people, muddle)
    assert sum(one["same_phone"] for one in told) == muddle.second_phone.sum() > 0


def test_a_tablet_has_many_customers_and_each_has_an_account(world: World) -> None:
    people, life, muddle = world
    assert (life.account_s[muddle.visitor] != NEVER).all()
    tablets = list_tablets(people, muddle)
    assert len({one["site"] for one in tablets}) == len({one["device"] for one in tablets}) == len(tablets) > 20
    assert max(one["customers"] for one in tablets) > 2


def test_whoever_shares_a_device_lives_with_the_other(world: World) -> None:
    people, life, muddle = world
    home = muddle.household
    assert (home[people.shared] == home[people.shared - 1]).all()
    assert (home[people.shared] >= 0).all()
    names = name_people(people, home, 5)
    assert all(names["nom"][one] == names["nom"][one - 1] for one in people.shared.tolist())
    assert all(len(members) > 1 for members in list_households(life, muddle))


def test_a_name_written_again_has_one_slip_at_most_and_half_have_none(world: World) -> None:
    people, _, muddle = world
    names = name_people(people, muddle.household, 5)
    once, again = take_names(names, muddle.second), write_again(names, muddle.second, 5)
    slips = sum(
        np.array([one != other for one, other in zip(once[field].to_pylist(), again[field].to_pylist(), strict=True)])
        for field in names
    )
    assert max(slips) == 1
    assert 0.2 < (slips == 0).mean() < 0.8


def test_rubbish_is_written_in_its_share_and_where_an_id_was(world: World) -> None:
    del world
    ids = pa.array([f"C{number}" if number % 2 else None for number in range(100_000)])
    for (file, column), (value, share) in RUBBISH.items():
        spoilt = litter(file, column, ids, 5).to_pylist()
        assert 0.7 * share < spoilt.count(value) / 50_000 < 1.3 * share
        assert spoilt.count(None) == 50_000
    assert write_at_till(pa.array(["a@b.fr"] * 50_000), 5).to_pylist().count(TILL_MAIL) > 100


def test_those_who_ask_to_be_erased_have_one_account_and_one_shares_a_device(world: World, tmp_path: Path) -> None:
    people, life, muddle = world
    assert len(muddle.forgotten) == 3
    assert (life.account_s[muddle.forgotten] != NEVER).all()
    assert not np.isin(muddle.forgotten, muddle.second).any()
    assert np.isin(muddle.forgotten, np.union1d(people.shared, people.shared - 1)).sum() == 1
    write_requests(tmp_path, muddle)
    assert len((tmp_path / FILE).read_text("utf-8").split()) == 3
