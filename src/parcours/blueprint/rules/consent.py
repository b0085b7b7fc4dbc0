"""Rules about consent: what people were shown, how long their choice holds, and which signals it is read from."""

from __future__ import annotations

import re
from collections.abc import Iterator

from parcours.blueprint.draft import Draft
from parcours.blueprint.records import Notice
from parcours.errors import Fault
from parcours.words import Words

TCF_PURPOSES = 11
TCF_CONSENT_ALONE = (1, 3, 4, 5, 6)
MOST_VENDORS = (1 << 16) - 1
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Z]{2})?")
_SHA256 = re.compile(r"[0-9a-f]{64}")


def find_bad_notices(draft: Draft) -> Iterator[Fault]:
    """A notice that could not be told from another, or that proves nothing because a word of it cannot be read."""
    seen: set[tuple[str, str, str]] = set()
    for place, notice in draft.items("notices"):
        named = (notice.id, notice.version, notice.language)
        if all(named) and named in seen:
            yield draft.error(
                "notice_twice",
                place,
                Words(
                    f"La notice « {notice.id} » est déjà décrite dans cette version et cette langue.",
                    f"The notice “{notice.id}” is already described in this version and language.",
                ),
                Words("Donnez à l'une des deux une autre version.", "Give one of the two another version."),
            )
        seen.add(named)
        if notice.since and not _is_day(notice):
            yield draft.error(
                "bad_notice_date",
                (*place, "since"),
                Words(f"« {notice.since} » n'est pas une date.", f"“{notice.since}” is not a date."),
                Words("Écrivez le premier jour, par exemple 2026-03-01.", "Write the first day, such as 2026-03-01."),
            )
        if notice.language and not _LANGUAGE.fullmatch(notice.language):
            yield draft.error(
                "bad_notice_language",
                (*place, "language"),
                Words(f"« {notice.language} » n'est pas une langue.", f"“{notice.language}” is not a language."),
                Words("Écrivez par exemple fr ou fr-BE (BCP 47).", "Write for instance fr or fr-BE (BCP 47)."),
            )
        if notice.interface and not _SHA256.fullmatch(notice.interface):
            yield draft.error(
                "bad_interface_hash",
                (*place, "interface"),
                Words("L'empreinte de l'interface n'en est pas une.", "The hash of the interface is none."),
                Words(
                    "Écrivez le SHA-256 de son code : 64 chiffres hexadécimaux (sha256sum banner.js).",
                    "Write the SHA-256 of its code: 64 hexadecimal digits (sha256sum banner.js).",
                ),
            )


def find_unproven_notices(draft: Draft) -> Iterator[Fault]:
    """A notice of which nobody could show later what it looked like."""
    for place, notice in draft.items("notices"):
        if not notice.interface or not notice.screenshot:
            yield draft.warning(
                "notice_without_proof",
                place,
                Words(
                    f"Rien ne prouve ce que la notice « {notice.id} » montrait.",
                    f"Nothing proves what the notice “{notice.id}” showed.",
                ),
                Words(
                    "Ajoutez interface: (SHA-256 de son code) et screenshot: (où est la capture), comme la CNIL le "
                    "demande.",
                    "Add interface: (SHA-256 of its code) and screenshot: (where its picture is), as the CNIL asks.",
                ),
            )


def find_notices_of_nothing(draft: Draft) -> Iterator[Fault]:
    """A notice for a purpose that nobody declared."""
    declared = draft.ids("purposes")
    for place, notice in draft.items("notices"):
        for index, purpose in enumerate(notice.purposes):
            if purpose and purpose not in declared:
                yield draft.error(
                    "notice_for_unknown_purpose",
                    (*place, "purposes", index),
                    Words(f"La finalité « {purpose} » n'existe pas.", f"The purpose “{purpose}” does not exist."),
                    Words(
                        f"Choisissez parmi : {', '.join(declared) or '–'}.",
                        f"Choose one of: {', '.join(declared) or '–'}.",
                    ),
                )


def find_bad_expiries(draft: Draft) -> Iterator[Fault]:
    """A consent that never holds, or a term for something that is no consent."""
    for place, purpose in draft.items("purposes"):
        days = purpose.expires_days
        if days is None:
            continue
        if days < 1:
            yield draft.error(
                "expiry_not_positive",
                (*place, "expires_days"),
                Words("Un consentement vaut au moins un jour.", "A consent holds for one day at least."),
                Words(
                    "Écrivez un nombre de jours ; la CNIL conseille de garder un choix six mois : 182.",
                    "Write a number of days; the CNIL advises to keep a choice for six months: 182.",
                ),
            )
        elif purpose.basis and purpose.basis != "consent":
            yield draft.warning(
                "expiry_without_consent",
                (*place, "expires_days"),
                Words(
                    f"La finalité « {purpose.id} » ne repose pas sur le consentement : rien n'y expire.",
                    f"The purpose “{purpose.id}” does not rest on consent: nothing of it expires.",
                ),
                Words("Retirez expires_days, ou changez la base légale.", "Remove expires_days, or change the basis."),
            )


def find_bad_signals(draft: Draft) -> Iterator[Fault]:
    """Signals that the framework does not have, or that could never say yes."""
    for place, purpose in draft.items("purposes"):
        signals, where = purpose.signals, (*place, "signals")
        if signals is None:
            continue
        for index, number in enumerate(signals.tcf):
            if number < 1 or number > TCF_PURPOSES:
                yield draft.error(
                    "unknown_tcf_purpose",
                    (*where, "tcf", index),
                    Words(f"Le TCF n'a pas de finalité {number}.", f"The TCF has no purpose {number}."),
                    Words(f"Écrivez des numéros de 1 à {TCF_PURPOSES}.", f"Write numbers from 1 to {TCF_PURPOSES}."),
                )
            elif number in TCF_CONSENT_ALONE and purpose.basis not in ("", "consent"):
                yield draft.error(
                    "tcf_needs_consent",
                    (*where, "tcf", index),
                    Words(
                        f"La finalité {number} du TCF ne repose que sur le consentement.",
                        f"Purpose {number} of the TCF rests on consent alone.",
                    ),
                    Words("Écrivez basis: consent, ou retirez ce numéro.", "Write basis: consent, or remove it."),
                )
        vendor = signals.tcf_vendor
        if vendor is not None and (not signals.tcf or vendor < 1 or vendor > MOST_VENDORS):
            yield draft.error(
                "bad_tcf_vendor",
                (*where, "tcf_vendor"),
                Words("Ce fournisseur TCF ne désigne rien.", "This TCF vendor names nothing."),
                Words(
                    "Écrivez son numéro dans la liste mondiale, à côté de tcf: [1, …] ; sans lui, l'éditeur compte.",
                    "Write its number in the global list, beside tcf: [1, …]; without one the publisher counts.",
                ),
            )


RULES = (find_bad_notices, find_unproven_notices, find_notices_of_nothing, find_bad_expiries, find_bad_signals)


def _is_day(notice: Notice) -> bool:
    try:
        notice.since_ms()
    except ValueError:
        return False
    return True
