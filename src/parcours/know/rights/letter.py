"""A dossier as a page that anybody can read, in French or English: one file, no script, nothing fetched."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Literal

from parcours.know.identity.telling import KINDS
from parcours.know.rights.access import Dossier
from parcours.words import Words

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "table{border-collapse:collapse;width:100%}td,th{border-bottom:1px solid #999;padding:.3rem;text-align:left;"
    "vertical-align:top;overflow-wrap:anywhere}@media(prefers-color-scheme:dark){body{background:#111;color:#eee}}"
)
_TITLES = {
    "access": Words(fr="Ce que nous savons de vous", en="What we hold about you"),
    "portability": Words(fr="Ce que vous nous avez confié", en="What you gave us"),
}
_BASES = {
    "consent": Words(fr="votre consentement", en="your consent"),
    "contract": Words(fr="notre contrat", en="our contract"),
    "legal_obligation": Words(fr="une obligation légale", en="a legal obligation"),
    "vital_interest": Words(fr="un intérêt vital", en="a vital interest"),
    "public_task": Words(fr="une mission d'intérêt public", en="a public task"),
    "legitimate_interest": Words(fr="notre intérêt légitime", en="our legitimate interest"),
}
_STATES = {
    "granted": Words(fr="accepté", en="accepted"),
    "denied": Words(fr="refusé", en="refused"),
    "withdrawn": Words(fr="retiré", en="withdrawn"),
}
_RIGHTS = Words(
    fr="Vous pouvez demander que ces données soient rectifiées ou effacées et que leur usage soit limité, vous opposer "
    "à leur usage, recevoir ce que vous nous avez confié sous une forme réutilisable ailleurs, et retirer un "
    "consentement à tout moment. Pour cela, ou pour joindre le délégué à la protection des données, adressez-vous à "
    "l'entreprise nommée en tête. Vous pouvez aussi introduire une réclamation auprès de la CNIL (www.cnil.fr).",
    en="You may ask for these data to be corrected or erased and for their use to be restricted, object to their use, "
    "receive what you gave us in a form that can be used elsewhere, and withdraw a consent at any time. To do so, or "
    "to reach the data protection officer, ask the company that is named at the top. You may also lodge a complaint "
    "with your data protection authority.",
)


def write_letter(dossier: Dossier, language: Literal["fr", "en"]) -> str:
    """Return a dossier as one HTML document."""

    def say(french: str, english: str) -> str:
        return escape(french if language == "fr" else english)

    def call(kind: str, id: str) -> str:
        return _word(dossier.labels, f"{kind}:{id}", language).removeprefix(f"{kind}:")

    title = escape(_TITLES[dossier.scope].in_language(language))
    who = [(_word(KINDS, one.name, language), one.value, one.told_at[:10]) for one in dossier.identifiers]
    who += [(call("field", one.name), one.value, one.told_at[:10]) for one in dossier.values]
    events = [
        (
            one.at.replace("T", " ").rstrip("Z"),
            one.label.in_language(language),
            "; ".join(f"{call('field', name)}{say(' :', ':')} {_figure(value)}" for name, value in one.about.items()),
            one.source,
            ", ".join(call("purpose", purpose) for purpose in one.purposes),
        )
        for one in reversed(dossier.events)
    ]
    choices = [
        (
            one.at[:10],
            call("purpose", one.purpose),
            _word(_STATES, one.state, language),
            f"{_word(KINDS, one.kind, language)} {one.identifier}",
        )
        for one in dossier.choices
    ]
    uses = [
        (
            one.label.in_language(language),
            _word(_BASES, one.basis, language),
            say("sans limite fixée", "no limit set") if one.days is None else f"{one.days} {say('jours', 'days')}",
            say("oui", "yes") if one.in_use else say("non", "no"),
        )
        for one in dossier.uses
    ]
    sections = [
        _table(
            say("Qui vous êtes", "Who you are"),
            (say("Quoi", "What"), say("Valeur", "Value"), say("Dit le", "Told on")),
            who,
        ),
        _table(
            say("Ce qui s'est passé", "What happened"),
            (say("Quand (UTC)", "When (UTC)"), say("Quoi", "What"), say("Détails", "Details"), say("Source", "Source"),
             say("Finalités", "Purposes")),
            events,
        ),
        _table(
            say("Vos choix", "Your choices"),
            (say("Quand", "When"), say("Finalité", "Purpose"), say("Choix", "Choice"), say("Fait pour", "Made for")),
            choices,
        ),
    ]  # fmt: skip
    if dossier.scope == "access":
        sections += [
            _table(
                say("À quoi cela sert", "What it serves"),
                (say("Finalité", "Purpose"), say("Base légale", "Legal basis"), say("Durée", "Kept for"),
                 say("En usage", "In use")),
                uses,
            ),
            _table(
                say("Qui le reçoit", "Who receives it"),
                (say("Destinataire", "Recipient"), say("Finalité", "Purpose")),
                [(one.name, call("purpose", one.value)) for one in dossier.recipients],
            ),
            f"<p>{escape(_RIGHTS.in_language(language))}</p>",
        ]  # fmt: skip
    company = escape(dossier.company.in_language(language))
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head><body><main>'
        f"<h1>{title}</h1><p>{company}, {escape(dossier.made_at[:10])}</p>{''.join(sections)}</main></body></html>\n"
    )


def _table(title: str, headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a heading and a table; ``title`` and ``headings`` are escaped already, cells are not."""
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    head = "".join(f'<th scope="col">{heading}</th>' for heading in headings)
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>" if body else "<p>–</p>"
    return f"<h2>{title}</h2>{table}"


def _figure(value: str | float) -> str:
    return f"{value:g}" if isinstance(value, float) else value


def _word(words: dict[str, Words], name: str, language: Literal["fr", "en"]) -> str:
    return words[name].in_language(language) if name in words else name
