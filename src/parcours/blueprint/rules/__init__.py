"""The rules of a blueprint, one small function each: from a draft to its faults."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from parcours.blueprint.draft import Draft
from parcours.blueprint.rules import (
    audience,
    consent,
    fields,
    ids,
    journey,
    linking,
    meeting,
    money,
    operations,
    purposes,
    references,
    scores,
)
from parcours.errors import Fault

Rule = Callable[[Draft], Iterable[Fault]]

RULES: tuple[Rule, ...] = (
    *ids.RULES,
    *references.RULES,
    *meeting.RULES,
    *scores.RULES,
    *operations.RULES,
    *purposes.RULES,
    *consent.RULES,
    *fields.RULES,
    *audience.RULES,
    *money.RULES,
    *linking.RULES,
    *journey.RULES,
)
"""Every rule, in the order in which a blueprint is written."""
