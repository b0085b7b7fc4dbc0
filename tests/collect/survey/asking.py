"""What the tests of surveys share: the retail blueprint, a clock that is moved by hand, a desk, links and forms."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode

import msgspec

from parcours.blueprint import read_blueprint
from parcours.blueprint.records import Blueprint
from parcours.collect.journal.delivery import Delivery
from parcours.collect.survey.desk import SurveyDesk, UnavailableError, Wish
from parcours.collect.survey.invitations import Inviter
from parcours.collect.survey.links import derive_keys
from parcours.collect.survey.register import Register

RETAIL = Path(__file__).parents[3] / "examples" / "retail"
KEY = bytes(range(32))
KEYS = derive_keys(KEY)
NOW_MS = 1_790_000_012_345
MINUTE_MS, DAY_MS = 60_000, 86_400_000
WISH = Wish(None, "fr")
T = TypeVar("T")
FORM = "application/x-www-form-urlencoded"


def await_it(coroutine: Coroutine[Any, Any, T]) -> T:
    """Return what ``coroutine`` gives, from a thread of its own: a browser test may have left a loop in this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, coroutine).result()


class Clock:
    """The present, moved by hand."""

    def __init__(self) -> None:
        self.now_ms = NOW_MS

    def __call__(self) -> int:
        return self.now_ms


class Desk(SurveyDesk):
    """The real desk, with what it delivered at hand; ``fail`` says how the journal behaves."""

    def __init__(self, folder: Path, blueprint: Blueprint | None = None, **options: Any) -> None:
        self.clock = Clock()
        self.delivered: list[Delivery] = []
        self.fail = ""
        self.register = Register(folder, KEYS.register)

        async def accept(delivery: Delivery) -> None:
            if self.fail == "before":
                raise UnavailableError
            self.delivered.append(delivery)
            if self.fail == "after":
                raise UnavailableError

        super().__init__(blueprint or read_retail(), KEY, accept, self.register, self.clock, **options)

    @property
    def events(self) -> list[dict[str, Any]]:
        """The bodies of what was delivered."""
        return [json.loads(delivery.body) for delivery in self.delivered]


def read_retail() -> Blueprint:
    """Return the blueprint of the retail example."""
    return read_blueprint(RETAIL)


def change_purposes(blueprint: Blueprint, **bases: Any) -> Blueprint:
    """Return ``blueprint`` with the legal basis of some purposes changed, all of them covering every measure."""
    purposes = tuple(
        msgspec.structs.replace(purpose, basis=bases.get(purpose.id, purpose.basis), measures=("all",))
        for purpose in blueprint.purposes
    )
    return msgspec.structs.replace(blueprint, purposes=purposes)


def make_inviter(touchpoint: str = "delivery", blueprint: Blueprint | None = None, **options: Any) -> Inviter:
    """Return what makes links about ``touchpoint``."""
    chosen = {"public_url": "http://127.0.0.1:8601", "days": 30, "language": "fr", "now_ms": NOW_MS} | options
    return Inviter(blueprint or read_retail(), touchpoint, KEYS, **chosen)


def make_token(
    touchpoint: str = "delivery", user: str = "C-1042", objects: dict[str, str] | None = None, **options: Any
) -> str:
    """Return the token of a link; about order O-1 where nothing else is said."""
    about = {"order": "O-1"} if objects is None else objects
    return make_inviter(touchpoint, **options).invite({"user": user}, about).rpartition("/")[2]


def write_form(score: object = None, comment: str = "", agree: tuple[str, ...] = ()) -> bytes:
    """Return the body that a browser sends."""
    pairs = [] if score is None else [("score", str(score))]
    pairs += [("comment", comment), *(("agree", purpose) for purpose in agree)]
    return urlencode(pairs).encode()
