"""Consent as the page's tests read it: fixed numbers of a firm that is none."""

from __future__ import annotations

import time

from parcours.know import ConsentOverview, Counts, Coverage, LedgerLine, Request
from parcours.know.consent.contexts import Context
from parcours.know.consents import LedgerState, NoticeUse

DAY_MS = 86_400_000
NOW_MS = 1_772_359_200_000
HEAD = "4bd2a48ff5258fb0" * 4
BANNER = Context(
    tenant="firm",
    purpose="personalise",
    basis="consent",
    source="customers",
    notice="banner",
    notice_version="3",
    language="fr",
)


def make_counts(n: int, share: float) -> Counts:
    """Return counts of ``n`` customers of whom such a share consented."""
    granted, denied, withdrawn, expired = int(n * share), int(n * 0.2), int(n * 0.05), int(n * 0.03)
    restricted = n // 1000
    silent = n - granted - denied - withdrawn - expired - restricted
    return Counts(
        n=n,
        allowed=granted,
        granted=granted,
        denied=denied,
        withdrawn=withdrawn,
        expired=expired,
        silent=silent,
        restricted=restricted,
    )


def make_overview(channels: tuple[str, ...], purposes: tuple[tuple[str, str], ...]) -> ConsentOverview:
    """Return how consent stands over ``channels``, for ``purposes`` (id and basis)."""
    coverage = tuple(
        Coverage(
            purpose=purpose,
            basis=basis,  # type: ignore[arg-type]
            whole=make_counts(41_250, 0.31)
            if basis == "consent"
            else Counts(n=41_250, allowed=41_000, denied=247, silent=41_000, restricted=3),
            channels={
                channel: make_counts(9000 - 900 * place, 0.5 - 0.06 * place) for place, channel in enumerate(channels)
            },
            sources={"customers": make_counts(30_112, 0.5), "parcours": make_counts(312, 0.6)}
            if basis == "consent"
            else {},
        )
        for purpose, basis in purposes
    )
    lines = tuple(
        LedgerLine(
            entry_no=60_204 - number,
            state=("granted", "denied", "withdrawn", "erased")[number % 4],  # type: ignore[arg-type]
            purpose="" if number % 4 == 3 else purposes[-1][0],
            principal=None if number % 4 == 3 else 0x3C8330A1D3530E39 + number,
            made_ms=NOW_MS,
            occurred_ms=NOW_MS,
            recorded_ms=NOW_MS - number * 60_000,
            event_no=-1,
            erased_no=77 if number % 4 == 3 else None,
            context=None if number % 4 == 3 else BANNER,
        )
        for number in range(8)
    )
    ledger = LedgerState(
        lines=60_204, erased=12, head=HEAD, checked_ms=NOW_MS, proofs=4, proofs_until_ms=NOW_MS + 1800 * DAY_MS
    )
    notices = (
        NoticeUse(
            notice="banner",
            version="3",
            language="fr",
            interface="ab" * 32,
            screenshot="proofs/banner-3-fr.png",
            choices=28_114,
        ),
        NoticeUse(notice="banner", version="2", language="fr", interface="", screenshot="", choices=1998),
    )
    return ConsentOverview(coverage=coverage, ledger=ledger, changes=lines, notices=notices, met_ms=NOW_MS)


def make_requests() -> tuple[Request, ...]:
    """Return three requests: one late, one due soon, one answered."""
    now_ms = time.time_ns() // 1_000_000

    def request(number: int, kind: str, state: str, left_days: int, extended: bool = False) -> Request:
        received_ms, due_ms = now_ms + (left_days - 30) * DAY_MS, now_ms + left_days * DAY_MS + DAY_MS // 2
        return Request(
            number=number,
            kind=kind,  # type: ignore[arg-type]
            state=state,  # type: ignore[arg-type]
            received_ms=received_ms,
            due_ms=due_ms,
            extended=extended,
            identity="",
            channel="page",
            closed_ms=now_ms if state == "done" else 0,
            erasure_no=0,
            outside="",
            callbacks=(),
        )

    return (
        request(4, "access", "received", 12, extended=True),
        request(3, "erasure", "checked", -3),
        request(2, "portability", "done", 5),
    )
