"""The service blueprint as frozen records: what the company promises, on both sides of the line of visibility."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Literal, TypeVar

import msgspec

from parcours.words import Words

ChannelKind = Literal["human", "digital"]
Metric = Literal["csat", "nps", "ces"]
Basis = Literal[
    "consent",
    "contract",
    "legal_obligation",
    "vital_interest",
    "public_task",
    "legitimate_interest",
]
Period = Literal["day", "week", "month"]
Line = Literal["backstage", "support"]
ConsentSignal = Literal["ad_storage", "ad_user_data", "ad_personalization", "analytics_storage"]
IdentifierType = Literal["user", "mail", "phone", "device"]
FieldKind = Literal["number", "category", "text", "personal"]
"""What a property is; the last two are sealed in the vault, and parts hold neither."""

FieldClass = Literal["ordinary", "personal", "sensitive"]

Compared = Literal["name", "date", "postcode", "place", "mail", "phone", "code"]
"""How two values of a field are compared: which small differences still speak for the same person."""

MEASURES = ("experience", "journey", "transitions", "funnel", "causes", "stakes", "promises")
"""The measures that a purpose may cover; `parcours.measure` computes exactly these."""

READINGS = (*MEASURES, "export", "timeline")
"""What rows may be read for: the measures, taking the log out of the house, and looking at one customer."""

T = TypeVar("T", "Touchpoint", "Operation")


class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What every record of the blueprint shares: frozen, and strict about what it may hold."""


class Company(Record, frozen=True, kw_only=True):
    """Whose blueprint it is; ``synthetic`` labels a simulated firm wherever it is shown."""

    id: str
    label: Words
    synthetic: bool = False


class Stage(Record, frozen=True, kw_only=True):
    """A stage of the customer's life, in order from idea to advocacy.

    ``deadline_ms`` (YAML: ``deadline: 30d``) is how long a customer may stay without moving on before the
    journey counts as left; without one nobody is ever counted as left.
    """

    id: str
    label: Words
    deadline_ms: int | None = None


class Channel(Record, frozen=True, kw_only=True):
    """Where people meet the company; ``kind`` is human or digital."""

    id: str
    label: Words
    kind: ChannelKind


class Team(Record, frozen=True, kw_only=True):
    """Who owns a touchpoint or an operation."""

    id: str
    label: Words


class EventMatch(Record, frozen=True, kw_only=True):
    """An event by its name, narrowed by the values that some category fields must have."""

    name: str
    where: dict[str, tuple[str, ...]] = {}


class Experience(Record, frozen=True, kw_only=True):
    """How customers score a touchpoint: the event that carries the answer, its field and scale.

    ``satisfied_from`` is the lowest score that counts as satisfied (CSAT's top box). ``tie`` is the object type
    (order, ticket …) that says which touch an answer speaks of; without one it is the customer's latest touch
    there within ``within_ms`` before the answer. ``text`` is the field of the free comment.
    """

    metric: Metric
    event: EventMatch
    field: str
    scale: tuple[float, float]
    satisfied_from: float | None = None
    tie: str | None = None
    within_ms: int = 30 * 86_400_000
    text: str | None = None


class Promise(Record, frozen=True, kw_only=True):
    """What a touchpoint promises: ``metric`` is ``experience`` or an operation's id, with its bound."""

    label: Words
    metric: str
    at_least: float | None = None
    at_most: float | None = None


class Touchpoint(Record, frozen=True, kw_only=True):
    """A meeting of customer and company, in front of the line of visibility.

    ``once_per`` is an object type: the events here of one customer and one such object (the lines of a receipt) are
    one touch, at the earliest of them, which is worth what all of them are.
    """

    id: str
    label: Words
    stage: str
    channel: str
    owner: str
    events: tuple[EventMatch, ...]
    promise: Promise | None = None
    experience: Experience | None = None
    once_per: str | None = None
    evidence: Words | None = None
    examples: dict[str, tuple[str, ...]] = {}


class OperationMeasure(Record, frozen=True, kw_only=True):
    """What one event of an operation is worth, in its natural unit.

    Exactly one of: ``field`` (a number on the event), ``bad`` (share of events whose category ``field`` is one
    of these values, 0/1 each), ``until`` (hours or ``unit`` from the operation's event to this one, paired by
    the object ``tie``) or ``count`` (events per panel cell). ``worse`` says which direction hurts.
    """

    unit: str
    label: Words | None = None
    field: str | None = None
    bad: tuple[str, ...] = ()
    until: EventMatch | None = None
    tie: str | None = None
    count: bool = False
    worse: Literal["high", "low"] = "high"


class Operation(Record, frozen=True, kw_only=True):
    """Work behind the line of visibility; ``supports`` names touchpoints, ``follows`` upstream operations."""

    id: str
    label: Words
    owner: str
    system: str | None = None
    line: Line = "backstage"
    events: tuple[EventMatch, ...] = ()
    measure: OperationMeasure
    supports: tuple[str, ...] = ()
    follows: tuple[str, ...] = ()


class Panel(Record, frozen=True, kw_only=True):
    """How causes are compared: inside a site and a period; without a site, the period alone."""

    site: str | None = None
    period: Period = "week"


class Money(Record, frozen=True, kw_only=True):
    """Which event carries revenue, in which field and currency (amounts in currency units)."""

    event: EventMatch
    field: str
    currency: str


class Signals(Record, frozen=True, kw_only=True):
    """What people's choices about a purpose are read from; all that an event states must grant it.

    ``tcf`` are purposes of the IAB's Transparency and Consent Framework, for the vendor ``tcf_vendor`` or, without one,
    for the publisher. ``consent_mode`` are signals of Google Consent Mode v2. ``segment`` are categories of Segment's
    consent object; without any the purpose's own id is one.
    """

    tcf: tuple[int, ...] = ()
    tcf_vendor: int | None = None
    consent_mode: tuple[ConsentSignal, ...] = ()
    segment: tuple[str, ...] = ()


class Purpose(Record, frozen=True, kw_only=True):
    """Why rows may be read: a legal basis (GDPR art. 6) and the measures it covers (``all`` for every one).

    Raise ``version`` when what the purpose means to people changes: it then begins anew, with nobody's consent. Where
    there are ``expires_days``, a consent that was made longer ago counts as refused. Against one that is direct
    ``marketing`` an objection always holds (art. 21(2) and (3)); against others it is weighed.
    """

    id: str
    label: Words
    basis: Basis
    measures: tuple[str, ...] = ("all",)
    retention_days: int | None = None
    version: int = 1
    expires_days: int | None = None
    signals: Signals | None = None
    marketing: bool = False


class Notice(Record, frozen=True, kw_only=True):
    """What people were shown when they chose: one record a version and language.

    ``since`` is the day from which it was shown (UTC). ``interface`` is the SHA-256 of the interface's code and
    ``screenshot`` says where its picture is kept: the proof that the CNIL asks for. Without ``purposes`` or ``sources``
    it is shown for all of them. ``categories`` are the kinds of data that it names, ``storage`` where it says they lie.
    """

    id: str
    version: str
    language: str
    since: str
    interface: str = ""
    screenshot: str = ""
    purposes: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    controllers: tuple[str, ...] = ()
    recipients: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    storage: str = ""

    def since_ms(self) -> int:
        """Return the first millisecond of ``since``; `ValueError` where that is no date."""
        day = datetime.strptime(self.since, "%Y-%m-%d").replace(tzinfo=UTC)
        return int(day.timestamp()) * 1000


class Group(Record, frozen=True, kw_only=True):
    """A split of customers by the latest value of a category field."""

    id: str
    label: Words
    field: str


class Field(Record, frozen=True, kw_only=True):
    """A property that is kept: beyond those that are named elsewhere, or one of those, to say more of it.

    ``purposes`` are those it may be read for (by default all), ``class_`` (YAML: ``class``) how much it says of a
    person, ``retention_days`` how long its values are kept where that is shorter than for the whole event.
    """

    id: str
    kind: FieldKind
    label: Words | None = None
    purposes: tuple[str, ...] = ()
    class_: FieldClass = "ordinary"
    retention_days: int | None = None


class Comparison(Record, frozen=True, kw_only=True):
    """A field whose values are compared: a personal one, or ``mail`` or ``phone`` for those identifiers themselves."""

    field: str
    compare: Compared


class Link(Record, frozen=True, kw_only=True):
    """How people are found who are probably one: which values are compared, for which purpose, and what then counts.

    ``block`` lists groups of fields: only people who have all values of one group in common are compared at all;
    without it the groups are chosen from the data. ``accept`` and ``review`` are match probabilities below 1, match
    weights in bits from 1 on: from ``accept`` on a pair counts, from ``review`` on a person decides. ``every_ms``
    (YAML: ``every: 1d``) is how often `serve` does it; without it nobody does unless asked.
    """

    purpose: str
    compare: tuple[Comparison, ...]
    block: tuple[tuple[str, ...], ...] = ()
    accept: float = 0.9999
    review: float = 0.9
    every_ms: int | None = None

    def weights(self) -> tuple[float, float]:
        """Return ``accept`` and ``review`` as match weights in bits: log2 of the odds that two are one person."""
        return _bits(self.accept), _bits(self.review)


class Layer(Record, frozen=True, kw_only=True):
    """What people belong to together, such as a household or a company: never a reason to take them for one person.

    ``object`` is the type of the objects that stand for it on events. With ``same``, personal fields whose equal values
    make the object where an event names none.
    """

    id: str
    label: Words
    object: str
    same: tuple[str, ...] = ()


class Retained(Record, frozen=True, kw_only=True):
    """What the law keeps when somebody is erased (GDPR art. 17(3)): events, for how many years and on which ground.

    They leave what measures read and are sealed apart; of their properties and objects all are kept, or ``fields``.
    """

    id: str
    label: Words
    events: tuple[str, ...]
    basis: Literal["legal_obligation", "public_task", "legal_claims"]
    years: int
    fields: tuple[str, ...] = ()


class Step(Record, frozen=True, kw_only=True):
    """A node of the designed journey; exactly one field is set (`touchpoint` is the leaf)."""

    touchpoint: str | None = None
    sequence: tuple[Step, ...] = ()
    choice: tuple[Step, ...] = ()
    parallel: tuple[Step, ...] = ()
    optional: Step | None = None
    loop: Step | None = None


class Treatment(Record, frozen=True, kw_only=True):
    """A next best experience that may be offered; declared here, decided elsewhere."""

    id: str
    label: Words
    channel: str
    purpose: str


class Audience(Record, frozen=True, kw_only=True):
    """The space of audience measurement that needs no consent (CNIL): sources with ``audience: true`` go there alone.

    ``purpose`` names the purpose by which people object (its ``measures`` are empty), ``information`` what they are
    told, with how to object; ``page`` is the category field that names a page. No visitor is recognised longer than
    ``tracker_days``, no view is kept longer than ``data_days``.
    """

    purpose: str
    information: Words
    page: str
    tracker_days: int = 390
    data_days: int = 750


class Blueprint(Record, frozen=True, kw_only=True):
    """The whole service blueprint of one company."""

    company: Company
    stages: tuple[Stage, ...]
    channels: tuple[Channel, ...]
    teams: tuple[Team, ...]
    touchpoints: tuple[Touchpoint, ...]
    operations: tuple[Operation, ...] = ()
    purposes: tuple[Purpose, ...] = ()
    notices: tuple[Notice, ...] = ()
    groups: tuple[Group, ...] = ()
    fields: tuple[Field, ...] = ()
    objects: tuple[str, ...] = ()
    treatments: tuple[Treatment, ...] = ()
    layers: tuple[Layer, ...] = ()
    retained: tuple[Retained, ...] = ()
    limits: dict[IdentifierType, int] = {}
    blocked: tuple[str, ...] = ()
    panel: Panel | None = None
    money: Money | None = None
    journey: Step | None = None
    link: Link | None = None
    audience: Audience | None = None

    def touchpoint(self, id: str) -> Touchpoint:
        """Return the touchpoint ``id``; `KeyError` when there is none."""
        return _by_id(self.touchpoints, id)

    def operation(self, id: str) -> Operation:
        """Return the operation ``id``; `KeyError` when there is none."""
        return _by_id(self.operations, id)

    def purposes_for(self, measure: str) -> tuple[Purpose, ...]:
        """Return the purposes that cover ``measure``, in the order of the blueprint."""
        return tuple(p for p in self.purposes if measure in p.measures or "all" in p.measures)

    def purposes_of_field(self, id: str) -> frozenset[str]:
        """Return the purposes that the property ``id`` may be read for."""
        everything = frozenset(purpose.id for purpose in self.purposes)
        return next(
            (frozenset(field.purposes) for field in self.fields if field.id == id and field.purposes), everything
        )

    def hidden_from(self, purpose: str) -> frozenset[str]:
        """Return the properties that must not be read for ``purpose``."""
        return frozenset(field.id for field in self.fields if field.purposes and purpose not in field.purposes)

    def field_kinds(self) -> dict[str, FieldKind]:
        """Return every property that is kept, with its kind; all others are dropped at the door."""
        kinds: dict[str, FieldKind] = {field.id: field.kind for field in self.fields}
        for group in self.groups:
            kinds[group.field] = "category"
        if self.panel and self.panel.site:
            kinds[self.panel.site] = "category"
        if self.money:
            kinds[self.money.field] = "number"
        for touchpoint in self.touchpoints:
            if touchpoint.experience:
                kinds[touchpoint.experience.field] = "number"
                if touchpoint.experience.text:
                    kinds[touchpoint.experience.text] = "text"
        for operation in self.operations:
            if operation.measure.field:
                kinds[operation.measure.field] = "category" if operation.measure.bad else "number"
        for match in self.matches():
            kinds.update(dict.fromkeys(match.where, "category"))
        return kinds

    def personal_fields(self) -> tuple[str, ...]:
        """Return the properties that the vault alone holds, the latest value of each person."""
        return tuple(sorted(field for field, kind in self.field_kinds().items() if kind == "personal"))

    def matches(self) -> tuple[EventMatch, ...]:
        """Return every event that the blueprint names."""
        found = [match for touchpoint in self.touchpoints for match in touchpoint.events]
        found += [touchpoint.experience.event for touchpoint in self.touchpoints if touchpoint.experience]
        for operation in self.operations:
            found += operation.events
            if operation.measure.until:
                found.append(operation.measure.until)
        if self.money:
            found.append(self.money.event)
        return tuple(found)


def _bits(threshold: float) -> float:
    return threshold if threshold >= 1 else math.log2(threshold / (1 - threshold))


def _by_id(records: tuple[T, ...], id: str) -> T:
    for record in records:
        if record.id == id:
            return record
    raise KeyError(id)
