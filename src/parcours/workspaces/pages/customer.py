"""One customer: what was lived on both sides of the line, why it is one person, what they allow, where they belong."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from parcours.charts.chart import Chart
from parcours.charts.lifeline import MOST, Moment, draw_lifeline
from parcours.charts.numbers import write_date, write_moment, write_number
from parcours.know import Decision, Deed, Explanation, Membership, Portrait, Thing, Verdict, name_identifier, tell_link
from parcours.words import Language, Words
from parcours.workspaces.bounds import (
    HIDDEN,
    list_masked,
    list_open_work,
    list_promised,
    mask_fields,
    only_promises,
)
from parcours.workspaces.finding import FORM, KINDS
from parcours.workspaces.forms import sign
from parcours.workspaces.frame import Frame, frame_page
from parcours.workspaces.missing import MissingError
from parcours.workspaces.readable import Portrays, Readable, Records
from parcours.workspaces.reasons import ReasonForm, ask_reason, has_reason
from parcours.workspaces.recording import ChoiceForm, ask_choice
from parcours.workspaces.signing_in.asking import may_do, who_asks
from parcours.workspaces.signing_in.told import say_told
from parcours.workspaces.wording import Say, capital

LATEST = 12
"""How many of the latest events are told in words; the picture has more, its table all."""


class Happened(msgspec.Struct, frozen=True, kw_only=True):
    """One event in words."""

    when: str
    behind: bool
    label: str
    where: str
    about: str
    more: str
    waiting: bool


class Allowed(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a purpose may see this customer, and why."""

    purpose: str
    basis: str
    answer: str
    yes: bool
    why: str


class Belongs(msgspec.Struct, frozen=True, kw_only=True):
    """Something that this customer belongs to."""

    layer: str
    key: str
    since: str
    until: str
    lasts: bool


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A customer as far as the reader may see one.

    ``reason`` asks for a reason before anything is told, ``unmask`` for one to see personal data as it is; with
    ``promises`` nothing but what was promised and is still open is told. ``choice`` records what the customer chose.
    """

    profile: str
    reason: ReasonForm | None
    unmask: ReasonForm | None
    masked: bool
    refused: str = ""
    promises: bool = False
    choice: ChoiceForm | None = None
    facts: tuple[tuple[str, str], ...] = ()
    personal: tuple[tuple[str, str], ...] = ()
    chart: Chart | None = None
    drawn: str = ""
    latest: tuple[Happened, ...] = ()
    identifiers: tuple[str, ...] = ()
    proof: tuple[str, ...] = ()
    also: str = ""
    turned_down: tuple[str, ...] = ()
    left_out: str = ""
    allowed: tuple[Allowed, ...] = ()
    belongs: tuple[Belongs, ...] = ()


class CustomerPage(msgspec.Struct, frozen=True, kw_only=True):
    """What the page shows: the field by which a customer is found, and the one who was found."""

    frame: Frame
    said: str
    title: str
    kinds: tuple[tuple[str, str], ...]
    token: str
    shown: Shown | None = None


def read_search(company: Readable, language: Language, done: str = "", proof: str = "") -> CustomerPage:
    """Read the page on which a customer is looked for."""
    said = say_told("customer", done, proof, language)
    return _page(company, language, "customer", Say(language)("customer.title"), said)


def read_customer(company: Readable, language: Language, id: str, done: str = "", proof: str = "") -> CustomerPage:
    """Read one customer, by profile id; an identifier never stands in an address.

    Raises:
        MissingError: There is no such profile (any more): identities may have moved.
    """
    say = Say(language)
    portrait = company.portray(id) if isinstance(company, Portrays) else None
    if portrait is None or not isinstance(company, Portrays):
        raise MissingError("customer.missing")
    thing, back = Thing("profile", id, accounts=_accounts(company, id)), f"customer/{id}"
    title = say("customer.one", profile=id[:8])
    reason = ask_reason("see_customer", thing, back, language) if _needs_reason() else None
    if reason is not None:
        shown = Shown(profile=id, reason=reason, unmask=None, masked=True)
        return _page(company, language, back, title, "", shown)
    _note_look(id)
    said = say_told(back, done, proof, language, "customer")
    unmasked, promises = has_reason("unmask", thing), only_promises(_decision())
    shown = Shown(
        profile=id,
        reason=None,
        unmask=None if unmasked or promises else ask_reason("unmask", thing, back, language),
        masked=not unmasked,
        refused="" if portrait.permitted else _say_refused(company.allowed_of(id), portrait.purpose, say),
        promises=promises,
        choice=ask_choice(company, thing, language) if isinstance(company, Records) else None,
        # Whoever may see a customer need not be who may see what they allow.
        allowed=_write_allowed(company, company.allowed_of(id), language) if may_do("see_consent", thing) else (),
    )
    shown = _with_timeline(shown, company, portrait, unmasked, language)
    if not promises:
        shown = msgspec.structs.replace(
            shown,
            facts=_facts(company, portrait, language),
            personal=_write_personal(company, company.personal_of(id), unmasked, language),
            belongs=_write_belongs(company, portrait.memberships, language),
        )
        shown = _with_proof(shown, company.explain_profile(id, unmasked), language)
    return _page(company, language, back, title, said, shown)


def _say_refused(verdicts: Sequence[Verdict], purpose: str, say: Say) -> str:
    """Say why nothing is shown: who asked for a restriction, or objects and waits for an answer, has not refused."""
    code = next((one.code for one in verdicts if one.purpose == purpose), "refused")
    keys = {"restricted": "customer.restricted", "weighed": "customer.weighed"}
    return say(keys.get(code, "customer.refused"))


def _page(
    company: Readable, language: Language, place: str, title: str, said: str, shown: Shown | None = None
) -> CustomerPage:
    say = Say(language)
    return CustomerPage(
        frame=frame_page(company, language, place, title),
        said=said,
        title=title,
        kinds=tuple((kind, say(f"customer.kind_{kind}")) for kind in KINDS),
        token=sign(FORM),
        shown=shown,
    )


def _needs_reason() -> bool:
    asking = who_asks()
    return asking is not None and (asking.decision is None or asking.decision.needs_reason)


def _note_look(id: str) -> None:
    """Note in the audit log that somebody looks who need not say why; whoever must has been noted with the reason."""
    asking = who_asks()
    if asking is not None and not _needs_reason():
        asking.access.audit.note(asking.actor, "see_customer", "profile", id, "done")


def _decision() -> Decision | None:
    asking = who_asks()
    return asking.decision if asking else None


def _accounts(company: Readable, id: str) -> tuple[str, ...]:
    find = getattr(company, "accounts_of", None)
    return tuple(find(id)) if find else ()


def _facts(company: Readable, portrait: Portrait, language: Language) -> tuple[tuple[str, str], ...]:
    say, zone = Say(language), company.settings.time_zone
    purpose = next(one.label.in_language(language) for one in company.blueprint.purposes if one.id == portrait.purpose)
    facts = [(say("customer.identifiers"), write_number(portrait.identifiers, language))]
    if portrait.first_ms is not None and portrait.last_ms is not None:
        facts.append((say("customer.events"), write_number(portrait.count, language)))
        facts.append((say("customer.since"), write_date(portrait.first_ms, language, zone)))
        facts.append((say("customer.latest"), write_moment(portrait.last_ms, language, zone)))
    return (*facts, (say("customer.purpose"), purpose))


def _write_personal(
    company: Readable, values: dict[str, str], unmasked: bool, language: Language
) -> tuple[tuple[str, str], ...]:
    labels = {field.id: field.label or Words(field.id, field.id) for field in company.blueprint.fields}
    return tuple(
        (capital(labels[name].in_language(language).replace("_", " ")), value if unmasked else _mask(value))
        for name, value in values.items()
        if name in labels
    )


def _mask(value: str) -> str:
    return value[:1] + HIDDEN


def _with_timeline(shown: Shown, company: Readable, portrait: Portrait, unmasked: bool, language: Language) -> Shown:
    say, zone = Say(language), company.settings.time_zone
    masked = frozenset() if unmasked else list_masked(company.blueprint)
    seen = list_promised(company.blueprint) | list_open_work(company.blueprint)
    deeds = [deed for deed in portrait.deeds if not shown.promises or {deed.touchpoint, deed.operation} & seen]
    if not deeds:
        return shown
    moments = [_write_moment(company, deed, masked, language) for deed in deeds]
    latest = tuple(
        Happened(
            when=write_moment(deed.occurred_ms, language, zone),
            behind=deed.behind,
            label=moment.label,
            where=moment.lane,
            about=", ".join(moment.ties),
            more=moment.more,
            waiting=deed.waiting,
        )
        for deed, moment in zip(deeds[:LATEST], moments, strict=False)
    )
    drawn = say("customer.drawn", count=MOST) if len(deeds) > MOST else ""
    chart = draw_lifeline(say("customer.timeline"), moments, language, zone)
    return msgspec.structs.replace(shown, chart=chart, drawn=drawn, latest=latest)


def _write_moment(company: Readable, deed: Deed, masked: frozenset[str], language: Language) -> Moment:
    say = Say(language)
    channel = next((one.channel for one in company.blueprint.touchpoints if one.id == deed.touchpoint), "")

    def name(id: str | None, other: str) -> str:
        return company.labels[id].in_language(language) if id and id in company.labels else other

    if deed.behind:
        lane, label = name(deed.operation, say("customer.other_work")), deed.name
    else:
        lane, label = name(channel, say("customer.other_channel")), name(deed.touchpoint, deed.name)
    told = [
        (field.replace("_", " "), _say_value(value, language))
        for field, value in mask_fields(deed.fields, masked).items()
    ]
    return Moment(
        at_ms=deed.occurred_ms,
        behind=deed.behind,
        lane=lane,
        label=label,
        ties=tuple(f"{_name_object(kind, say)} {number}" for kind, number in deed.objects),
        more=", ".join(f"{field}{say('customer.colon')}{value}" for field, value in told),
    )


def _name_object(kind: str, say: Say) -> str:
    key = f"customer.object_{kind}"
    return say(key) if say.has(key) else kind.replace("_", " ")


def _say_value(value: str | float, language: Language) -> str:
    if isinstance(value, str):
        return value
    return write_number(value, language, 0 if float(value).is_integer() else 2)


def _with_proof(shown: Shown, told: Explanation | None, language: Language) -> Shown:
    if told is None:
        return shown
    say = Say(language)
    return msgspec.structs.replace(
        shown,
        identifiers=tuple(
            capital(name_identifier(one).in_language(language)) for one in told.identifiers[: told.count]
        ),
        proof=tuple(capital(tell_link(told, link).in_language(language)) for link in told.proof),
        also=say.count("customer.also", told.also) if told.also else "",
        turned_down=tuple(capital(tell_link(told, link).in_language(language)) for link in told.turned_down),
        left_out=say.count("customer.left_out", told.left_out) if told.left_out else "",
    )


def _write_allowed(company: Readable, verdicts: Sequence[Verdict], language: Language) -> tuple[Allowed, ...]:
    say = Say(language)
    labels = {purpose.id: purpose.label.in_language(language) for purpose in company.blueprint.purposes}
    return tuple(
        Allowed(
            purpose=labels.get(one.purpose, one.purpose),
            basis=say(f"customer.basis_{one.basis}"),
            answer=say("customer.yes") if one.allowed else say("customer.no"),
            yes=one.allowed,
            why=one.reason.in_language(language),
        )
        for one in verdicts
    )


def _write_belongs(company: Readable, memberships: Sequence[Membership], language: Language) -> tuple[Belongs, ...]:
    zone = company.settings.time_zone
    labels = {layer.id: layer.label.in_language(language) for layer in company.blueprint.layers}
    return tuple(
        Belongs(
            layer=labels.get(one.layer, one.layer),
            key=f"{one.key:016x}"[:8],
            since=write_date(one.first_ms, language, zone),
            until=write_date(one.last_ms, language, zone),
            lasts=one.lasts,
        )
        for one in memberships
    )
