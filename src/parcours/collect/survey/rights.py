"""What a customer is told before answering: what the answer serves, on which basis, for how long, with which rights."""

from __future__ import annotations

from collections.abc import Sequence

from parcours.blueprint.records import Basis, Purpose
from parcours.words import Language, Words

BASES: dict[Basis, Words] = {
    "consent": Words(fr="votre accord (RGPD, art. 6.1 a)", en="your consent (GDPR, art. 6(1)(a))"),
    "contract": Words(fr="l’exécution du contrat (RGPD, art. 6.1 b)", en="the contract (GDPR, art. 6(1)(b))"),
    "legal_obligation": Words(
        fr="une obligation légale (RGPD, art. 6.1 c)", en="a legal obligation (GDPR, art. 6(1)(c))"
    ),
    "vital_interest": Words(fr="l’intérêt vital (RGPD, art. 6.1 d)", en="vital interest (GDPR, art. 6(1)(d))"),
    "public_task": Words(fr="une mission d’intérêt public (RGPD, art. 6.1 e)", en="a public task (GDPR, art. 6(1)(e))"),
    "legitimate_interest": Words(
        fr="l’intérêt légitime (RGPD, art. 6.1 f)", en="legitimate interest (GDPR, art. 6(1)(f))"
    ),
}
_OBJECTED = frozenset({"legitimate_interest", "public_task"})
_DAYS_A_YEAR = 365

KNOWN = Words(
    fr="Votre réponse n’est pas anonyme\u202f: elle est rattachée à votre dossier chez {company}.",
    en="Your answer is not anonymous: it is tied to your record at {company}.",
)
SERVES = Words(
    fr="Elle sert à\u202f: «\u00a0{purpose}\u00a0». Base légale\u202f: {basis}{lasts}.",
    en="It serves to: “{purpose}”. Legal basis: {basis}{lasts}.",
)
LASTS = Words(fr="\u202f; utilisée {span} au plus", en="; used for {span} at most")
OBJECT = Words(
    fr="Vous pouvez vous y opposer à tout moment, sans vous justifier.",
    en="You may object to this at any time, without giving a reason.",
)
WITHDRAW = Words(fr="Vous pouvez retirer votre accord à tout moment.", en="You may withdraw your consent at any time.")
ASK = Words(
    fr="Vous pouvez aussi demander à voir votre réponse, à la corriger ou à la faire effacer\u202f: "
    "écrivez à {company}, "
    "ou saisissez l’autorité de protection des données (en France, la CNIL).",
    en="You may also ask to see your answer, to correct it or to have it erased: write to {company}, "
    "or turn to the data protection authority.",
)
QUIET = Words(
    fr="Cette page ne pose aucun cookie, n’exécute aucun script et n’appelle aucun tiers.",
    en="This page sets no cookie, runs no script and calls no third party.",
)


def tell_rights(purposes: Sequence[Purpose], company: str, language: Language) -> tuple[str, ...]:
    """Return the sentences, in the order in which they are read: who, what for, rights, what the page does not do."""
    bases = {purpose.basis for purpose in purposes}
    told = [KNOWN.in_language(language).format(company=company)]
    told += [_say_purpose(purpose, language) for purpose in purposes]
    if bases & _OBJECTED:
        told.append(OBJECT.in_language(language))
    if "consent" in bases:
        told.append(WITHDRAW.in_language(language))
    told.append(ASK.in_language(language).format(company=company))
    told.append(QUIET.in_language(language))
    return tuple(told)


def list_consents(purposes: Sequence[Purpose]) -> tuple[Purpose, ...]:
    """Return the purposes that rest on consent, each of which the page asks for with a box of its own."""
    return tuple(purpose for purpose in purposes if purpose.basis == "consent")


def needs_consent(purposes: Sequence[Purpose]) -> bool:
    """Say whether nothing but consent lets an answer be kept."""
    return all(purpose.basis == "consent" for purpose in purposes)


def _say_purpose(purpose: Purpose, language: Language) -> str:
    lasts = ""
    if purpose.retention_days is not None:
        lasts = LASTS.in_language(language).format(span=say_span(purpose.retention_days, language))
    return SERVES.in_language(language).format(
        purpose=purpose.label.in_language(language), basis=BASES[purpose.basis].in_language(language), lasts=lasts
    )


def say_span(days: int, language: Language) -> str:
    """Say a number of days, in whole years where it is some."""
    years, rest = divmod(days, _DAYS_A_YEAR)
    if years and not rest:
        return f"{years}\u00a0{_count(years, 'an', 'year', language)}"
    return f"{days}\u00a0{_count(days, 'jour', 'day', language)}"


def _count(number: int, french: str, english: str, language: Language) -> str:
    word = french if language == "fr" else english
    return word if number == 1 or (language == "fr" and number < 2) else f"{word}s"
