"""Each rule: one change to a sound blueprint gives exactly its fault, on the line that was changed."""

from pathlib import Path

import pytest

from parcours.blueprint import check_blueprint

SOUND = """\
company: {id: acme, label: {fr: Acme, en: Acme}}
stages:
  - {id: buy, label: {fr: Achat, en: Purchase}, deadline: 30d}
channels:
  - {id: shop, label: {fr: Magasin, en: Shop}, kind: human}
teams:
  - {id: sales, label: {fr: Ventes, en: Sales}}
objects: [order]
touchpoints:
  - id: till
    label: {fr: Caisse, en: Till}
    stage: buy
    channel: shop
    owner: sales
    events: [Paid]
    promise: {label: {fr: Vite, en: Fast}, metric: queue, at_most: 5}
    experience: {metric: csat, event: Asked, field: stars, scale: [1, 5], satisfied_from: 4, tie: order, within: 7d}
operations:
  - id: queue
    label: {fr: File, en: Queue}
    owner: sales
    events: [Queued]
    measure: {until: Served, tie: order, unit: min}
    supports: [till]
  - id: staffing
    label: {fr: Effectif, en: Staffing}
    owner: sales
    events: [Planned]
    measure: {field: people, unit: people}
purposes:
  - {id: improve, label: {fr: Progresser, en: Improve}, basis: consent, measures: [all], retention_days: 90}
groups:
  - {id: segment, label: {fr: Segment, en: Segment}, field: segment}
fields:
  - {id: colour, kind: category}
  - {id: surname, kind: personal}
  - {id: street, kind: personal}
treatments:
  - {id: gift, label: {fr: Cadeau, en: Gift}, channel: shop, purpose: improve}
limits: {mail: 5}
panel: {site: shop_id, period: week}
money: {event: Paid, field: paid_eur, currency: EUR}
journey: {sequence: [till, {optional: {loop: till}}]}
link:
  purpose: improve
  compare: [{field: surname, compare: name}, {field: mail, compare: mail}]
  block: [[surname], [mail]]
  accept: 0.99
  review: 0.5
layers:
  - {id: home, label: {fr: Foyer, en: Home}, object: order, same: [surname, street]}
"""

FEEDS = ("    supports: [till]", "    supports: [till]\n    follows: [staffing]")
SOUND = SOUND.replace(*FEEDS)

TILL, QUEUE, STAFFING = 10, 19, 26
KEEPING = (
    "  - {id: bills, label: {fr: F, en: B}, events: [Paid], basis: legal_obligation, years: 10, fields: [paid_eur]}\n"
)
NOTICE = (
    "  - {id: banner, version: '3', language: en, since: 2026-03-01, screenshot: a.png, purposes: [improve], "
    f"interface: {'ab' * 32}}}\n"
)
CASES = [
    ("yaml_duplicate_key", 2, "stages:\n", "company: {}\nstages:\n"),
    ("unknown_key", 15, "    owner: sales\n    events: [Paid]", "    owner: sales\n    evnts: 1\n    events: [Paid]"),
    ("missing_field", TILL, "    stage: buy\n", ""),
    ("wrong_type", 15, "events: [Paid]", "events: Paid"),
    ("unknown_choice", 5, "kind: human", "kind: humane"),
    ("bad_duration", 3, "30d", "30 days"),
    ("label_empty", 7, "{fr: Ventes, en: Sales}", "{}"),
    ("label_in_one_language", 7, "{fr: Ventes, en: Sales}", "Ventes"),
    ("unusual_id", 34, "field: segment", "field: Segment"),
    ("duplicate_id", 26, "  - id: staffing", "  - {id: queue, label: {fr: a, en: a}, owner: sales, events: [A],"
     " measure: {count: true, unit: n}, supports: [till], follows: [staffing]}\n  - id: staffing"),
    ("named_cx_index", 11, "{fr: Caisse, en: Till}", "{fr: Caisse, en: The CX Index}"),
    ("unknown_stage", 12, "stage: buy", "stage: by"),
    ("unknown_channel", 13, "channel: shop\n", "channel: shp\n"),
    ("unknown_team", 21, "fr: File, en: Queue}\n    owner: sales", "fr: File, en: Queue}\n    owner: salles"),
    ("unknown_touchpoint", 24, "supports: [till]", "supports: [till, tills]"),
    ("unknown_operation", 25, "follows: [staffing]", "follows: [staffing, stafing]"),
    ("unknown_purpose", 40, "purpose: improve}", "purpose: sell}"),
    ("unknown_measure", 32, "measures: [all]", "measures: [all, cause]"),
    ("undeclared_object", 23, "until: Served, tie: order", "until: Served, tie: ordr"),
    ("undeclared_object", 15, "events: [Paid]", "once_per: ordr\n    events: [Paid]"),
    ("touchpoint_without_owner", TILL, "    channel: shop\n    owner: sales\n", "    channel: shop\n"),
    ("touchpoint_without_event", 15, "events: [Paid]", "events: []"),
    ("touchpoint_without_operation", TILL, "    supports: [till]\n", "    supports: [till2]\n"),
    ("touchpoint_without_score", TILL, "    experience: {metric: csat, event: Asked, field: stars, scale: [1, 5],"
     " satisfied_from: 4, tie: order, within: 7d}\n", ""),
    ("stage_without_touchpoint", 4, "channels:\n", "  - {id: use, label: {fr: a, en: a}}\nchannels:\n"),
    ("few_examples", TILL, "within: 7d}", "within: 7d, text: comment}"),
    ("unknown_language", 18, "operations:\n", "    examples: {de: [gut]}\noperations:\n"),
    ("scale_not_rising", 17, "scale: [1, 5], satisfied_from: 4", "scale: [5, 1], satisfied_from: 3"),
    ("nps_scale", 17, "metric: csat, event: Asked, field: stars, scale: [1, 5], satisfied_from: 4",
     "metric: nps, event: Asked, field: stars, scale: [0, 5]"),
    ("satisfied_from_missing", 17, ", satisfied_from: 4", ""),
    ("satisfied_from_outside", 17, "satisfied_from: 4", "satisfied_from: 6"),
    ("within_not_positive", 17, "within: 7d", "within: 0d"),
    ("promise_without_metric", 16, "metric: queue, ", ""),
    ("promise_without_bound", 16, ", at_most: 5", ""),
    ("promise_unknown_metric", 16, "metric: queue", "metric: speed"),
    ("promise_bounds_cross", 16, "at_most: 5", "at_most: 5, at_least: 6"),
    ("operation_without_event", STAFFING, "    events: [Planned]\n", ""),
    ("operation_reaches_nothing", STAFFING - 1, "    follows: [staffing]\n", ""),
    ("operations_in_cycle", 31, "unit: people}", "unit: people}\n    follows: [queue]"),
    ("operation_measure_unclear", 30, "{field: people, unit: people}", "{field: people, count: true, unit: people}"),
    ("until_without_tie", 23, "until: Served, tie: order", "until: Served"),
    ("unit_not_of_time", 23, "unit: min", "unit: minutes"),
    ("purpose_without_basis", 32, "basis: consent, ", ""),
    ("measure_without_purpose", 31, "measures: [all]", "measures: [causes]"),
    ("retention_not_positive", 32, "retention_days: 90", "retention_days: 0"),
    ("expiry_not_positive", 32, "retention_days: 90", "expires_days: 0"),
    ("marketing_basis", 32, "basis: consent, ", "basis: contract, marketing: true, "),
    ("expiry_without_consent", 32, "basis: consent, ", "basis: contract, expires_days: 182, "),
    ("unknown_tcf_purpose", 32, "retention_days: 90", "signals: {tcf: [2, 12]}"),
    ("tcf_needs_consent", 32, "basis: consent, ", "basis: legitimate_interest, signals: {tcf: [2, 4]}, "),
    ("bad_tcf_vendor", 32, "retention_days: 90", "signals: {tcf_vendor: 755}"),
    ("unknown_choice", 32, "retention_days: 90", "signals: {consent_mode: [ads]}"),
    ("notice_twice", 35, "groups:\n", f"notices:\n{NOTICE}{NOTICE}groups:\n"),
    ("bad_notice_date", 34, "groups:\n", "notices:\n" + NOTICE.replace("2026-03-01", "1 March") + "groups:\n"),
    ("bad_notice_language", 34, "groups:\n", "notices:\n" + NOTICE.replace("en,", "english,") + "groups:\n"),
    ("bad_interface_hash", 34, "groups:\n", "notices:\n" + NOTICE.replace("ab" * 32, "abc") + "groups:\n"),
    ("notice_without_proof", 34, "groups:\n", "notices:\n" + NOTICE.replace("a.png", '""') + "groups:\n"),
    ("notice_for_unknown_purpose", 34, "groups:\n", "notices:\n" + NOTICE.replace("improve", "sell") + "groups:\n"),
    ("unknown_purpose", 36, "{id: colour, kind: category}", "{id: colour, kind: category, purposes: [improves]}"),
    ("retention_not_positive", 36, "{id: colour, kind: category}", "{id: colour, kind: category, retention_days: 0}"),
    ("sensitive_without_purpose", 36, "{id: colour, kind: category}", "{id: colour, kind: category, class: sensitive}"),
    ("years_out_of_range", 40, "treatments:\n", f"retained:\n{KEEPING.replace('10', '0')}treatments:\n"),
    ("retained_unknown", 40, "treatments:\n", f"retained:\n{KEEPING.replace('Paid', 'Payed')}treatments:\n"),
    ("retained_unknown", 40, "treatments:\n", f"retained:\n{KEEPING.replace('paid_eur', 'paid')}treatments:\n"),
    ("limit_out_of_range", 41, "{mail: 5}", "{mail: 0}"),
    ("deadline_not_positive", 3, "30d", "0d"),
    ("bad_currency", 43, "currency: EUR", "currency: euros"),
    ("money_without_currency", 43, ", currency: EUR", ""),
    ("field_of_two_kinds", 43, "field: paid_eur", "field: colour"),
    ("unknown_purpose", 46, "link:\n  purpose: improve", "link:\n  purpose: sell"),
    ("unknown_choice", 47, "compare: name}", "compare: sound}"),
    ("field_not_personal", 47, "{field: surname, compare: name}, {field: mail", "{field: surname, compare: name},"
     " {field: colour, compare: name}, {field: mail"),
    ("field_not_personal", 52, "same: [surname, street]", "same: [surname, mail]"),
    ("undeclared_object", 52, "object: order, same", "object: home, same"),
    ("compared_twice", 47, "compare: mail}]", "compare: mail}, {field: mail, compare: code}]"),
    ("too_few_comparisons", 47, ", {field: mail, compare: mail}]\n  block: [[surname], [mail]]", "]"),
    ("unknown_block", 48, "[mail]]", "[mail, street]]"),
    ("unknown_block", 48, "[mail]]", "[mail], []]"),
    ("link_too_often", 49, "accept: 0.99", "every: 30s\n  accept: 0.99"),
    ("bad_thresholds", 49, "accept: 0.99", "accept: 0.4"),
    ("bad_thresholds", 49, "accept: 0.99", "accept: 0"),
    ("bad_thresholds", 49, "accept: 0.99\n  review: 0.5", "accept: 5\n  review: 6"),
    ("journey_node_unclear", 44, "{loop: till}", "{loop: till, optional: till}"),
    ("journey_node_empty", 44, "[till, {optional: {loop: till}}]", "[till, {choice: []}]"),
    ("journey_unknown_touchpoint", 44, "{loop: till}", "{loop: tills}"),
    ("journey_branch_twice", 44, "{loop: till}", "{choice: [till, till]}"),
    ("journey_too_large", 44, "[till, {optional: {loop: till}}]",
     f"[{{parallel: [{', '.join(['{sequence: [till, till, till]}', '{loop: {sequence: [till, till]}}'] * 8)}]}}]"),
]  # fmt: skip
WARNINGS = {
    "label_in_one_language",
    "touchpoint_without_score",
    "stage_without_touchpoint",
    "few_examples",
    "measure_without_purpose",
    "expiry_without_consent",
    "notice_without_proof",
    "journey_branch_twice",
}
FOLLOW_ON = {
    "touchpoint_without_operation": {"unknown_touchpoint"},
    "missing_field": {"stage_without_touchpoint"},
    "unknown_stage": {"stage_without_touchpoint"},
}
"""Changes that break two rules at once: both must be said."""


def check(folder: Path, text: str) -> list[tuple[str, int | None, str]]:
    (folder / "blueprint.yaml").write_text(text, "utf-8")
    _, faults = check_blueprint(folder)
    return [(fault.code, fault.line, fault.level) for fault in faults]


def test_the_sound_blueprint_has_no_fault(tmp_path: Path) -> None:
    assert check(tmp_path, SOUND) == []


@pytest.mark.parametrize(("code", "line", "old", "new"), CASES, ids=[case[0] for case in CASES])
def test_each_rule_names_its_line(tmp_path: Path, code: str, line: int, old: str, new: str) -> None:
    assert SOUND.count(old) == 1
    found = check(tmp_path, SOUND.replace(old, new))
    others = FOLLOW_ON.get(code, set())
    level = "warning" if code in WARNINGS else "error"
    assert (code, line, level) in found
    assert {one for one, _, _ in found} == {code} | others


CARE = (
    "measures: [all], retention_days: 90}\n  - {id: care, label: {fr: S, en: C}, basis: contract, measures: [MEASURE]}"
)


@pytest.mark.parametrize(
    ("field", "measure", "line"),
    [
        ("segment", "journey", 35),
        ("shop_id", "promises", 43),
        ("paid_eur", "funnel", 44),
        ("people", "causes", 30),
        ("stars", "experience", 17),
    ],
)
def test_what_reads_a_field_for_a_purpose_that_it_is_not_for_is_named(
    tmp_path: Path, field: str, measure: str, line: int
) -> None:
    kind = "category" if field in ("segment", "shop_id") else "number"
    text = SOUND.replace("measures: [all], retention_days: 90}", CARE.replace("MEASURE", measure))
    assert check(tmp_path, text) == []
    told = f"  - {{id: {field}, kind: {kind}, purposes: [improve]}}"
    text = text.replace("  - {id: colour, kind: category}", told)
    assert check(tmp_path, text) == [("field_not_for_purpose", line, "error")]
    assert check(tmp_path, text.replace(measure + "]}", "timeline]}")) == []


def test_what_is_compared_for_a_purpose_that_it_is_not_for_is_named(tmp_path: Path) -> None:
    text = SOUND.replace("measures: [all], retention_days: 90}", CARE.replace("MEASURE", "timeline"))
    text = text.replace("{id: surname, kind: personal}", "{id: surname, kind: personal, purposes: [improve]}")
    assert check(tmp_path, text) == []
    other = text.replace("link:\n  purpose: improve", "link:\n  purpose: care")
    assert check(tmp_path, other) == [("field_not_for_purpose", 48, "error")]


def test_a_sensitive_field_needs_a_basis_that_can_carry_it(tmp_path: Path) -> None:
    sensitive = "{id: colour, kind: category, class: sensitive, purposes: [improve]}"
    text = SOUND.replace("{id: colour, kind: category}", sensitive)
    assert check(tmp_path, text) == []
    assert check(tmp_path, text.replace("basis: consent", "basis: contract")) == [
        ("sensitive_needs_consent", 36, "error")
    ]


def test_a_promise_on_experience_that_is_not_measured(tmp_path: Path) -> None:
    lines = [line for line in SOUND.splitlines() if not line.startswith("    experience:")]
    found = check(tmp_path, "\n".join(lines).replace("metric: queue", "metric: experience"))
    assert ("promise_on_unmeasured", 16, "error") in found


def test_several_faults_come_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = SOUND.replace("kind: human", "kind: humane").replace("owner: sales\n    events: [Paid]", "ownr: sales")
    text = text.replace("basis: consent, ", "").replace("currency: EUR", "currency: euros")
    found = [(code, line) for code, line, level in check(tmp_path, text) if level == "error"]
    assert found == [
        ("unknown_choice", 5),
        ("touchpoint_without_owner", 10),
        ("touchpoint_without_event", 10),
        ("unknown_key", 14),
        ("purpose_without_basis", 31),
        ("bad_currency", 42),
    ]


def test_a_shared_id_of_touchpoint_and_operation_is_refused(tmp_path: Path) -> None:
    text = SOUND.replace("id: staffing", "id: till").replace("follows: [staffing]", "follows: [till]")
    assert ("duplicate_id", 26, "error") in check(tmp_path, text)


def test_a_cycle_is_named_once_with_its_operations(tmp_path: Path) -> None:
    (tmp_path / "blueprint.yaml").write_text(
        SOUND.replace("unit: people}", "unit: people}\n    follows: [queue]"), "utf-8"
    )
    _, faults = check_blueprint(tmp_path)
    (fault,) = faults
    assert "staffing → queue → staffing" in fault.sentence.fr
    assert "staffing → queue → staffing" in fault.sentence.en


def test_a_choice_names_an_id_that_stands_twice_only_once(tmp_path: Path) -> None:
    twice = "stages:\n  - {id: buy, label: {fr: Bis, en: Again}, deadline: 30d}\n"
    (tmp_path / "blueprint.yaml").write_text(SOUND.replace("stages:\n", twice).replace("stage: buy", "stage: zzz"))
    fault = next(fault for fault in check_blueprint(tmp_path)[1] if fault.code == "unknown_stage")
    assert fault.remedy.fr == "Déclarez « zzz », ou choisissez parmi : buy."
