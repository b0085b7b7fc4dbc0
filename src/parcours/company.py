"""One company folder, opened: its blueprint, its settings, and what can be asked of it."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from threading import RLock

import msgspec

from parcours import results
from parcours.blueprint import Blueprint, read_blueprint
from parcours.blueprint.records import Channel, Group, Operation, Purpose, Stage, Team, Touchpoint
from parcours.charts.notebook import result_html
from parcours.collect.connectors.destinations import Destination, read_destinations
from parcours.collect.reading import delivering_sources, read_sources
from parcours.collect.replay import PutBack, put_back
from parcours.collect.source import ReadSource, Source
from parcours.errors import Fault, ParcoursError
from parcours.know import (
    Caller,
    ConsentOverview,
    Doubt,
    Explanation,
    Know,
    Linkage,
    Live,
    MaskedDay,
    Permitted,
    Portrait,
    Profile,
    Recorded,
    Request,
    Ruling,
    Timeline,
    Verdict,
)
from parcours.measure import MEASURES, measure_named
from parcours.measure.comments import COMMENTS
from parcours.measure.contract import Ask, Result
from parcours.measure.lattice import find_hidden_touchpoints
from parcours.measure.sight import WITH_ANSWERS, check_sight, publish, see, tell_day
from parcours.settings import Settings, read_settings
from parcours.words import Words

Labelled = Stage | Channel | Team | Touchpoint | Operation | Group | Purpose


class Verbatim(msgspec.Struct, frozen=True):
    """What a customer wrote with a score, masked, without saying who."""

    score: float
    text: str
    occurred_ms: int


class Answer(msgspec.Struct, frozen=True):
    """A `Result` that draws itself in a notebook and gives its rows to Python."""

    result: Result
    labels: dict[str, Words]

    @property
    def rows(self) -> tuple[dict[str, object], ...]:
        """The rows, as plain dictionaries."""
        return self.result.rows

    def _repr_html_(self) -> str:
        return result_html(self.result, self.labels)


class Measures:
    """Every measure as a method: ``company.measure.causes()``."""

    def __init__(self, company: Company) -> None:
        self._company = company

    def __getattr__(self, name: str) -> Callable[..., Answer]:
        if name not in {measure.name for measure in MEASURES}:
            raise AttributeError(name)

        def ask(by: str | None = None, purpose: str | None = None) -> Answer:
            return Answer(self._company.result(name, by, purpose), self._company.labels)

        return ask

    def __dir__(self) -> list[str]:
        return [measure.name for measure in MEASURES]


class Company:
    """A company folder, read once; its rows are reached through `know` alone, its results are kept on disk."""

    def __init__(self, folder: Path, blueprint: Blueprint, settings: Settings, follow: bool = False) -> None:
        self.folder = folder
        self.blueprint = blueprint
        self.settings = settings
        self.measure = Measures(self)
        self.notice: Words | None = None
        self.troubles: Callable[[], Sequence[Fault]] = lambda: ()
        """Returns what keeps the processes of `serve` from their work; `serve` sets it."""
        self._follow = follow
        self._kept: dict[tuple[str, str | None, str], Result] = {}
        self._publishing = RLock()

    @cached_property
    def know(self) -> Know:
        """The wall: the only way to this company's rows."""
        return Know(self.folder, self.blueprint, self.settings, self._follow)

    @cached_property
    def labels(self) -> dict[str, Words]:
        """The label of every id that a result may name, as ``id`` and as ``column:id``.

        A stage and a touchpoint may share an id, so whoever knows the column asks for both.
        """
        blueprint = self.blueprint
        kinds: tuple[tuple[tuple[str, ...], tuple[Labelled, ...]], ...] = (
            (("purpose",), blueprint.purposes),
            (("group",), blueprint.groups),
            (("owner",), blueprint.teams),
            (("channel",), blueprint.channels),
            (("stage",), blueprint.stages),
            (("operation", "metric"), blueprint.operations),
            (("touchpoint", "source", "target", "touchpoints"), blueprint.touchpoints),
        )
        found: dict[str, Words] = {}
        for columns, records in kinds:
            for record in records:
                found[record.id] = record.label
                found.update({f"{column}:{record.id}": record.label for column in columns})
        return found

    @property
    def report(self) -> results.RunReport | None:
        """What the latest run did, or ``None`` before the first."""
        return results.recall_run(self.folder)

    def choose_purpose(self, reading: str, purpose: str | None = None) -> str:
        """Return ``purpose`` if it covers ``reading``; by default the first that does.

        Raises:
            ParcoursError: ``no_purpose``, ``purpose_does_not_cover``.
        """
        covering = [covers.id for covers in self.blueprint.purposes_for(reading)]
        if purpose is None and not covering:
            raise ParcoursError(
                "no_purpose",
                Words(
                    fr=f"Aucune finalité du blueprint ne couvre « {reading} » : aucune ligne n'est lue.",
                    en=f"No purpose of the blueprint covers “{reading}”: no row is read.",
                ),
                Words(
                    fr="Ajoutez sous purposes une finalité, sa base légale et les mesures qu'elle couvre.",
                    en="Add under purposes a purpose, its legal basis and the measures it covers.",
                ),
                self.folder / "blueprint.yaml",
            )
        if purpose is not None and purpose not in covering:
            known = ", ".join(covering) or "–"
            raise ParcoursError(
                "purpose_does_not_cover",
                Words(
                    fr=f"La finalité « {purpose} » ne couvre pas « {reading} ».",
                    en=f"The purpose “{purpose}” does not cover “{reading}”.",
                ),
                Words(fr=f"Finalités qui la couvrent : {known}.", en=f"Purposes that cover it: {known}."),
                self.folder / "blueprint.yaml",
            )
        return purpose or covering[0]

    def rows_for(self, measure: str, purpose: str | None = None) -> Permitted:
        """Open the rows that ``measure`` may see under ``purpose`` (by default the first that covers it)."""
        chosen = self.choose_purpose(measure, purpose)
        if not self.know.is_loaded:
            raise ParcoursError(
                "nothing_loaded",
                Words(fr="Rien n'a encore été chargé.", en="Nothing has been loaded yet."),
                Words(
                    fr=f"Chargez les sources : parcours run {self.folder}",
                    en=f"Load the sources: parcours run {self.folder}",
                ),
                self.folder,
            )
        return self.know.events_for(chosen)

    def timeline(self, identifier: str, purpose: str | None = None) -> Timeline:
        """Return one customer over every channel, what was accepted a moment ago included (see `Know.timeline`)."""
        return self.know.timeline(identifier, self.choose_purpose("timeline", purpose), self.live)

    def profile(self, identifier: str, purpose: str | None = None) -> Profile:
        """Return one customer's online profile at this moment (see `Know.profile`)."""
        return self.know.profile(identifier, self.choose_purpose("timeline", purpose), self.live)

    def masked(self) -> tuple[MaskedDay, ...]:
        """Return what was masked in texts at the door over the last seven days (see `Know.masked`)."""
        return self.know.upkeep.masked()

    def find_profiles(self, identifier: str) -> tuple[str, ...]:
        """Return the profiles that have ``identifier`` (see `Portraits.find`)."""
        return self.know.portraits.find(identifier)

    def portray(self, profile: str) -> Portrait | None:
        """Return what may be seen of a customer at this moment (see `Portraits.show`)."""
        return self.know.portraits.show(profile, self.choose_purpose("timeline"), self.live)

    def accounts_of(self, profile: str) -> tuple[str, ...]:
        """Return the accounts of a customer, each as ``GROUP:LABEL`` (see `Portraits.accounts`)."""
        return self.know.portraits.accounts(profile, self.choose_purpose("timeline"))

    def explain_profile(self, profile: str, unmasked: bool = False) -> Explanation | None:
        """Return why a customer's identifiers are one person (see `Portraits.explain`)."""
        return self.know.portraits.explain(profile, unmasked)

    def allowed_of(self, profile: str) -> tuple[Verdict, ...]:
        """Return whether each purpose may see a customer at this moment, and why."""
        return self.know.portraits.allowed(profile, self.live)

    def personal_of(self, profile: str) -> dict[str, str]:
        """Return the latest personal values of a customer that may be seen."""
        return self.know.portraits.personal(profile, self.choose_purpose("timeline"))

    def linkage(self) -> Linkage:
        """Return the last batch of linking and its model (see `Know.linkage`)."""
        return self.know.linkage()

    def review(self) -> tuple[Doubt, ...]:
        """Return the pairs of identifiers that wait for a person to say whether they are one (see `Know.review`)."""
        return self.know.review()

    def decide(self, decision: Ruling, one: int, other: int, actor: str, cause: str) -> int:
        """Say that two identifiers are one person or never are (see `Know.decide`); return how many changed profile."""
        return len(self.know.decide(decision, one, other, actor, cause))

    def show_identifiers(self, pseudonyms: Sequence[int]) -> list[str]:
        """Return identifiers masked (see `Know.show_identifiers`)."""
        return self.know.show_identifiers(pseudonyms)

    def identity_alarms(self) -> tuple[Words, ...]:
        """Return what says that identifiers are fusing people (see `Know.identity_alarms`)."""
        return self.know.identity_alarms()

    def consent_overview(self) -> ConsentOverview:
        """Return how consent stands (see `Consents.overview`)."""
        return self.know.consents.overview()

    def record_choice(self, profile: str, purpose: str, granted: bool, actor: str, reason: str) -> Recorded:
        """Record what a customer chose and told somebody (see `Consents.record_for`)."""
        return self.know.consents.record_for(profile, purpose, granted, actor, reason)

    def name_customers(self, identifier: str) -> tuple[tuple[str, str], ...]:
        """Return who has ``identifier``, as the audit log names them (see `Portraits.name`)."""
        return self.know.portraits.name(identifier)

    def restrictions_in_force(self) -> frozenset[int]:
        """Return the requests because of which somebody's data are not used (see `Restricting.in_force`)."""
        return self.know.restricting.in_force()

    def requests(self) -> tuple[Request, ...]:
        """Return every request that was entered for erasure, access and the like."""
        return self.know.requests.list_requests()

    def put_back(self, source: str | None = None, code: str | None = None) -> PutBack:
        """Put quarantined events (of one ``source``, with one fault ``code``) back into the journal."""
        know = self.know
        return put_back(self.folder, know.door(), know.hour_key, time.time_ns() // 1_000_000, source, code)

    def replay(self, source: str | None = None, code: str | None = None) -> int:
        """Do what `put_back` does; return how many events that were.

        Raises:
            ParcoursError: what keeps some of them in quarantine; the others are on their way.
        """
        done = self.put_back(source, code)
        if done.faults:
            raise ParcoursError.of([fault for error in done.faults for fault in error.faults])
        return done.events

    @cached_property
    def sources(self) -> tuple[ReadSource, ...]:
        """The sources as they were declared when they were first asked for.

        Raises:
            ParcoursError: every fault of every source at once.
        """
        return read_sources(self.folder, self.blueprint, self.settings)

    @cached_property
    def delivering(self) -> tuple[Source, ...]:
        """Those of the sources that deliver to the journal, and the survey pages. Errors as in `sources`."""
        return delivering_sources(self.sources)

    @cached_property
    def destinations(self) -> tuple[Destination, ...]:
        """Where permitted events are carried out to.

        Raises:
            ParcoursError: every fault of every destination at once.
        """
        return read_destinations(self.folder, self.blueprint)

    @cached_property
    def live(self) -> Live:
        """What follows the journal of this company in this process."""
        return self.know.live(self.delivering)

    def result(self, name: str, by: str | None = None, purpose: str | None = None) -> Result:
        """Answer measure ``name``, split ``by``; kept until the rows, the blueprint or the consents change."""
        measure = measure_named(name)
        rows = self.rows_for(name, purpose)
        digest = hashlib.sha256(msgspec.json.encode(self.blueprint) + results.code_digest()).hexdigest()
        fingerprint = f"{rows.purpose}-{rows.fingerprint}-{digest[:16]}"
        key = (name, by, fingerprint)
        if key not in self._kept:
            result = results.recall(self.folder, name, by, fingerprint)
            if result is None:
                result = measure.compute(Ask(rows=rows, blueprint=self.blueprint, by=by))
                results.keep(self.folder, fingerprint, result)
            self._kept[key] = _tell_omissions(result, rows, measure.inputs)
        return self._kept[key]

    def seen_by(self, caller: Caller, name: str, by: str | None = None) -> Result:
        """Answer measure ``name``, split ``by``, as ``caller`` may see it.

        Raises:
            ParcoursError: ``not_permitted`` says by which rule; others as in `result`.
        """
        measure = measure_named(name)
        measure.check_split(self.blueprint, by)
        decision = check_sight(measure, self.blueprint, caller, by)
        result = self.published(name)[by] if decision.aggregate_only else self.result(name, by)
        return see(result, self.blueprint, caller, decision)

    def offered(self, name: str) -> tuple[str | None, ...]:
        """Return the splits of measure ``name``, ``None`` for the whole."""
        return (None, *measure_named(name).splits_for(self.blueprint))

    def published(self, name: str) -> dict[str | None, Result]:
        """Return what roles that see groups alone are shown of measure ``name`` today (UTC), by split.

        It is of one moment of the day and stays until the day is over, or the blueprint changes.
        """
        measure = measure_named(name)
        purpose = self.choose_purpose(name)
        digest = hashlib.sha256(msgspec.json.encode(self.blueprint) + results.code_digest()).hexdigest()
        fingerprint, day = f"{purpose}-{digest[:16]}", time.time_ns() // 86_400_000_000_000
        with self._publishing:
            found = results.recall_published(self.folder, name, fingerprint, day)
            if found is None:
                counted_too = name in WITH_ANSWERS and self.blueprint.purposes_for("experience")
                hidden = find_hidden_touchpoints(self.published("experience")[None]) if counted_too else frozenset()
                made = publish(measure, self.blueprint, lambda by: self.result(name, by), hidden)
                found = {by: tell_day(result, day) for by, result in made.items()}
                results.keep_published(self.folder, fingerprint, day, found)
        return found

    def verbatims(self, touchpoint: str, limit: int = 8) -> list[Verbatim]:
        """Return the latest comments given at ``touchpoint``, lowest scores first among them."""
        number = [record.id for record in self.blueprint.touchpoints].index(touchpoint)
        rows = self.rows_for("experience")
        found = rows.run(COMMENTS, touchpoint=number, most=limit).to_pylist()
        # While serving, tables are those last published: what was withdrawn a moment ago is asked for besides.
        texts = rows.read_texts([row["text_ref"] for row in found], self.live if self._follow and found else None)
        return sorted(
            (
                Verbatim(row["score"], texts[row["text_ref"]], row["occurred_ms"])
                for row in found
                if row["text_ref"] in texts
            ),
            key=lambda verbatim: (verbatim.score, -verbatim.occurred_ms),
        )


def _tell_omissions(result: Result, rows: Permitted, inputs: tuple[str, ...]) -> Result:
    """Add what was left out of the tables that a measure reads; what explains an empty answer stands alone."""
    told = [one for one in rows.omissions if one.table is None or one.table in inputs]
    explaining = [one.sentence for one in told if one.explains]
    own = () if explaining and not result.n else result.warnings
    others = [one.sentence for one in told if not one.explains]
    return msgspec.structs.replace(result, warnings=(*explaining, *own, *others))


DECLARED = ("parcours.toml", "blueprint.yaml", "blueprint", "sources", "destinations")


def declared_stamp(folder: Path) -> tuple[int, ...]:
    """Return what changes whenever a file in which a company declares something does."""
    times = []
    for name in DECLARED:
        place = folder / name
        for path in (place, *sorted(place.glob("*.y*ml"))):
            try:
                times.append(path.stat().st_mtime_ns)
            except OSError:
                times.append(0)
    return tuple(times)


def open(folder: str | Path, follow: bool = False) -> Company:
    """Open the company in ``folder``; a faulty blueprint or setting raises `ParcoursError` with every fault.

    With ``follow`` somebody else keeps it up to date: what was last published is read, and nothing made anew.
    """
    place = Path(folder)
    if not place.is_dir():
        raise no_such_folder(place)
    return Company(place, read_blueprint(place), read_settings(place), follow)


def no_such_folder(place: Path) -> ParcoursError:
    """Return the error of a folder that is not there."""
    return ParcoursError(
        "no_such_folder",
        Words(fr=f"Le dossier {place} n'existe pas.", en=f"The folder {place} does not exist."),
        Words(
            fr=f"Créez-le : parcours init {place} --template retail.",
            en=f"Create it: parcours init {place} --template retail.",
        ),
    )
