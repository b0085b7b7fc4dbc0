"""A blueprint drafted from somebody else's BPMN: what its lanes, tasks and flows already say, and nothing more."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from parcours.blueprint.bpmn.model import Model, Task

_CUSTOMER = re.compile(
    r"\b(clients?|customers?|usag[eè]re?s?|user|patients?|citizens?|citoyen(ne)?s?|consumers?|acheteur|buyer|kunde)\b",
    re.IGNORECASE,
)


def draft_of(bpmn: Model, name: str) -> tuple[dict[str, Any], list[str]]:
    """Return the plain data of a draft blueprint, and the arrows between tasks that a blueprint has no word for.

    What BPMN does not say is left out, for `check` to ask for.
    """
    customers = {task.id for task in bpmn.tasks if _is_customer(task)}
    fronts = _fronts(bpmn, customers)
    ids = _ids(bpmn.tasks)
    behind = [task for task in bpmn.tasks if task.id not in customers and task.id not in fronts]
    teams = {_owner(task): None for task in (*fronts.values(), *behind) if _owner(task)}
    team_ids = dict(zip(teams, _distinct([_slug(team) for team in teams]), strict=True))
    touchpoints = [_item(task, ids, team_ids) for task in fronts.values()]
    leads = bpmn.leads()
    operations = []
    for task in behind:
        operation = _item(task, ids, team_ids)
        supports = [ids[to] for to in leads[task.id] if to in fronts]
        follows = [ids[other.id] for other in behind if task.id in leads[other.id]]
        operation.update({key: found for key, found in (("supports", supports), ("follows", follows)) if found})
        operations.append(operation)
    kept = {(operation["id"], to) for operation in operations for to in operation.get("supports", ())}
    kept |= {(parent, operation["id"]) for operation in operations for parent in operation.get("follows", ())}
    drawn = [(ids[task.id], ids[to]) for task in bpmn.tasks for to in leads[task.id] if task.id not in customers]
    left_out = [f"{source} → {target}" for source, target in drawn if (source, target) not in kept]
    plain = {
        "company": {"id": _slug(name), "label": name},
        "stages": [],
        "channels": [],
        "teams": [{"id": id, "label": team} for team, id in team_ids.items()],
        "touchpoints": touchpoints,
        "operations": operations,
    }
    return plain, left_out


def _is_customer(task: Task) -> bool:
    # A lane speaks before its pool: a "Customer desk" lane is the company's.
    words = task.lane or task.pool
    return bool(_CUSTOMER.search(words)) and not re.search(
        r"\b(service|desk|care|support|relation)", words, re.IGNORECASE
    )


def _fronts(bpmn: Model, customers: set[str]) -> dict[str, Task]:
    """Return the tasks that meet the customer: across a message flow, or next to a customer's task."""
    outside = customers | {id for id, name in bpmn.pools.items() if _CUSTOMER.search(name)}
    leads = bpmn.leads()
    pairs = [*bpmn.messages, *((source, target) for source, targets in leads.items() for target in targets)]
    met = {there for pair in pairs for here, there in (pair, pair[::-1]) if here in outside and there not in outside}
    fronts = {task.id: task for task in bpmn.tasks if task.id in met}
    # A customer's step that meets nobody in the drawing is still a touchpoint: somebody must own it.
    alone = {id for id in customers if not any(id in pair for pair in bpmn.messages)}
    linked = {id for pair in pairs for id in pair if set(pair) & set(fronts)}
    return fronts | {task.id: task for task in bpmn.tasks if task.id in alone - linked}


def _item(task: Task, ids: dict[str, str], teams: dict[str, str]) -> dict[str, Any]:
    item: dict[str, Any] = {"id": ids[task.id], "label": task.name or task.id}
    owner = _owner(task)
    if owner:
        item["owner"] = teams[owner]
    return item


def _owner(task: Task) -> str:
    return "" if _is_customer(task) else task.lane or task.pool


def _ids(tasks: tuple[Task, ...]) -> dict[str, str]:
    slugs = _distinct([_slug(task.name or task.id) for task in tasks])
    return dict(zip((task.id for task in tasks), slugs, strict=True))


def _distinct(slugs: list[str]) -> list[str]:
    taken: set[str] = set()
    found = []
    for slug in slugs:
        name, number = slug, 2
        while name in taken:
            name, number = f"{slug}_{number}", number + 1
        taken.add(name)
        found.append(name)
    return found


def _slug(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii").lower()
    slug = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")
    return slug if re.match(r"[a-z]", slug) else f"x_{slug}".strip("_")
