"""What must hold of a source before its files are opened: one function a rule."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path

from parcours.blueprint.records import Blueprint
from parcours.blueprint.yaml_lines import Node, Place
from parcours.collect.amounts import is_unit, unit_factor
from parcours.collect.dates import EPOCHS, date_pattern
from parcours.collect.files import format_of_source
from parcours.collect.origin import names_itself
from parcours.collect.source import FieldColumn, Source, Time
from parcours.collect.zones import is_zone
from parcours.errors import Fault
from parcours.settings import Settings
from parcours.words import Words

_MOST_LISTED = 8
_ID = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_-]*$")


def check_source(source: Source, node: Node, blueprint: Blueprint, settings: Settings) -> list[Fault]:
    """Return the faults and warnings of one source by itself."""
    faults = [*_check_head(source, node), *_check_times(source, node), *_check_declared(source, node, blueprint)]
    faults += _check_units(source, node, blueprint)
    faults += _check_audience(source, node, blueprint)
    faults += _check_events(source, node, blueprint)
    if not is_zone(settings.time_zone):
        faults.append(_bad_zone(node, (), settings.time_zone))
    return faults


def check_together(
    sources: Sequence[tuple[Source, Node]], blueprint: Blueprint, folder: Path, complete: bool = True
) -> list[Fault]:
    """Return what is wrong between sources: the same id twice, or an event that none of them gives.

    The latter only when they are ``complete``, for a source that could not be read may well give it, as may one whose
    events name themselves.
    """
    faults = []
    seen: dict[str, str] = {}
    for source, node in sources:
        if source.source in seen:
            first = seen[source.source]
            sentence = Words(
                f"La source « {source.source} » est déjà décrite dans {first}.",
                f"The source “{source.source}” is already described in {first}.",
            )
            faults.append(node.fault("source_twice", ("source",), sentence, Words("Renommez-la.", "Rename it.")))
        seen.setdefault(source.source, node.file)
    names = [event.name for source, _ in sources for event in source.events]
    tellable = complete and sources and not any(names_itself(source) for source, _ in sources)
    if tellable and all(name.text is not None for name in names):
        given = {name.text for name in names}
        for wanted in sorted({match.name for match in blueprint.matches()} - given):
            faults.append(_event_without_source(wanted, folder))
    return faults


def _check_head(source: Source, node: Node) -> Iterator[Fault]:
    if not _ID.match(source.source):
        sentence = Words(f"« {source.source} » ne peut pas nommer une source.", f"“{source.source}” cannot be an id.")
        remedy = Words("Utilisez des lettres, des chiffres, - et _.", "Use letters, digits, - and _.")
        yield node.fault("bad_source_id", ("source",), sentence, remedy)
    if source.file is not None and format_of_source(source) is None:
        sentence = Words(
            f"Le format de « {source.file} » ne se devine pas.", f"The format of “{source.file}” cannot be guessed."
        )
        remedy = Words("Ajoutez format: csv, jsonl, parquet ou xes.", "Add format: csv, jsonl, parquet or xes.")
        yield node.fault("unknown_format", ("file",), sentence, remedy)
    if source.csv.delimiter is not None and (len(source.csv.delimiter) != 1 or source.csv.delimiter in '"\r\n'):
        sentence = Words("Le séparateur doit être un seul caractère.", "The delimiter must be one character.")
        remedy = Words('Par exemple csv: {delimiter: ";"}.', 'For instance csv: {delimiter: ";"}.')
        yield node.fault("bad_delimiter", ("csv", "delimiter"), sentence, remedy)
    try:
        "".encode(source.csv.encoding)
    except LookupError:
        sentence = Words(
            f"L'encodage « {source.csv.encoding} » est inconnu.", f"The encoding “{source.csv.encoding}” is unknown."
        )
        remedy = Words("Essayez utf-8, cp1252 ou latin-1.", "Try utf-8, cp1252 or latin-1.")
        yield node.fault("bad_encoding", ("csv", "encoding"), sentence, remedy)
    if not source.key and format_of_source(source) != "xes" and not names_itself(source):
        sentence = Words(
            "La source ne déclare pas de clé : chaque ligne entière en tient lieu, une ligne corrigée s'ajoutera.",
            "The source declares no key: each whole row stands for it, and a corrected row will be added.",
        )
        remedy = Words(
            "Ajoutez key: [colonne] si une colonne identifie la ligne.",
            "Add key: [column] if a column identifies rows.",
        )
        yield node.warning("no_key", ("source",), sentence, remedy)
    if not source.ids and not source.objects and not names_itself(source):
        sentence = Words(
            "La source ne nomme ni personne ni objet : ses événements ne se relieront à rien d'autre qu'à un site.",
            "The source names nobody and no object: its events tie to nothing but a site.",
        )
        remedy = Words(
            "Ajoutez ids: ou objects: si une colonne en porte.", "Add ids: or objects: if a column holds any."
        )
        yield node.warning("nothing_to_tie", ("source",), sentence, remedy)


def _check_audience(source: Source, node: Node, blueprint: Blueprint) -> Iterator[Fault]:
    if not source.audience:
        return
    if blueprint.audience is None:
        sentence = Words("Le blueprint ne déclare pas d'audience.", "The blueprint declares no audience.")
        remedy = Words(
            "Ajoutez-y audience: {purpose: …, information: …, page: …}.",
            "Add audience: {purpose: …, information: …, page: …} to it.",
        )
        yield node.fault("audience_undeclared", ("audience",), sentence, remedy)
    if source.connector != "http":
        sentence = Words(
            "Seule une source http peut mesurer l'audience à part.", "Only an http source can measure audience apart."
        )
        remedy = Words("Ôtez audience: true, ou écrivez connector: http.", "Take audience: true away, or use http.")
        yield node.fault("audience_not_http", ("audience",), sentence, remedy)


def _check_times(source: Source, node: Node) -> Iterator[Fault]:
    if not source.events and not names_itself(source):
        sentence = Words("La source ne donne aucun événement.", "The source gives no event.")
        remedy = Words('Ajoutez events: [{name: "…"}].', 'Add events: [{name: "…"}].')
        yield node.fault("no_events", ("events",), sentence, remedy)
    if source.time:
        yield from _check_time(source.time, ("time",), node)
    for index, event in enumerate(source.events):
        if event.time:
            yield from _check_time(event.time, ("events", index, "time"), node)
        elif source.time is None and not names_itself(source):
            sentence = Words("L'événement n'a pas de date.", "The event has no time.")
            remedy = Words(
                "Ajoutez time: {column: …} à la source ou à l'événement.",
                "Add time: {column: …} to the source or to the event.",
            )
            yield node.fault("event_without_time", ("events", index), sentence, remedy)


def _check_time(time: Time, place: Place, node: Node) -> Iterator[Fault]:
    if time.zone is not None and not is_zone(time.zone):
        yield _bad_zone(node, (*place, "zone"), time.zone)
    if time.format is None or time.format in EPOCHS:
        return
    try:
        date_pattern(time.format)
    except ValueError as fault:
        reason = Words(f"{fault} y est inconnu", f"{fault} is not known")
        if str(fault) == time.format:
            reason = Words("il lui faut une fois chacun %d, %m et %Y", "it needs %d, %m and %Y once each")
        sentence = Words(
            f"Le format de date « {time.format} » ne convient pas : {reason.fr}.",
            f"The date format “{time.format}” will not do: {reason.en}.",
        )
        remedy = Words(
            'Par exemple "%d/%m/%Y %H:%M" ; sans format, la norme ISO 8601 ; sinon epoch_ms ou epoch_s.',
            'For instance "%d/%m/%Y %H:%M"; without a format, ISO 8601; else epoch_ms or epoch_s.',
        )
        yield node.fault("bad_date_format", (*place, "format"), sentence, remedy)


def _bad_zone(node: Node, place: Place, zone: str) -> Fault:
    sentence = Words(f"Le fuseau horaire « {zone} » est inconnu.", f"The time zone “{zone}” is unknown.")
    return node.fault("bad_zone", place, sentence, Words("Par exemple Europe/Paris.", "For instance Europe/Paris."))


def _check_declared(source: Source, node: Node, blueprint: Blueprint) -> Iterator[Fault]:
    """Objects and purposes must be declared; a field that is not is dropped at the door, which is only worth saying."""
    purposes = [purpose.id for purpose in blueprint.purposes]
    for kind in source.objects:
        if kind not in blueprint.objects:
            sentence = Words(
                f"Le plan ne déclare pas d'objet « {kind} ».", f"The blueprint declares no object “{kind}”."
            )
            yield node.fault("unknown_object", ("objects", kind), sentence, _declare(kind, blueprint.objects))
    for purpose in source.consent:
        if purpose not in purposes:
            sentence = Words(
                f"Le plan ne déclare pas de finalité « {purpose} ».", f"The blueprint declares no purpose “{purpose}”."
            )
            yield node.fault("unknown_purpose", ("consent", purpose), sentence, _declare(purpose, purposes))
    read = [purpose.signals for purpose in blueprint.purposes if purpose.signals]
    wanted = {"tcf": any(one.tcf for one in read), "consent_mode": any(one.consent_mode for one in read)}
    for signal in source.signals:
        if not wanted.get(signal, bool(blueprint.notices)):
            sentence = Words(
                f"Aucune finalité du plan ne lit le signal « {signal} ».",
                f"No purpose of the blueprint reads the signal “{signal}”.",
            )
            remedy = Words(
                "Dites sous purposes, signals: quelle finalité le lit (pour notice : décrivez vos notices).",
                "Say under purposes, signals: which purpose reads it (for notice: describe your notices).",
            )
            yield node.warning("signal_unused", ("signals", signal), sentence, remedy)
    kinds = blueprint.field_kinds()
    for _, place, name in _fields(source):
        if name not in kinds:
            sentence = Words(
                f"Le plan ne déclare pas le champ « {name} » : il ne sera pas gardé.",
                f"The blueprint does not declare the field “{name}”: it will not be kept.",
            )
            yield node.warning("unknown_field", place, sentence, _declare(name, sorted(kinds)))


def _declare(word: str, declared: Sequence[str]) -> Words:
    near = get_close_matches(word, declared, n=1)
    if near:
        return Words(
            f"Vouliez-vous dire « {near[0]} » ? Sinon, déclarez « {word} » dans le plan.",
            f"Did you mean “{near[0]}”? Otherwise declare “{word}” in the blueprint.",
        )
    listed = ", ".join(dict.fromkeys(declared))
    choice = Words(f", ou choisissez parmi : {listed}", f", or choose one of: {listed}")
    choice = choice if 0 < len(declared) <= _MOST_LISTED else Words()
    return Words(f"Déclarez « {word} » dans le plan{choice.fr}.", f"Declare “{word}” in the blueprint{choice.en}.")


def _fields(source: Source) -> Iterator[tuple[FieldColumn, Place, str]]:
    for name, mapped in source.fields.items():
        yield mapped, ("fields", name), name
    for index, event in enumerate(source.events):
        for name, mapped in event.fields.items():
            yield mapped, ("events", index, "fields", name), name


def _check_units(source: Source, node: Node, blueprint: Blueprint) -> Iterator[Fault]:
    kinds = blueprint.field_kinds()
    for mapped, place, name in _fields(source):
        units = [unit for unit in (mapped.unit, mapped.to) if unit is not None]
        if any(not is_unit(unit) for unit in units) or unit_factor(mapped.unit, mapped.to) is None:
            sentence = Words(
                f"« {' → '.join(units)} » n'est pas une conversion d'unités.",
                f"“{' → '.join(units)}” is no conversion of units.",
            )
            remedy = Words(
                "Unités : ms, s, min, h, d ; cents et une monnaie (eur) ; percent et share.",
                "Units: ms, s, min, h, d; cents and a currency (eur); percent and share.",
            )
            yield node.fault("bad_unit", place, sentence, remedy)
        if mapped.type and name in kinds and mapped.type != kinds[name]:
            sentence = Words(
                f"Le champ « {name} » est {kinds[name]} dans le plan et {mapped.type} ici.",
                f"The field “{name}” is {kinds[name]} in the blueprint and {mapped.type} here.",
            )
            remedy = Words("C'est le plan qui compte : accordez-les.", "The blueprint is what counts: make them agree.")
            yield node.warning("field_type_differs", place, sentence, remedy)


def _check_events(source: Source, node: Node, blueprint: Blueprint) -> Iterator[Fault]:
    named = {match.name for match in blueprint.matches()}
    for index, event in enumerate(source.events):
        given = [event.name.text is not None, event.name.column is not None, bool(event.name.join)]
        if sum(given) != 1 or (event.name.join and not event.name.columns()):
            sentence = Words("Le nom de l'événement n'est pas clair.", "The event's name is not clear.")
            remedy = Words(
                'Écrivez un texte, {column: …} ou {join: [colonne, " ", colonne]}.',
                'Write a text, {column: …} or {join: [column, " ", column]}.',
            )
            yield node.fault("bad_event_name", ("events", index, "name"), sentence, remedy)
        elif event.name.text is not None and event.name.text not in named:
            sentence = Words(
                f"Le plan n'emploie pas l'événement « {event.name.text} ».",
                f"The blueprint does not use the event “{event.name.text}”.",
            )
            place = ("events", index, "name")
            yield node.warning("event_unused", place, sentence, _declare(event.name.text, sorted(named)))


def _event_without_source(name: str, folder: Path) -> Fault:
    return Fault(
        "event_without_source",
        Words(
            f"Aucune source ne donne l'événement « {name} » du plan.",
            f"No source gives the blueprint's event “{name}”.",
        ),
        Words(
            "Ajoutez-le aux events: d'une source, ou retirez-le du plan.",
            "Add it to the events: of a source, or take it out of the blueprint.",
        ),
        str(folder / "sources"),
        level="warning",
    )
