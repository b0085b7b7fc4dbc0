"""The firm's planted people, found: accounts, shared devices, rubbish, second accounts, households, and who left."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq
import pytest
from tests.cli.conftest import call, call_json

from parcours import company as companies
from parcours.know.identity.verdicts import SHARED
from parcours.progress import Silent
from parcours.simulate import make

CUSTOMERS = 1_000
OF_PEOPLE = (
    *("app", "calls", "campaigns", "customers", "deliveries", "departures", "emails", "loyalty", "orders", "refunds"),
    *("reviews", "store_visits", "surveys", "web"),
)


class Scores(NamedTuple):
    """How well pairs of identifiers of one person are told apart from others."""

    precision: float
    recall: float

    @property
    def f1(self) -> float:
        return 2 * self.precision * self.recall / (self.precision + self.recall)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small firm, run; operations that no customer meets are left out."""
    folder = tmp_path_factory.mktemp("planted") / "firm"
    make(folder, CUSTOMERS, 1, Silent())
    for source in (folder / "sources").iterdir():
        if source.stem not in OF_PEOPLE:
            source.unlink()
    assert call("run", folder, "--quiet").returncode == 0
    return folder


@pytest.fixture(scope="module")
def truth(ran: Path) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((ran / "truth.json").read_text("utf-8"))
    return told


def whose(folder: Path) -> tuple[Any, npt.NDArray[np.int64]]:
    """Return who is who, and by identifier the customer whose it is in truth (−1: nobody's alone)."""
    know = companies.open(folder).know
    people = know._identities.people()
    owner = np.full(len(people.pseudonyms), -1, np.int64)
    for row in pq.read_table(folder / "truth-identifiers.parquet").to_pylist():
        codes = know._identities.pseudonyms_by_kind({row["kind"]: row["value"]})
        owner[people.places(codes)[people.places(codes) >= 0]] = row["person"]
    return people, owner


def read_whole(path: Path) -> str:
    if path.suffix == ".parquet":
        return str(pq.read_table(path).column("customer").unique().to_pylist()) if path.stem == "web" else ""
    return gzip.decompress(path.read_bytes()).decode("latin-1")


def score(person: npt.NDArray[Any], owner: npt.NDArray[np.int64]) -> Scores:
    def pairs(codes: npt.NDArray[Any]) -> float:
        sizes = np.unique(codes, return_counts=True)[1].astype(float)
        return float((sizes * (sizes - 1) / 2).sum())

    right = pairs(person.astype(np.int64) * (owner.max() + 1) + owner)
    return Scores(right / pairs(person), right / pairs(owner))


def test_identifiers_of_one_person_are_one_profile_and_none_is_big(ran: Path) -> None:
    people, owner = whose(ran)
    of_one = owner[people.ends[:, 0]]
    of_one = people.ends[(of_one >= 0) & (of_one == owner[people.ends[:, 1]])]
    # What no event ever showed beside anything else of its owner nobody can know.
    tied = np.zeros(len(owner), bool)
    tied[of_one.ravel()] = True
    known, everything = (score(people.person[one], owner[one]) for one in (tied & (owner >= 0), owner >= 0))
    assert tied.sum() > 0.8 * (owner >= 0).sum()
    assert known.precision >= 0.99
    assert known.f1 >= 0.95
    assert everything.f1 >= 0.9
    assert np.bincount(people.person).max() <= 25


def test_tablets_of_stores_and_devices_of_families_are_shared_and_hardly_any_other(
    ran: Path, truth: dict[str, Any]
) -> None:
    know = companies.open(ran).know
    people = know._identities.people()
    found = set(people.pseudonyms[people.ends[people.verdicts == SHARED][:, 1]].tolist())

    def codes(devices: list[str]) -> set[int]:
        return {int(know._identities.pseudonyms_by_kind({"device": one})[0]) for one in devices}

    tablets = codes([one["device"] for one in truth["store_tablets"] if one["customers"] > 1])
    families = codes([one["device"] for one in truth["shared_devices"]])
    assert len(tablets) > 10
    assert tablets <= found
    # On some devices of families one of both never signed in: that is one person's to whoever looks.
    assert len(families & found) > 0.5 * len(families)
    assert len(found & (tablets | families)) > 0.85 * len(found)


def test_rubbish_names_nobody(ran: Path, truth: dict[str, Any]) -> None:
    kinds = {"customer": "user", "device": "device", "email": "mail", "telephone": "phone"}
    written = {path.name: read_whole(path) for path in (ran / "data").iterdir()}
    assert len(truth["rubbish"]) == 5
    know = companies.open(ran).know
    for planted in truth["rubbish"]:
        assert planted["value"] in written[Path(planted["file"]).name]
        assert know.explain(f"{kinds[planted['column']]}:{planted['value']}") == ()


def test_second_accounts_are_found_and_wait_for_a_person(ran: Path, truth: dict[str, Any]) -> None:
    pytest.importorskip("splink")
    before = len(call_json("review", ran))
    same_phone = [one for one in truth["second_accounts"] if one["same_phone"]]
    assert before == len(same_phone) > 0
    assert call("link", ran, "--quiet").returncode == 0
    know = companies.open(ran).know
    shown = {frozenset(know.show_identifiers([doubt.one, doubt.other], True)) for doubt in know.review()}
    planted = {frozenset((one["customer"], one["again"])) for one in truth["second_accounts"]}
    assert shown == planted
    for one in truth["second_accounts"]:
        assert len({know.explain(f"user:{name}")[0].profile for name in (one["customer"], one["again"])}) == 2


def test_a_household_is_shown_and_makes_nobody_one(ran: Path, truth: dict[str, Any]) -> None:
    know = companies.open(ran).know
    shown = []
    for members in truth["households"][:5]:
        profiles = [know.portraits.find(f"user:{name}")[0] for name in members]
        assert len(set(profiles)) == len(members)
        portraits = [know.portraits.show(profile, "improve_service") for profile in profiles]
        shown.append({portrait.memberships[0].key for portrait in portraits if portrait})
    assert [len(names) for names in shown] == [1] * 5


def test_who_withdrew_is_seen_for_no_purpose_that_rests_on_consent(ran: Path, truth: dict[str, Any]) -> None:
    company = companies.open(ran)
    assert len(truth["withdrawals"]) > 3
    for gone in truth["withdrawals"]:
        who = f"user:{gone['customer']}"
        assert company.know.timeline(who, "personalise").count == 0
        assert company.know.timeline(who, "improve_service").count > 0
        assert not company.know.may(who, "personalise")


def test_who_asked_is_erased_from_a_list_and_stays_so_when_their_files_are_read_again(
    ran: Path, truth: dict[str, Any], tmp_path: Path
) -> None:
    folder = tmp_path / "firm"
    shutil.copytree(ran, folder)
    listed = folder / "erasure-requests.txt"
    assert listed.read_text("utf-8").split() == [f"user:{name}" for name in truth["erasures"]]
    before = companies.open(folder).know.held
    previews = [call_json("forget", folder, f"user:{name}", "--dry-run") for name in truth["erasures"]]
    own = sum(sum(one["events"].values()) for one in previews)
    assert own > 0
    assert sum(bool(one["shared"]) for one in previews) >= 1
    done = call("forget", folder, "from", listed, "--yes", "--quiet")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("nothing is left") == len(truth["erasures"]) == 3
    for again in (False, True):
        if again:
            (folder / "data" / "customers.csv.gz").touch()
            assert call("run", folder, "--quiet").returncode == 0
        company = companies.open(folder)
        assert company.know.held == before - own
        assert [one.state for one in company.know.requests.list_requests()] == ["done"] * 3
        for name in truth["erasures"]:
            assert company.know.explain(f"user:{name}") == ()
            assert company.know.timeline(f"user:{name}", "improve_service").count == 0
    # Whoever is done with is passed over when the list comes again.
    done = call("forget", folder, "from", listed, "--yes", "--quiet")
    assert (done.returncode, done.stdout) == (1, "")
    assert "user:C0" in done.stderr
