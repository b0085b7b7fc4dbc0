"""How an erasure is told on a terminal: its dry run before, its receipt after, in sentences of either language."""

from __future__ import annotations

import time

import click

from parcours.cli.output import say_count, write_number
from parcours.know import CONSENT_PROOF, ErasureReceipt, Preview
from parcours.words import Words


def print_preview(preview: Preview) -> None:
    """Print what an erasure would do: who goes, who stays and why."""
    sections = (
        (Words(fr="Seraient effacés", en="Would be erased"), preview.identifiers),
        (Words(fr="Restent : appareils partagés", en="Stay: shared devices"), preview.shared),
        (Words(fr="Restent : non réunis à cette personne", en="Stay: not joined to this person"), preview.refused),
    )
    for title, held in sections:
        for place, one in enumerate(held):
            if not place:
                click.echo(str(Words(fr=f"{title.fr} :", en=f"{title.en}:")))
            click.echo(f"  {one.kind}:{one.value or '?'}  {say_count(one.events, *_EVENTS)}")
    for source, count in sorted(preview.events.items()):
        events = say_count(count, *_EVENTS)
        click.echo(str(Words(fr=f"  {events.fr} de {source}", en=f"  {events.en} of {source}")))
    if preview.beside:
        click.echo(
            str(
                say_count(
                    preview.beside,
                    (
                        "événement d'une autre personne perd un identifiant effacé, et reste.",
                        "événements d'autres personnes perdent un identifiant effacé, et restent.",
                    ),
                    (
                        "event of another person loses an erased identifier, and stays.",
                        "events of other people lose an erased identifier, and stay.",
                    ),
                )
            )
        )
    if preview.retained:
        kept = [_name_kept(id) for id in preview.retained]
        french, english = ", ".join(one.fr for one in kept), ", ".join(one.en for one in kept)
        click.echo(str(Words(fr=f"La loi garde, à part : {french}.", en=f"The law keeps, apart: {english}.")))
    if preview.recipients:
        listed = ", ".join(preview.recipients)
        told = Words(
            fr=f"Destinataires prévenus s'ils ont reçu ces événements : {listed}.",
            en=f"Recipients that are told if they got these events: {listed}.",
        )
        click.echo(str(told))


def print_receipt(receipt: ErasureReceipt) -> None:
    """Print a receipt in sentences."""
    seconds = write_number((receipt.done_ms - receipt.asked_ms) / 1000, 1)
    counted = [say_count(count, *_KINDS[kind]) for kind, count in receipt.identifiers.items()]
    french, english = ", ".join(one.fr for one in counted), ", ".join(one.en for one in counted)
    proof = receipt.proof
    files, cells = write_number(proof.files), write_number(proof.cells)
    told = [
        Words(
            fr=f"Effacement n° {receipt.erasure_no} prouvé en {seconds} s : {french}.",
            en=f"Erasure no. {receipt.erasure_no} proved in {seconds} s: {english}.",
        ),
        Words(
            fr=f"{files} fichiers et {cells} cellules lus et décodés : il ne reste rien.",
            en=f"{files} files and {cells} cells read and decoded: nothing is left.",
        ),
    ]
    for words in told:
        click.echo(str(words))
    for name, count in receipt.gone.items():
        click.echo(f"  {_name_gone(name)}  {write_number(count)}")
    for place, count in proof.mentions.items():
        mentions = say_count(count, ("mention", "mentions"), ("mention", "mentions"))
        click.echo(
            str(
                Words(
                    fr=f"! {mentions.fr} par d'autres dans {_name_gone(place).fr} : à vous de juger.",
                    en=f"! {mentions.en} by others in {place}: yours to judge.",
                )
            )
        )
    for kept in receipt.retained:
        until, rule = _day(kept.until_ms), _name_kept(kept.id)
        click.echo(
            str(
                Words(
                    fr=f"Gardé par la loi ({rule.fr}) : {write_number(kept.rows)} jusqu'au {until}.",
                    en=f"Kept by law ({rule.en}): {write_number(kept.rows)} until {until}.",
                )
            )
        )
    for backup in receipt.backups:
        click.echo(f"{_day(backup.until_ms)}  {backup.what}")


def _name_kept(id: str) -> Words:
    return Words(fr="preuves de consentement", en="proofs of consent") if id == CONSENT_PROOF else Words(fr=id, en=id)


def _name_gone(name: str) -> Words:
    if name.startswith("events "):
        source = name.removeprefix("events ")
        return Words(fr=f"événements de {source}", en=name)
    return Words(fr=_GONE.get(name, name), en=name)


def _day(at_ms: int) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(at_ms / 1000))


_EVENTS = ("événement", "événements"), ("event", "events")
_KINDS = {
    "user": (("compte", "comptes"), ("account", "accounts")),
    "mail": (("adresse mail", "adresses mail"), ("mail address", "mail addresses")),
    "phone": (("téléphone", "téléphones"), ("phone", "phones")),
    "device": (("appareil", "appareils"), ("device", "devices")),
}
_GONE = {
    "acts": "décisions sur des liens",
    "choices": "choix",
    "edges": "liens entre identifiants",
    "identifiers": "identifiants",
    "known rows": "lignes au registre des fichiers",
    "outbox": "envois en attente",
    "personal values": "données personnelles",
    "quarantine": "quarantaine",
    "quarantine of files": "quarantaine des fichiers",
    "restrictions": "limitations",
    "scored pairs": "paires comparées",
    "seen messages": "messages au registre des messages vus",
    "shared devices": "appareils partagés",
    "texts": "textes",
    "visits": "visites",
}
"""What went, by the name that receipts give it: those are signed, and the same in every language."""
