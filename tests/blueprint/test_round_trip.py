"""Any sound blueprint comes back equal from its YAML and from its BPMN 2.0."""

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from parcours.blueprint import read_bpmn, write_bpmn
from parcours.blueprint.form import to_plain
from parcours.blueprint.read import check_text
from parcours.blueprint.records import (
    Blueprint,
    Channel,
    Company,
    EventMatch,
    Experience,
    Field,
    Group,
    Money,
    Notice,
    Operation,
    OperationMeasure,
    Panel,
    Promise,
    Purpose,
    Signals,
    Stage,
    Step,
    Team,
    Touchpoint,
    Treatment,
)
from parcours.blueprint.yaml_lines import write_yaml
from parcours.words import Words

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12).map(str.strip).filter(bool)
NOTICE = Notice(id="banner", version="3", language="fr-BE", since="2026-03-01", controllers=("Acme",))
labels = st.builds(Words, texts, texts)
numbers = st.integers(-50, 50).map(float) | st.floats(-1e6, 1e6)
events = st.builds(
    EventMatch,
    name=texts,
    where=st.dictionaries(st.just("state"), st.lists(texts, min_size=1, max_size=2).map(tuple), max_size=1),
)
event_lists = st.lists(events, min_size=1, max_size=2).map(tuple)
experiences = st.builds(
    Experience,
    metric=st.just("ces"),
    event=events,
    field=st.just("stars"),
    scale=st.just((1.0, 7.0)),
    tie=st.sampled_from([None, "order"]),
    within_ms=st.integers(1, 10**10),
    text=st.sampled_from([None, "comment"]),
)
measures = st.one_of(
    st.builds(OperationMeasure, unit=texts, count=st.just(True)),
    st.builds(OperationMeasure, unit=texts, field=st.just("hours"), label=st.none() | labels),
    st.builds(OperationMeasure, unit=texts, field=st.just("state"), bad=st.lists(texts, min_size=1).map(tuple)),
    st.builds(OperationMeasure, unit=st.just("h"), until=events, tie=st.just("order"), worse=st.just("low")),
)


@st.composite
def blueprints(draw: st.DrawFn) -> Blueprint:
    """Draw a blueprint with no error: every reference holds, no cycle, everything reaches a touchpoint."""
    ids = draw(st.lists(st.sampled_from(["till", "desk", "app", "web_page"]), min_size=1, max_size=3, unique=True))
    work = draw(st.lists(st.sampled_from(["pick", "pack", "plan", "train"]), min_size=1, max_size=4, unique=True))
    touchpoints = tuple(
        Touchpoint(
            id=id,
            label=draw(labels),
            stage="buy",
            channel=draw(st.sampled_from(["shop", "site"])),
            owner="sales",
            events=draw(event_lists),
            promise=draw(st.none() | st.builds(Promise, label=labels, metric=st.sampled_from(work), at_most=numbers)),
            experience=draw(st.none() | experiences),
            once_per=draw(st.sampled_from([None, "order"])),
            evidence=draw(st.none() | labels),
            examples=draw(st.dictionaries(st.sampled_from(["fr", "en"]), st.lists(texts, min_size=1).map(tuple))),
        )
        for id in ids
    )
    operations = tuple(
        Operation(
            id=id,
            label=draw(labels),
            owner="sales",
            system=draw(st.none() | texts),
            line=draw(st.sampled_from(["backstage", "support"])),
            events=draw(event_lists),
            measure=draw(measures),
            supports=tuple(ids) if index == 0 else tuple(draw(st.lists(st.sampled_from(ids), min_size=1, unique=True))),
            follows=tuple(draw(st.lists(st.sampled_from(work[:index]), unique=True))) if index else (),
        )
        for index, id in enumerate(work)
    )
    return Blueprint(
        company=Company(id="acme", label=draw(labels), synthetic=draw(st.booleans())),
        stages=(Stage(id="buy", label=draw(labels), deadline_ms=draw(st.none() | st.integers(1, 10**11))),),
        channels=(
            Channel(id="shop", label=draw(labels), kind="human"),
            Channel(id="site", label=draw(labels), kind="digital"),
        ),
        teams=(Team(id="sales", label=draw(labels)),),
        touchpoints=touchpoints,
        operations=operations,
        purposes=(
            Purpose(
                id="improve",
                label=draw(labels),
                basis="consent",
                retention_days=90,
                expires_days=draw(st.none() | st.integers(1, 999)),
                marketing=draw(st.booleans()),
                signals=draw(st.none() | st.just(Signals(tcf=(1, 3), tcf_vendor=755, segment=("Ads",)))),
            ),
        ),
        notices=draw(st.sampled_from([(), (NOTICE,)])),
        groups=(Group(id="segment", label=draw(labels), field="segment"),),
        fields=(
            Field(
                id="basket_size",
                kind="number",
                label=draw(st.none() | labels),
                purposes=draw(st.sampled_from([(), ("improve",)])),
                class_=draw(st.sampled_from(["ordinary", "personal"])),
                retention_days=draw(st.none() | st.integers(1, 999)),
            ),
        ),
        objects=("order",),
        treatments=(Treatment(id="gift", label=draw(labels), channel="site", purpose="improve"),),
        limits=draw(st.dictionaries(st.sampled_from(["user", "mail", "phone", "device"]), st.integers(1, 1000))),
        panel=draw(st.none() | st.just(Panel(site="shop_id", period="month"))),
        money=draw(st.none() | st.just(Money(event=EventMatch(name="Paid"), field="paid", currency="CHF"))),
        journey=Step(sequence=(Step(touchpoint=ids[0]), Step(optional=Step(loop=Step(touchpoint=ids[-1]))))),
    )


def is_named_like_another_firm(blueprint: Blueprint) -> bool:
    return "index" in write_yaml(to_plain(blueprint)).lower()


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(blueprints())
def test_a_blueprint_comes_back_equal_from_yaml(blueprint: Blueprint) -> None:
    assume(not is_named_like_another_firm(blueprint))
    read, faults = check_text(write_yaml(to_plain(blueprint)), "f.yaml")
    assert [fault for fault in faults if fault.level == "error"] == []
    assert read == blueprint


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(blueprints(), st.sampled_from(["fr", "en"]))
def test_a_blueprint_comes_back_equal_from_bpmn(blueprint: Blueprint, language: str) -> None:
    assume(not is_named_like_another_firm(blueprint))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "acme.bpmn"
        path.write_text(write_bpmn(blueprint, language), "utf-8")  # type: ignore[arg-type]
        imported = read_bpmn(path)
    assert [fault for fault in imported.faults if fault.level == "error"] == []
    assert imported.blueprint == blueprint
