"""Rules about the designed journey: every node has one kind, and the whole compiles to a small automaton."""

from __future__ import annotations

from collections.abc import Iterator

from parcours.blueprint.automaton import KINDS, TooManyStatesError, compile_journey, kinds_of
from parcours.blueprint.draft import Draft
from parcours.blueprint.records import Step
from parcours.blueprint.yaml_lines import Place
from parcours.errors import Fault
from parcours.words import Words


def find_unclear_nodes(draft: Draft) -> Iterator[Fault]:
    """A node of no kind or of two, a choice or sequence of nothing."""
    for place, _ in _nodes(draft):
        kinds = [kind for kind in KINDS if draft.raw((*place, kind)) is not None]
        if isinstance(draft.raw(place), dict) and len(kinds) != 1:
            found = ", ".join(kinds) or "–"
            listed = ", ".join(KINDS)
            yield draft.error(
                "journey_node_unclear",
                place,
                Words(
                    f"Ce nœud doit avoir une seule nature (ici : {found}).",
                    f"This node must have one kind (here: {found}).",
                ),
                Words(f"Gardez l'un de : {listed}.", f"Keep one of: {listed}."),
            )
        for kind in ("sequence", "choice", "parallel"):
            if draft.raw((*place, kind)) == []:
                yield draft.error(
                    "journey_node_empty",
                    (*place, kind),
                    Words(f"« {kind} » est vide.", f"“{kind}” is empty."),
                    Words("Ajoutez-y des étapes, ou retirez ce nœud.", "Add steps to it, or remove this node."),
                )


def find_unknown_touchpoints(draft: Draft) -> Iterator[Fault]:
    """A node at a touchpoint that nobody described."""
    known = draft.ids("touchpoints")
    for place, step in _nodes(draft):
        if step.touchpoint and step.touchpoint not in known:
            yield draft.error(
                "journey_unknown_touchpoint",
                (*place, "touchpoint"),
                Words(
                    f"Le point de contact « {step.touchpoint} » n'existe pas.",
                    f"The touchpoint “{step.touchpoint}” does not exist.",
                ),
                Words(f"Choisissez parmi : {', '.join(known)}.", f"Choose one of: {', '.join(known)}."),
            )


def find_twin_branches(draft: Draft) -> Iterator[Fault]:
    """A choice between two equal branches: one of them says nothing."""
    for place, step in _nodes(draft):
        for index, branch in enumerate(step.choice):
            if branch in step.choice[:index] and kinds_of(branch):
                yield draft.warning(
                    "journey_branch_twice",
                    (*place, "choice", index),
                    Words(
                        "Cette branche répète une autre branche du choix.",
                        "This branch repeats another branch of the choice.",
                    ),
                    Words("Retirez-la.", "Remove it."),
                )


def find_uncompilable_journey(draft: Draft) -> Iterator[Fault]:
    """A journey with so much in parallel that its automaton would not stay small."""
    if draft.blueprint.journey is None or any(len(kinds_of(step)) != 1 for _, step in _nodes(draft)):
        return
    try:
        compile_journey(draft.blueprint)
    except TooManyStatesError as error:
        yield draft.error(
            "journey_too_large",
            ("journey",),
            Words(
                f"Le parcours prévu donne plus de {error.most} états.",
                f"The designed journey gives more than {error.most} states.",
            ),
            Words(
                "Mettez moins d'étapes en « parallel: », ou découpez-les en séquences.",
                "Put fewer steps in “parallel:”, or cut them into sequences.",
            ),
        )


RULES = (find_unclear_nodes, find_unknown_touchpoints, find_twin_branches, find_uncompilable_journey)


def _nodes(draft: Draft) -> Iterator[tuple[Place, Step]]:
    """Yield every node of the journey with its place."""
    open_nodes: list[tuple[Place, Step]] = []
    if draft.blueprint.journey is not None:
        open_nodes.append((("journey",), draft.blueprint.journey))
    while open_nodes:
        place, step = open_nodes.pop()
        yield place, step
        for kind in ("sequence", "choice", "parallel"):
            children = getattr(step, kind)
            open_nodes += [((*place, kind, index), child) for index, child in enumerate(children)]
        open_nodes += [((*place, kind), child) for kind in ("optional", "loop") if (child := getattr(step, kind))]
