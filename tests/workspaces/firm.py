"""A company of finished results over the retail blueprint: what pages are tested with, without any engine."""

from __future__ import annotations

import math
import random
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from tests.workspaces.consenting import make_overview, make_requests

from parcours.blueprint import read_blueprint
from parcours.blueprint.records import Blueprint, Touchpoint
from parcours.errors import ParcoursError
from parcours.know import Caller, ConsentOverview, Request
from parcours.measure import measure_named
from parcours.measure.contract import Result
from parcours.measure.lattice import suppress
from parcours.measure.sight import check_sight, see
from parcours.settings import Settings
from parcours.words import Words

RETAIL = Path(__file__).parents[2] / "examples" / "retail"
FIRST, LAST = 1_767_571_200_000, 1_767_571_200_000 + 52 * 7 * 86_400_000
SATISFIED = {
    "store_visit": 0.74,
    "checkout": 5.6,
    "delivery": 0.58,
    "call_centre": 0.66,
    "refund": 0.81,
    "loyalty": 34.0,
}
EFFECTS = (
    ("delivery", "carrier_delay", -0.52, 0.06),
    ("delivery", "packing_errors", -0.38, 0.06),
    ("call_centre", "ticket_backlog", -0.29, 0.05),
    ("store_visit", "staff_shortage", -0.24, 0.07),
    ("delivery", "ticket_backlog", -0.11, 0.05),
    ("refund", "refund_delay", -0.06, 0.05),
    ("checkout", "page_latency", -0.05, 0.03),
    ("delivery", "it_incidents", 0.02, 0.05),
)


class Said(NamedTuple):
    """A comment."""

    score: float
    text: str
    occurred_ms: int


class Run(NamedTuple):
    """What the latest run did."""

    events: int = 1_215_487
    customers: int = 50_510
    sources: tuple[dict[str, Any], ...] = (
        {"counts": {"rows_read": 30_000, "quarantined": 12}},
        {"counts": {"rows_read": 1_000, "quarantined": 0}},
    )
    warnings: tuple[Words, ...] = ()
    finished_ms: int = LAST


class Firm:
    """What pages read, made of fixed numbers; ``answered=False`` is a firm that nobody ever answered."""

    def __init__(self, folder: Path, blueprint: Blueprint | None = None, answered: bool = True) -> None:
        self.folder = folder
        self.blueprint = blueprint or read_blueprint(RETAIL)
        self.settings = Settings()
        self.answered = answered
        self.notice: Words | None = None
        self.report = Run() if answered else None
        records = (
            *self.blueprint.stages,
            *self.blueprint.channels,
            *self.blueprint.teams,
            *self.blueprint.touchpoints,
            *self.blueprint.operations,
            *self.blueprint.purposes,
        )
        self.labels = {record.id: record.label for record in records}

    def result(self, name: str, by: str | None = None) -> Result:
        """Answer a measure with rows of its own shape."""
        measure = measure_named(name)
        measure.check_split(self.blueprint, by)
        rows = {
            "experience": self._experience,
            "causes": self._causes,
            "journey": self._journey,
            "transitions": self._transitions,
            "promises": self._promises,
            "stakes": self._stakes,
        }
        made = rows[name](by) if name in rows else []
        if name == "funnel":
            raise ParcoursError("no_purpose", Words("Aucune finalité.", "No purpose."), Words("Ajoutez-la.", "Add it."))
        return Result(
            measure=name,
            question=measure.question,
            unit=measure.unit,
            period=(FIRST, LAST),
            n=sum(row.get("n") or 0 for row in made) or len(made),
            columns=measure.columns,
            rows=tuple(made),
            definition=Words(fr="Une définition.", en="A definition."),
            sql="select 1 < 2",
            method=Words(fr="Une méthode.", en="A method."),
            purpose="improve_service",
            by=by,
            warnings=(Words(fr="Un avertissement.", en="A warning."),) if name == "experience" else (),
        )

    def offered(self, name: str) -> tuple[str | None, ...]:
        """Return every split of a measure."""
        return (None, *measure_named(name).splits_for(self.blueprint))

    def seen_by(self, caller: Caller, name: str, by: str | None = None) -> Result:
        """Answer a measure as somebody may see it."""
        measure = measure_named(name)
        measure.check_split(self.blueprint, by)
        decision = check_sight(measure, self.blueprint, caller, by)
        if not decision.aggregate_only:
            return see(self.result(name, by), self.blueprint, caller, decision)
        # Rows by groups are none of what this firm is made of.
        known = (None, "week") if name == "experience" else (None,)
        shown = suppress(measure, self.blueprint, {split: self.result(name, split) for split in known})
        return see(shown[by if by in known else None], self.blueprint, caller, decision)

    def consent_overview(self) -> ConsentOverview:
        """Say how consent stands, over the firm's own channels and purposes."""
        channels = tuple(channel.id for channel in self.blueprint.channels)
        purposes = tuple((purpose.id, str(purpose.basis)) for purpose in self.blueprint.purposes)
        return make_overview(channels, purposes)

    def requests(self) -> tuple[Request, ...]:
        """Return a few requests."""
        return make_requests()

    def restrictions_in_force(self) -> frozenset[int]:
        """Say that the closed request still restricts a use, and an open one is weighed."""
        return frozenset(one.number for one in make_requests() if one.kind == "objection")

    def verbatims(self, touchpoint: str, limit: int = 8) -> list[Said]:
        """Return comments; one tries to be markup."""
        said = [
            Said(2.0, "Le colis est arrivé trois jours après la date promise, carton ouvert.", LAST - 86_400_000),
            Said(9.0, "Livreur <script>alert(1)</script> aimable & ponctuel.", LAST),
            Said(5.0, "x" * 400, LAST - 2 * 86_400_000),
        ]
        return said[:limit] if self.answered else []

    def _experience(self, by: str | None) -> list[dict[str, Any]]:
        scored = [touchpoint for touchpoint in self.blueprint.touchpoints if touchpoint.experience]
        if by == "week":
            return [row for touchpoint in scored for row in self._weeks(touchpoint)]
        return [self._row(touchpoint, SATISFIED.get(touchpoint.id), 1840) for touchpoint in scored]

    def _weeks(self, touchpoint: Touchpoint) -> list[dict[str, Any]]:
        chance = random.Random(touchpoint.id)
        base = SATISFIED.get(touchpoint.id)
        rows = []
        for week in range(26):
            moved = None if base is None else base * (1 + 0.06 * math.sin(week / 4) + chance.uniform(-0.03, 0.03))
            if week in (11, 12):
                moved = None
            start = (date(2026, 1, 5) + timedelta(weeks=week)).isoformat()
            rows.append({"week": start, **self._row(touchpoint, moved, 70)})
        return rows

    def _row(self, touchpoint: Touchpoint, score: float | None, n: int) -> dict[str, Any]:
        assert touchpoint.experience
        metric, (low, high) = touchpoint.experience.metric, touchpoint.experience.scale
        width = {"csat": 0.9, "nps": 160.0, "ces": 3.2}[metric] / math.sqrt(n)
        known = score is not None and self.answered
        steps = [str(int(value)) for value in range(int(low), int(high) + 1)]
        return {
            "touchpoint": touchpoint.id,
            "metric": metric,
            "score": score if known else None,
            "low": score - width if known and score is not None else None,
            "high": score + width if known and score is not None else None,
            "n": n if known else 3 if self.answered else 0,
            "customers": n if known else 3 if self.answered else 0,
            "effective_n": n * 0.9 if known else None,
            "response_rate": 0.173 if known else None,
            "shrunken": score * 0.99 if known and score is not None else None,
            "detectable_change": width * 1.4 if known else None,
            "mean_score": low + 0.62 * (high - low) if known else None,
            "distribution": {step: 40 + 31 * place for place, step in enumerate(steps)} if known else None,
            "state": "measured" if known else "too_few_answers",
        }

    def _causes(self, by: str | None) -> list[dict[str, Any]]:
        if not self.answered:
            return []
        rows = []
        for rank, (touchpoint, operation, effect, error) in enumerate(EFFECTS, start=1):
            low, high = effect - 2.05 * error, effect + 2.05 * error
            rows.append(
                {
                    "rank": rank,
                    "touchpoint": touchpoint,
                    "operation": operation,
                    "effect": effect,
                    "low": low,
                    "high": high,
                }
                | {
                    "unit": "points (0–10) per within-site-and-week SD",
                    "effect_natural": effect / 6,
                    "natural_unit": "h",
                }
                | {"grade": "observed", "robustness": 0.21, "n": 1840, "customers": 41_250, "value": 3_184_000.0}
                | {
                    "settle": {
                        "fr": "Un essai sur 12 sites pendant 8 semaines.",
                        "en": "A trial at 12 sites for 8 weeks.",
                    }
                }
            )
        blank = dict.fromkeys(("effect", "low", "high", "grade", "robustness", "settle"))
        why = {"fr": "Trop peu de réponses.", "en": "Too few answers."}
        rows.append(
            {"rank": 9, "touchpoint": "delivery", "operation": "credit_check_time", **blank, "n": 12, "why": why}
        )
        return rows

    def _promises(self, by: str | None) -> list[dict[str, Any]]:
        """Held at 110 % of each bound, refunds at 92 %, deliveries at 85 %; order tracking has no figure."""
        rows = []
        for touchpoint in self.blueprint.touchpoints:
            promise = touchpoint.promise
            if promise is None:
                continue
            known = self.answered and touchpoint.id != "tracking"
            bound = promise.at_least if promise.at_most is None else promise.at_most
            assert bound is not None
            value = bound * {"refund": 0.92, "delivery": 0.85}.get(touchpoint.id, 1.1)
            right = value >= bound if promise.at_most is None else value <= bound
            behind = promise.metric != "experience"
            unit = self.blueprint.operation(promise.metric).measure.unit if behind else "points (0–10)"
            figures: dict[str, Any] = {"value": value, "low": 0.99 * value, "high": 1.01 * value}
            figures |= {"kept_share": 0.679, "share_low": 0.656, "share_high": 0.701}
            rows.append(
                {"touchpoint": touchpoint.id, "metric": promise.metric, "unit": unit, "bound": bound, "n": 7056}
                | {"kept": ("kept" if right else "broken") if known else "not_measured"}
                | {"at_least": promise.at_least, "at_most": promise.at_most, "owner": touchpoint.owner}
                | {"group_size": 7056}
                | (figures if known else dict.fromkeys(figures))
            )
        return rows

    def _stakes(self, by: str | None) -> list[dict[str, Any]]:
        if not self.answered:
            return []
        likely = {"likely": 11_038, "likely_low": 10_828, "likely_high": 11_244}
        money = {"likely_value": 2_540_000.0, "likely_value_low": 2_470_000.0, "likely_value_high": 2_610_000.0}
        said = {"rank": 1, "touchpoint": "delivery", "operation": None, "kind": "bad_experience", "group": None}
        return [said | {"customers": 3887, "value": 901_429.0, "share": 0.641, "n": 6062, "low": 0.629, "high": 0.653}
                | {"cells": 0} | likely | money]  # fmt: skip

    def _journey(self, by: str | None) -> list[dict[str, Any]]:
        entered, rows = 120_000, []
        for place, stage in enumerate(self.blueprint.stages):
            last = place == len(self.blueprint.stages) - 1
            moved_on = 0 if last else int(entered * (0.72 - 0.06 * place))
            left = 0 if last else int(entered * 0.14)
            times = {"median_ms": None, "low": None, "high": None}
            if not last:
                median = 86_400_000 * (1.4 + place)
                times = {"median_ms": median, "low": 0.9 * median, "high": 1.12 * median}
            counts = {"entered": entered, "moved_on": moved_on, "left": left, "under_way": entered - moved_on - left}
            rows.append({"stage": stage.id, **counts, **times})
            entered = moved_on
        return rows

    def _transitions(self, by: str | None) -> list[dict[str, Any]]:
        stage_at = {stage.id: place for place, stage in enumerate(self.blueprint.stages)}
        chance = random.Random(7)
        rows = []
        for source in self.blueprint.touchpoints:
            for target in self.blueprint.touchpoints:
                apart = stage_at[target.stage] - stage_at[source.stage]
                if apart in (-1, 0, 1, 2) and source.id != target.id:
                    share = chance.uniform(0.02, 0.3) / (1 + abs(apart - 1))
                    bounds = {"share": share, "low": share * 0.9, "high": share * 1.1}
                    count = int(20_000 * share)
                    rows.append(
                        {"source": source.id, "target": target.id, "count": count, "customers": count, **bounds}
                    )
        return rows
