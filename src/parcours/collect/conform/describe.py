"""How an answer is told in one line: its status and the start of its body, or the trouble instead."""

from __future__ import annotations

from typing import Final

from parcours.collect.conform.client import Answer, Trouble
from parcours.words import Words

LONGEST = 80
TROUBLES: Final[dict[Trouble, Words]] = {
    "unresolved": Words("hôte introuvable", "no such host"),
    "refused": Words("connexion refusée", "connection refused"),
    "tls": Words("échec TLS", "TLS failed"),
    "timeout": Words("pas de réponse dans le délai", "no answer in time"),
    "closed": Words("connexion fermée sans réponse", "connection closed without an answer"),
    "cut": Words("réponse coupée", "answer cut short"),
    "endless": Words("réponse sans fin", "answer without an end"),
    "garbled": Words("réponse qui n'est pas du HTTP", "answer that is not HTTP"),
}


def describe(answer: Answer) -> Words:
    """Tell an answer in both languages."""
    if answer.trouble is not None:
        status = f"{answer.status}, " if answer.status else ""
        words = TROUBLES[answer.trouble]
        return Words(f"{status}{words.fr}", f"{status}{words.en}")
    told = f"{answer.status} {show_body(answer)}".rstrip()
    return Words(told, told)


def describe_exchange(told: str, answer: Answer) -> str:
    """Tell a request and its answer, in English, for the JSON report."""
    return f"{told} -> {describe(answer).en}"


def show_body(answer: Answer) -> str:
    """Return the start of a body, printable whatever it holds."""
    if answer.body.startswith(b"GIF8"):
        return f"GIF, {len(answer.body)} B"
    text = answer.body[: LONGEST * 4].decode("utf-8", "replace")
    shown = "".join(letter if letter.isprintable() else " " for letter in text)
    shown = " ".join(shown.split())
    return shown if len(shown) <= LONGEST else f"{shown[: LONGEST - 1]}…"
