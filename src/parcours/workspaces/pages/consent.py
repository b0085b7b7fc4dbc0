"""Consent: how much of each purpose is covered and where, how the ledger stands, notices, requests and deadlines."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Sequence

import msgspec

from parcours.charts.chart import Chart
from parcours.charts.coverage import CoverageBar, draw_coverage
from parcours.charts.numbers import MISSING, write_date, write_moment, write_number, write_share
from parcours.charts.table import Cell, draw_table
from parcours.know import ConsentOverview, Counts, Coverage, LedgerLine, Request
from parcours.words import Language
from parcours.workspaces.frame import Frame, frame_page
from parcours.workspaces.readable import Consenting, Readable
from parcours.workspaces.signing_in.asking import may_do
from parcours.workspaces.wording import Say

DAY_MS = 86_400_000
HEAD_LETTERS = 16
SOON_DAYS = 7
FEWEST = 30
"""Customers from which a channel is named as the one with the lowest share."""


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One figure of the first ten seconds, and what it rests on; ``alarm`` where it needs a look."""

    name: str
    figure: str
    rests: str
    href: str = ""
    alarm: bool = False


class Purpose(msgspec.Struct, frozen=True, kw_only=True):
    """A purpose that rests on consent: its figure, its picture by channel, and where its choices came from."""

    id: str
    label: str
    says: str
    chart: Chart
    sources: str


class ConsentPage(msgspec.Struct, frozen=True, kw_only=True):
    """What the page of consent shows; ``kept_back`` says what this reader's role does not get to see."""

    frame: Frame
    headline: str
    lede: str
    kept_back: str
    glance: tuple[Figure, ...]
    purposes: tuple[Purpose, ...]
    others: str
    chain: tuple[tuple[str, str], ...]
    chain_head: str
    lines: str
    notices: str
    requests: str
    requests_say: str
    counted: str


def read_consent(company: Readable, language: Language) -> ConsentPage:
    """Read how consent stands, in figures of the whole company."""
    say, zone = Say(language), company.settings.time_zone
    frame = frame_page(company, language, "consent", say("consent.title"))
    if not isinstance(company, Consenting):
        return _empty(frame, say("consent.nothing_headline"), say("consent.nothing_says"))
    overview, requests = company.consent_overview(), company.requests()
    now_ms = time.time_ns() // 1_000_000
    asked = [one for one in overview.coverage if one.basis == "consent"]
    headline, lede = say_coverage(company, asked, language)
    lines = draw_lines(company, overview.changes, language, zone) if may_do("see_customer") else ""
    return ConsentPage(
        frame=frame,
        headline=headline,
        lede=lede,
        kept_back="" if may_do("see_customer") else say("consent.kept_back"),
        glance=tuple(_read_glance(company, overview, requests, now_ms, language)),
        purposes=tuple(_show_purpose(company, one, language) for one in asked),
        others=_draw_others(company, [one for one in overview.coverage if one.basis != "consent"], language),
        chain=tuple(_read_chain(overview, language, zone)),
        chain_head=overview.ledger.head,
        lines=lines,
        notices=_draw_notices(overview, language),
        requests=draw_requests(requests, now_ms, language, zone, company.restrictions_in_force()),
        requests_say=_say_requests(requests, now_ms, language),
        counted=say("consent.counted", moment=write_moment(overview.met_ms, language, zone)),
    )


def say_coverage(company: Readable, asked: Sequence[Coverage], language: Language) -> tuple[str, str]:
    """Say the one thing to know of consent, and what stands behind it: the purpose that the fewest allow."""
    say = Say(language)
    known = [one for one in asked if one.whole.n]
    if not known:
        key = "consent.nobody" if asked else "consent.no_purpose"
        return say(f"{key}_headline"), say(f"{key}_says")
    least = min(known, key=lambda one: one.whole.allowed / one.whole.n)
    whole = least.whole
    headline = say(
        "consent.headline",
        share=write_share(whole.share, language),
        n=write_number(whole.n, language),
        purpose=_label(company, "purpose", least.purpose, language),
    )
    unseen = whole.n - whole.allowed
    lede = say(
        "consent.lede",
        unseen=write_number(unseen, language),
        silent=write_number(whole.silent, language),
        refused=write_number(whole.denied + whole.withdrawn, language),
    )
    lede += _say_rest(whole, say)
    met = {channel: counts for channel, counts in least.channels.items() if counts.n >= FEWEST}
    if len(met) > 1:
        channel, counts = min(met.items(), key=lambda one: (one[1].share or 0.0, one[0]))
        lede += " " + say(
            "consent.lowest",
            channel=_label(company, "channel", channel, language),
            share=write_share(counts.share, language),
            n=write_number(counts.n, language),
        )
    return headline, lede


def _read_glance(
    company: Readable, overview: ConsentOverview, requests: Sequence[Request], now_ms: int, language: Language
) -> Iterator[Figure]:
    say = Say(language)
    ledger = overview.ledger
    for one in overview.coverage:
        if one.basis == "consent" and one.whole.n:
            yield Figure(
                name=_label(company, "purpose", one.purpose, language),
                figure=write_share(one.whole.share, language),
                rests=say(
                    "consent.glance_rests",
                    allowed=write_number(one.whole.allowed, language),
                    n=write_number(one.whole.n, language),
                ),
                href=f"#purpose-{one.purpose}",
            )
    yield Figure(
        name=say("consent.glance_ledger"),
        figure=say.count("consent.glance_lines", ledger.lines),
        rests=say("consent.glance_sound", moment=write_moment(ledger.checked_ms, language, company.settings.time_zone)),
        href="#ledger",
    )
    waiting = sorted(one.due_ms for one in requests if one.is_open)
    late = sum(due_ms < now_ms for due_ms in waiting)
    rests = say("consent.glance_no_request")
    if waiting:
        first = write_date(waiting[0], language, company.settings.time_zone)
        rests = say.count("consent.glance_late", late) if late else say("consent.glance_due", day=first)
    yield Figure(
        name=say("consent.glance_requests"),
        figure=write_number(len(waiting), language),
        rests=rests,
        href="#requests",
        alarm=bool(waiting) and waiting[0] < now_ms + SOON_DAYS * DAY_MS,
    )


def _show_purpose(company: Readable, one: Coverage, language: Language) -> Purpose:
    say, label = Say(language), _label(company, "purpose", one.purpose, language)
    channels = sorted(one.channels.items(), key=lambda channel: -channel[1].n)
    bars = [_bar(say("consent.all"), one.whole)]
    bars += [_bar(_label(company, "channel", channel, language), counts) for channel, counts in channels]
    whole = one.whole
    return Purpose(
        id=one.purpose,
        label=label,
        says=say(
            "consent.purpose_says",
            granted=write_number(whole.granted, language),
            refused=write_number(whole.denied, language),
            withdrawn=write_number(whole.withdrawn, language),
        )
        + _say_rest(whole, say),
        chart=draw_coverage(say("consent.chart", purpose=label), say("consent.channel"), bars, language),
        sources=_draw_sources(one, language),
    )


def _say_rest(whole: Counts, say: Say) -> str:
    """Say whose consent has expired and whose data are not used as they asked, where there are any."""
    told = (("consent.expired", whole.expired), ("consent.restricted", whole.restricted))
    return "".join(f" {say.count(key, count)}" for key, count in told if count)


def _bar(label: str, counts: Counts) -> CoverageBar:
    """Return a bar of those who are seen and those who are not, by why."""
    return CoverageBar(
        label=label,
        n=counts.n,
        allowed=counts.allowed,
        silent=counts.silent,
        expired=counts.expired,
        refused=counts.denied,
        withdrawn=counts.withdrawn,
        restricted=counts.restricted,
    )


def _draw_sources(one: Coverage, language: Language) -> str:
    say = Say(language)
    names = ("source", "choices", "granted", "denied", "withdrawn", "expired")
    rows = []
    for source, counts in sorted(one.sources.items(), key=lambda source: -source[1].n):
        name = say("consent.told_to_us") if source == "parcours" else source
        figures = (counts.n, counts.granted, counts.denied, counts.withdrawn, counts.expired)
        rows.append([Cell(name), *(Cell(write_number(count, language), number=True) for count in figures)])
    headings = [Cell(say(f"consent.column_{name}"), number=name != "source") for name in names]
    return draw_table(say("consent.sources_table"), headings, rows) if rows else ""


def _draw_others(company: Readable, others: Sequence[Coverage], language: Language) -> str:
    """Draw the purposes that rest on another basis: they hold until somebody objects."""
    say = Say(language)
    names = ("purpose", "basis", "share", "allowed", "objected", "restricted", "n")
    rows = []
    for one in others:
        share = write_share(one.whole.share, language, 1) if one.whole.n else MISSING
        objected = one.whole.denied + one.whole.withdrawn + one.whole.expired
        counts = (one.whole.allowed, objected, one.whole.restricted, one.whole.n)
        figures = [share, *(write_number(count, language) for count in counts)]
        label, basis = _label(company, "purpose", one.purpose, language), say(f"consent.basis_{one.basis}")
        rows.append([Cell(label), Cell(basis), *(Cell(figure, number=True) for figure in figures)])
    headings = [Cell(say(f"consent.column_{name}"), number=name not in ("purpose", "basis")) for name in names]
    return draw_table(say("consent.others_table"), headings, rows) if rows else ""


def _read_chain(overview: ConsentOverview, language: Language, zone: str) -> Iterator[tuple[str, str]]:
    say, ledger = Say(language), overview.ledger
    yield say("consent.chain_lines"), write_number(ledger.lines, language)
    yield say("consent.chain_erased"), write_number(ledger.erased, language)
    yield say("consent.chain_checked"), write_moment(ledger.checked_ms, language, zone)
    if ledger.proofs and ledger.proofs_until_ms is not None:
        count, until = write_number(ledger.proofs, language), write_date(ledger.proofs_until_ms, language, zone)
        yield say("consent.chain_proofs"), say("consent.chain_proofs_until", count=count, until=until)


def draw_lines(company: Readable, lines: Sequence[LedgerLine], language: Language, zone: str) -> str:
    """Draw the latest lines of the ledger, under pseudonyms."""
    say = Say(language)
    names = ("line", "recorded", "who", "purpose", "state", "source", "notice")
    rows = []
    for line in lines:
        number, recorded = write_number(line.entry_no, language), write_moment(line.recorded_ms, language, zone)
        if line.erased_no is not None:
            told = say("consent.erased_line", line=write_number(line.erased_no, language))
            rows.append([Cell(number), Cell(recorded), Cell(MISSING), Cell(MISSING), Cell(told), *[Cell(MISSING)] * 2])
            continue
        context = line.context
        source = context.source if context else MISSING
        if context and context.actor != "client":
            source = say("consent.by", actor=context.actor)
        notice = (
            f"{context.notice}@{context.notice_version}/{context.language}" if context and context.notice else MISSING
        )
        purpose = _label(company, "purpose", line.purpose, language) if line.purpose else MISSING
        cells = (recorded, f"{line.principal:016x}", purpose, say(f"consent.state_{line.state}"), source, notice)
        rows.append([Cell(number), *map(Cell, cells)])
    headings = [Cell(say(f"consent.column_{name}")) for name in names]
    return draw_table(say("consent.lines_table"), headings, rows) if rows else ""


def _draw_notices(overview: ConsentOverview, language: Language) -> str:
    say = Say(language)
    names = ("notice", "version", "language", "interface", "screenshot", "choices")
    rows = []
    for one in overview.notices:
        hashed = f"{one.interface[:12]}…" if one.interface else say("consent.no_proof")
        texts = (one.version, one.language, hashed, one.screenshot or say("consent.no_proof"))
        rows.append([Cell(one.notice), *map(Cell, texts), Cell(write_number(one.choices, language), number=True)])
    headings = [Cell(say(f"consent.column_{name}"), number=name == "choices") for name in names]
    return draw_table(say("consent.notices_table"), headings, rows) if rows else ""


def draw_requests(
    requests: Sequence[Request], now_ms: int, language: Language, zone: str, in_force: Collection[int] = ()
) -> str:
    """Draw the requests that wait for an answer, the first due first, and those that restrict a use (``in_force``)."""
    say = Say(language)
    names = ("request", "kind", "received", "due", "left", "step")
    rows = []
    for one in sorted((one for one in requests if one.is_open), key=lambda one: (one.due_ms, one.number)):
        days = one.days_left(now_ms)
        left = say.count("consent.days_late", -days) if days < 0 else say.count("consent.days_left", days)
        due = write_date(one.due_ms, language, zone) + (f" ({say('consent.extended')})" if one.extended else "")
        cells = (
            say(f"consent.kind_{one.kind}"),
            write_date(one.received_ms, language, zone),
            due,
            left,
            say("consent.step_weighed" if one.number in in_force else f"consent.step_{one.state}"),
        )
        rows.append([Cell(write_number(one.number, language)), *map(Cell, cells)])
    for one in (one for one in requests if not one.is_open and one.number in in_force):
        received = write_date(one.received_ms, language, zone)
        cells = (say(f"consent.kind_{one.kind}"), received, MISSING, MISSING, say("consent.step_in_force"))
        rows.append([Cell(write_number(one.number, language)), *map(Cell, cells)])
    headings = [Cell(say(f"consent.column_{name}")) for name in names]
    return draw_table(say("consent.requests_table"), headings, rows) if rows else ""


def _say_requests(requests: Sequence[Request], now_ms: int, language: Language) -> str:
    say = Say(language)
    waiting = [one for one in requests if one.is_open]
    late = [one for one in waiting if one.due_ms < now_ms]
    told = [say.count("consent.waiting", len(waiting)) if waiting else say("consent.no_request")]
    if late:
        told.append(say.count("consent.late", len(late)))
    done = [one for one in requests if not one.is_open]
    if done:
        in_time = sum(one.closed_ms <= one.due_ms for one in done)
        told.append(say.count("consent.answered", len(done), share=write_share(in_time / len(done), language)))
    return " ".join(told)


def _label(company: Readable, kind: str, id: str, language: Language) -> str:
    words = company.labels.get(f"{kind}:{id}", company.labels.get(id))
    return words.in_language(language) if words else id


def _empty(frame: Frame, headline: str, lede: str) -> ConsentPage:
    return ConsentPage(
        frame=frame,
        headline=headline,
        lede=lede,
        kept_back="",
        glance=(),
        purposes=(),
        others="",
        chain=(),
        chain_head="",
        lines="",
        notices="",
        requests="",
        requests_say="",
        counted="",
    )
