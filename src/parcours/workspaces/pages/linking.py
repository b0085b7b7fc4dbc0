"""People matched by comparison: what each agreement weighs, what the last batch found, and what waits for a person."""

from __future__ import annotations

import msgspec

from parcours.charts.chart import Chart
from parcours.charts.numbers import write_moment, write_number, write_value
from parcours.charts.weights import WeightBar, draw_weights
from parcours.errors import ParcoursError
from parcours.know import LINK_LEVELS, Linkage, Weight
from parcours.words import Language
from parcours.workspaces.frame import Frame, frame_page
from parcours.workspaces.readable import Links, Readable
from parcours.workspaces.signing_in.asking import may_do
from parcours.workspaces.wording import Say, capital


class LinkingPage(msgspec.Struct, frozen=True, kw_only=True):
    """What the page shows; ``missing`` says why there is no model."""

    frame: Frame
    missing: str
    facts: tuple[tuple[str, str], ...] = ()
    thresholds: str = ""
    chart: Chart | None = None
    review: str = ""


def read_linking(company: Readable, language: Language) -> LinkingPage:
    """Read the model of linking and its last batch."""
    say = Say(language)
    frame = frame_page(company, language, "linking", say("linking.title"))
    link = company.blueprint.link
    if link is None or not isinstance(company, Links):
        return LinkingPage(frame=frame, missing=say("linking.undeclared"))
    try:
        linkage = company.linkage()
    except ParcoursError as error:
        return LinkingPage(frame=frame, missing=error.faults[0].sentence.in_language(language))
    if not linkage.weights:
        return LinkingPage(frame=frame, missing=say("linking.never"))
    accept, review = (write_number(bits, language, 1) for bits in link.weights())
    bars = [_bar(company, one, language) for one in linkage.weights]
    return LinkingPage(
        frame=frame,
        missing="",
        facts=_facts(company, linkage, language),
        thresholds=say("linking.thresholds", accept=accept, review=review),
        chart=draw_weights(say("linking.weights"), bars, language),
        review=f"/{language}/review" if may_do("settle_merge") else "",
    )


def _facts(company: Readable, linkage: Linkage, language: Language) -> tuple[tuple[str, str], ...]:
    say, zone = Say(language), company.settings.time_zone
    facts: list[tuple[str, str]] = []
    if linkage.last is not None:
        last = linkage.last
        counts = (
            ("people", last.people),
            ("accepted", last.accepted),
            ("waits", last.waiting),
            ("held", last.held),
            ("refused", last.refused),
        )
        facts.append((say("linking.last"), write_moment(last.at_ms, language, zone)))
        facts += [
            (say(f"linking.{name}"), write_number(count, language)) for name, count in counts if count or name != "held"
        ]
    if linkage.made_ms is not None:
        learnt = say(
            "linking.learnt_of",
            moment=write_moment(linkage.made_ms, language, zone),
            records=write_value(linkage.records, "count", language),
        )
        facts.append((say("linking.learnt"), learnt))
    return tuple(facts)


def _bar(company: Readable, one: Weight, language: Language) -> WeightBar:
    say = Say(language)
    field = next((each.label for each in company.blueprint.fields if each.id == one.field and each.label), None)
    named = say(f"customer.kind_{one.field}") if say.has(f"customer.kind_{one.field}") else one.field.replace("_", " ")
    return WeightBar(
        field=capital(field.in_language(language) if field else named),
        level=LINK_LEVELS[one.level].in_language(language),
        bits=one.bits,
        same=one.same,
        strangers=one.strangers,
    )
