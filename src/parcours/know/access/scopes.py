"""What may be somebody's own: teams and accounts that the blueprint knows, and only for a role that has an own."""

from __future__ import annotations

from collections.abc import Sequence

from parcours.blueprint.records import Blueprint
from parcours.errors import ParcoursError
from parcours.know.access.roles import ROLES, Role
from parcours.words import Words

BY_TEAM: tuple[Role, ...] = ("cem",)
BY_ACCOUNT: tuple[Role, ...] = ("csm", "sales")


def check_scope(role: str, scope: Sequence[str], blueprint: Blueprint) -> None:
    """Do nothing if ``scope`` may be the own of somebody with ``role``; labels of groups are not looked up.

    Raises:
        ParcoursError: ``no_own`` for a role that has nothing of its own, ``unknown_team``, ``unknown_group``.
    """
    if role not in ROLES or not scope:
        return
    if role in BY_TEAM:
        known = [team.id for team in blueprint.teams]
        if wrong := [one for one in scope if one not in known]:
            raise _unknown_team(wrong[0], known)
    elif role in BY_ACCOUNT:
        known = [group.id for group in blueprint.groups]
        for one in scope:
            group, _, label = one.partition(":")
            if group not in known or not label:
                raise _unknown_group(one, known)
    else:
        raise _no_own(role)


def tell_scope(role: str, scope: Sequence[str]) -> Words | None:
    """Return in a sentence what somebody sees who sees their own alone; nothing for every other role."""
    listed = ", ".join(scope)
    if role in BY_TEAM:
        if not scope:
            return Words(
                fr="Sans --own TEAM, cette personne ne voit le travail d'aucune équipe.",
                en="Without --own TEAM this person sees the work of no team.",
            )
    elif role in BY_ACCOUNT:
        if not scope:
            return Words(
                fr="Sans --own GROUP:LABEL, cette personne ne voit aucun client.",
                en="Without --own GROUP:LABEL this person sees no customer.",
            )
        return Words(
            fr=f"Cette personne voit les clients de {listed}, s'il y en a : les valeurs ne sont pas vérifiées.",
            en=f"This person sees the customers of {listed}, if there are any: the labels are not looked up.",
        )
    return None


def _unknown_team(team: str, known: Sequence[str]) -> ParcoursError:
    return ParcoursError(
        "unknown_team",
        Words(fr=f"Le blueprint n'a pas d'équipe « {team} ».", en=f"The blueprint has no team “{team}”."),
        Words(fr=f"Équipes : {', '.join(known) or '–'}.", en=f"Teams: {', '.join(known) or '–'}."),
    )


def _unknown_group(account: str, known: Sequence[str]) -> ParcoursError:
    return ParcoursError(
        "unknown_group",
        Words(
            fr=f"« {account} » n'est pas un compte : un groupe du blueprint et sa valeur, GROUP:LABEL.",
            en=f"“{account}” is no account: a group of the blueprint and its label, GROUP:LABEL.",
        ),
        Words(fr=f"Groupes : {', '.join(known) or '–'}.", en=f"Groups: {', '.join(known) or '–'}."),
    )


def _no_own(role: str) -> ParcoursError:
    return ParcoursError(
        "no_own",
        Words(
            fr=f"Le rôle {role} n'a rien en propre : ce qu'il voit ne dépend pas de --own.",
            en=f"The role {role} has nothing of its own: what it sees does not depend on --own.",
        ),
        Words(
            fr="Retirez --own, ou choisissez cem (une équipe), csm ou sales (un compte GROUP:LABEL).",
            en="Leave --own out, or choose cem (a team), csm or sales (an account GROUP:LABEL).",
        ),
    )
