"""Erased stays erased, and nobody else loses an event, however everything that a company does is interleaved."""

from __future__ import annotations

import gc
import os
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from parcours import flow
from parcours.engine.store.manifest import Manifest
from parcours.errors import ParcoursError
from parcours.know.identity.edges import Edges
from parcours.know.keys import open_keys
from parcours.know.pseudonyms import digest_identifiers
from parcours.know.rights.erasures import Erasures
from parcours.know.state import open_state
from parcours.know.vault import Vault
from parcours.settings import Settings

from .conftest import WEB, deliver, event, open_company
from .crashing import CrashError, crashing
from .remembered import Id, Remembered, Told

EXAMPLES = int(os.environ.get("PARCOURS_EXAMPLES", "12"))
STEPS = 30 if "PARCOURS_EXAMPLES" in os.environ else 15
IDS: list[Id] = [
    *(("user", f"person-{n}") for n in range(3)),
    *(("mail", f"m{n}@synthetic.fr") for n in range(2)),
    *(("device", f"device-{n}") for n in range(2)),
]
CHOICE = "Segment Consent Preference Updated"
SOMEBODY = st.sampled_from(IDS)
TOGETHER = st.lists(SOMEBODY, min_size=1, max_size=3, unique_by=lambda one: one[0])
WRITES = st.integers(0, 60)


class Company(RuleBasedStateMachine):
    """One company to which all of it happens."""

    @initialize(first=st.lists(TOGETHER, min_size=2, max_size=5))
    def begin(self, first: list[list[Id]]) -> None:
        """Make it, with a few people in it."""
        shm = Path("/dev/shm")
        self.folder = Path(tempfile.mkdtemp(prefix="erased-", dir=shm if shm.is_dir() else None))
        (self.folder / "sources").mkdir()
        (self.folder / "sources" / "web.yaml").write_text(WEB, "utf-8")
        self.model, self.sent, self.looked = Remembered(), list[Told](), 0
        self.long_ago_ms = (time.time_ns() // 1_000_000) - 90_000_000
        self.open()
        for who in first:
            self.send(who, lately=False, agrees=False)
        self.compacts()

    def open(self) -> None:
        """Open it anew, as another process does."""
        self.company = open_company(self.folder)
        key = open_keys(self.folder, Settings())[0].pseudonyms
        self.numbers = {one: int(digest_identifiers(one[0], [one[1]], key)[0][0]) for one in IDS}
        self.ids = {number: one for one, number in self.numbers.items()}

    def teardown(self) -> None:
        """Finish what was begun, look at everything once more, and clean up."""
        if not hasattr(self, "folder"):
            return
        self.carry_out()
        self.everything_is_as_it_should_be()
        shutil.rmtree(self.folder)
        gc.collect()

    @rule(each=st.lists(st.tuples(TOGETHER, st.booleans(), st.integers(0, 3)), min_size=1, max_size=3))
    def sends(self, each: list[tuple[list[Id], bool, int]]) -> None:
        """Some do something, now or long ago, or agree of their own accord."""
        for who, lately, agrees in each:
            self.send(who, lately, agrees == 0)

    @rule(data=st.data())
    def sends_again(self, data: st.DataObject) -> None:
        """Everything that was ever sent comes again, or a part of it."""
        if self.sent:
            first = data.draw(st.integers(0, len(self.sent) - 1))
            self.deliver(*(told for told in self.sent[first:] if self.model.may_be_delivered_again(told)))

    @precondition(lambda self: self.model.gone())
    @rule(data=st.data(), more=st.sampled_from(["", "device"]))
    def comes_back(self, data: st.DataObject, more: str) -> None:
        """Somebody who was erased agrees anew, goes on, and something of before comes too."""
        self.come_back(data.draw(st.sampled_from(self.model.gone())), more)

    def come_back(self, whom: Id, more: str) -> None:
        """Have somebody agree, and go on."""
        who = [whom, *(one for one in IDS if one[0] == more != whom[0])][:2]
        self.send(who, lately=True, agrees=True)
        self.send([whom], lately=True, agrees=False)
        self.send([whom], lately=False, agrees=False)

    @rule(who=TOGETHER)
    def sends_what_is_unreadable(self, who: list[Id]) -> None:
        """A bad event names somebody; it waits in quarantine."""
        deliver(self.folder, self.company, {**event("Called", dict(who), 0), "timestamp": "never", "event": 7})

    @rule()
    def compacts(self) -> None:
        """What waits is taken over."""
        flow.collect_live(self.company)
        self.model.take_over()

    @rule()
    def replays(self) -> None:
        """What waits in quarantine is put back."""
        flow.replay(self.company)
        self.model.take_over()

    @rule(one=SOMEBODY, other=SOMEBODY, same=st.booleans())
    def rules_on(self, one: Id, other: Id, same: bool) -> None:
        """A person says that two identifiers are one person, or never are."""
        self.decide(one, other, same)

    @rule(data=st.data(), how_far=st.integers(0, 2), more=st.sampled_from(["", "device"]))
    def erases(self, data: st.DataObject, how_far: int, more: str) -> None:
        """Somebody who is there is erased: the first step alone, to the end, or so that they come back after it."""
        whom = data.draw(st.sampled_from(self.known()))
        self.erase(whom)
        if how_far:
            self.carry_out()
        if how_far == 2 and whom in self.model.gone():
            self.come_back(whom, more)
            self.compacts()

    @rule()
    def carry_out(self) -> None:
        """Every erasure that was begun goes on to its end."""
        for one in self.company.know.rights.unfinished():
            flow.finish_erasure(self.company, one.erasure_no, "cli")
            self.model.take_over()
            self.model.finish(one.erasure_no)

    @rule(
        data=st.data(),
        other=SOMEBODY,
        writes=WRITES,
        what=st.sampled_from(["compacts", "erases", "carries out", "rules"]),
        waits=st.booleans(),
    )
    def crashes(self, data: st.DataObject, other: Id, writes: int, what: str, waits: bool) -> None:
        """The process ends in the middle of something, and another one is started."""
        whom = data.draw(st.sampled_from(self.known()))
        if what == "carries out" and not self.company.know.rights.unfinished():
            self.erase(whom)
        acts: dict[str, Callable[[], Any]] = {
            "compacts": lambda: flow.collect_live(self.company),
            "erases": lambda: self.erase(whom),
            "carries out": self.carry_out,
            "rules": lambda: self.decide(whom, other, writes % 2 == 0),
        }
        try:
            with crashing(writes):
                acts[what]()
            ended = True
        except CrashError:
            ended = False
        # What the process held open is closed with it.
        gc.collect()
        self.open()
        self.learn_from_register()
        # An agreement that came while an erasure went on is none: it must not be weighed again when that is over.
        if not waits or ended or any(told.agrees for told in self.model.waiting):
            self.compacts()

    @rule(again=st.booleans())
    def derives(self, again: bool) -> None:
        """What pages show is made anew, in this process or another."""
        if again:
            self.open()
        self.company.know.refresh_derived()
        touches = self.company.know.events_for("improve").tables["touches"]
        held = sum(pq.read_table(path).num_rows for path in touches.paths)
        # An agreement is no touch, and what waits is not published.
        due = sum(not told.agrees for told in self.model.kept.values())
        # While an erasure has only begun people are those last known: who came since is published when it goes on.
        begun = any(not stone.done for stone in self.model.stones.values())
        assert self.model.waiting or held == due or (begun and held < due)

    @precondition(lambda self: not self.model.waiting)
    @invariant()
    def one_of_them_is_shown_right(self) -> None:
        """Who is erased is shown nowhere, from the first step on; who is not is there with all of theirs."""
        self.looked += 1
        one = IDS[self.looked % len(IDS)]
        name = ":".join(one)
        mine = sum(told.strongest == one for told in self.model.kept.values())
        shown = self.company.know.timeline(name, "improve").count
        if self.model.covers(one):
            assert (shown, self.company.know.may(name, "improve").code) == (0, "erased")
        else:
            assert shown >= mine
            assert self.company.know.may(name, "improve").code != "erased"

    @invariant()
    def everything_is_as_it_should_be(self) -> None:
        """No part, edge or key holds who was erased; every event of everybody else is there, once."""
        model, rows = self.model, self.read_parts()
        done = {self.numbers[one] for one, stone in model.stones.items() if stone.done and model.covers(one)}
        assert not done & {subject for subject, _ in rows}
        for (subject, at_ms), count in rows.items():
            assert count == 1
            stone = model.stones.get(self.ids[subject])
            assert stone is None or not stone.done or at_ms >= stone.back_ms
        if not model.waiting:
            due = {(self.numbers[told.strongest], told.at_ms) for told in model.kept.values()}
            covered = {key for key in rows if model.covers(self.ids[key[0]], key[1])}
            assert due == rows.keys() - covered
        state, keys = open_state(self.folder), open_keys(self.folder, Settings())[0]
        try:
            assert not done & set(np.unique(Edges(state, keys).read()[:, 1:]).tolist())
            assert not [number for number in done if Vault(state, keys).read_identifier(number) is not None]
        finally:
            state.close()
            keys.close()

    def known(self) -> list[Id]:
        """Return who is there, or could be."""
        return sorted({one for told in self.model.kept.values() for one in told.who}) or IDS

    def send(self, who: list[Id], lately: bool, agrees: bool) -> None:
        """Have somebody do something, at a moment of its own."""
        time.sleep(0.002)
        at_ms = time.time_ns() // 1_000_000 if lately else self.long_ago_ms + len(self.sent)
        self.sent.append(Told(at_ms, tuple(who), agrees))
        self.deliver(self.sent[-1])
        time.sleep(0.002)

    def deliver(self, *events: Told) -> None:
        """Have the journal accept events."""
        items = []
        for told in events:
            item = event(CHOICE if told.agrees else "Called", dict(told.who), 0)
            seconds, millis = divmod(told.at_ms, 1000)
            item["timestamp"] = time.strftime(f"%Y-%m-%dT%H:%M:%S.{millis:03d}Z", time.gmtime(seconds))
            items.append({**item, "messageId": f"message-{told.at_ms}"})
            if not told.agrees:
                del item["context"]["consent"]
        if items:
            deliver(self.folder, self.company, *items)
            self.model.waiting.extend(events)

    def erase(self, whom: Id) -> None:
        """Take the first step of an erasure."""
        self.compacts()
        with may_be_refused("nobody_found", "device_shared"):
            flow.begin_erasure(self.company, ":".join(whom), "cli")
        self.learn_from_register()

    def decide(self, one: Id, other: Id, same: bool) -> None:
        """Record a decision about two identifiers, where one may be taken."""
        know = self.company.know
        with may_be_refused("unknown_identifier", "not_a_pair", "not_an_account"):
            first, second = (know.find_identifier(":".join(each)) for each in (one, other))
            know.decide("approved" if same else "never_link", first, second, "cli", "as told")

    def learn_from_register(self) -> None:
        """Tell the model of erasures that were begun or ended: whom each erases is for the folding of identities."""
        state, keys = open_state(self.folder), open_keys(self.folder, Settings())[0]
        try:
            known = {stone.erasure_no for stone in self.model.stones.values()}
            for one in Erasures(state, keys).all():
                if one.body is not None and one.erasure_no not in known:
                    whom = {self.ids[number] for number in one.body.pseudonyms}
                    self.model.erase(one.erasure_no, whom, one.asked_ms)
                elif one.is_done:
                    self.model.finish(one.erasure_no)
        finally:
            state.close()
            keys.close()

    def read_parts(self) -> Counter[tuple[int, int]]:
        """Return how often each event stands in parts: its subject and its moment."""
        manifest = Manifest(self.folder)
        try:
            paths = [self.folder / ".parcours" / part.path for part in manifest.parts()]
        finally:
            manifest.close()
        tables = [pq.read_table(path, columns=["subject", "occurred_ms"]) for path in paths]
        return Counter(tuple(row.values()) for table in tables for row in table.to_pylist())


@contextmanager
def may_be_refused(*codes: str) -> Iterator[None]:
    """Let what is inside be refused for one of these reasons."""
    try:
        yield
    except ParcoursError as error:
        if error.code not in codes:
            raise


TestStaysErased = Company.TestCase
TestStaysErased.settings = settings(
    max_examples=EXAMPLES,
    stateful_step_count=STEPS,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    # An example takes a second: to try smaller ones takes minutes.
    phases=[Phase.generate],
    database=None,
)
