"""Why an event goes to quarantine: a code, the rule that it breaks, and a sentence with its remedy."""

from __future__ import annotations

import re

import msgspec

from parcours.words import Words

_LONE_SURROGATE = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F][0-9a-fA-F]{2}"
)
_LONGEST_NAME = 80


class Reason(msgspec.Struct, frozen=True):
    """What is wrong with an event; ``rule`` names the rule, ``words`` says what to do and never quotes a value."""

    code: str
    rule: str
    words: Words


UNKNOWN_SOURCE = Reason(
    "unknown_source",
    "wire.source",
    Words(
        "La source de cet événement n'est plus décrite. Rétablissez son fichier dans sources/, puis rejouez.",
        "The source of this event is no longer described. Put its file back into sources/, then replay.",
    ),
)
ENVELOPE_UNREADABLE = Reason(
    "envelope_unreadable",
    "wire.envelope",
    Words(
        "Ce qui a été reçu n'est pas un envoi d'événements en JSON. Corrigez ce qui l'envoie.",
        "What was received is no JSON delivery of events. Mend what sends it.",
    ),
)
JSON_UNREADABLE = Reason(
    "json_unreadable",
    "wire.json",
    Words(
        "L'événement n'est pas du JSON valide. Corrigez ce qui l'envoie.",
        "The event is not valid JSON. Mend what sends it.",
    ),
)
LONE_SURROGATE = Reason(
    "lone_surrogate",
    "wire.unicode",
    Words(
        "Un texte contient une moitié de caractère (surrogate isolé), souvent un émoji coupé. "
        "Coupez les textes par caractères entiers.",
        "A text holds half a character (a lone surrogate), often an emoji cut in two. Cut texts at whole characters.",
    ),
)
NOT_UTF8 = Reason(
    "not_utf8",
    "wire.unicode",
    Words("Un texte n'est pas en UTF-8. Corrigez son encodage.", "A text is not UTF-8. Mend its encoding."),
)
NUL_CHARACTER = Reason(
    "nul_character",
    "wire.nul",
    Words(
        "Une valeur contient le caractère NUL. Retirez-le avant l'envoi.",
        "A value holds the NUL character. Take it out before sending.",
    ),
)
TOO_DEEP = Reason(
    "too_deep",
    "wire.depth",
    Words(
        "L'événement est imbriqué trop profondément. Envoyez des propriétés plus plates.",
        "The event is nested too deeply. Send flatter properties.",
    ),
)
NUMBER_OUT_OF_RANGE = Reason(
    "number_out_of_range",
    "wire.number",
    Words(
        "Un nombre est trop grand pour être lu. Envoyez-le dans une autre unité, ou comme texte.",
        "A number is too large to be read. Send it in another unit, or as a text.",
    ),
)
NOT_AN_OBJECT = Reason(
    "not_an_object",
    "wire.object",
    Words(
        "L'événement n'est pas un objet JSON. Envoyez un objet par événement.",
        "The event is not a JSON object. Send one object an event.",
    ),
)
EVENT_TOO_LARGE = Reason(
    "event_too_large",
    "wire.event_size",
    Words(
        "L'événement dépasse 32 Ko. Envoyez moins de propriétés.",
        "The event is over 32 KB. Send fewer properties.",
    ),
)
TOO_MANY_EVENTS = Reason(
    "too_many_events",
    "wire.batch_size",
    Words(
        "L'envoi contient plus de 2 500 événements ; ceux d'après attendent ici. Rejouez-les, et envoyez-en moins "
        "à la fois.",
        "The delivery holds more than 2,500 events; those beyond wait here. Replay them, and send fewer at a time.",
    ),
)
UNKNOWN_TYPE = Reason(
    "unknown_type",
    "wire.type",
    Words(
        "Le type de l'événement manque ou est inconnu. Il faut track, identify, page, screen, group ou alias.",
        "The event's type is missing or unknown. It must be track, identify, page, screen, group or alias.",
    ),
)
EVENT_NAME_MISSING = Reason(
    "event_name_missing",
    "wire.event_name",
    Words(
        "Un appel track n'a pas de nom dans « event ». Nommez l'événement.",
        "A track call has no name in “event”. Name the event.",
    ),
)
MESSAGE_ID_UNUSABLE = Reason(
    "message_id_unusable",
    "wire.message_id",
    Words(
        "« messageId » dépasse 100 caractères ou n'est pas un texte. Laissez le SDK le remplir.",
        "“messageId” has more than 100 characters or is no text. Let the SDK fill it in.",
    ),
)
ID_UNUSABLE = Reason(
    "id_unusable",
    "wire.id",
    Words(
        "Un identifiant n'est ni un texte ni un nombre. Envoyez-le comme texte.",
        "An identifier is neither a text nor a number. Send it as a text.",
    ),
)
NO_ID = Reason(
    "no_id",
    "wire.no_id",
    Words(
        "L'événement ne dit pas qui il concerne. Envoyez userId ou anonymousId.",
        "The event does not say whom it is about. Send userId or anonymousId.",
    ),
)
GROUP_ID_MISSING = Reason(
    "group_id_missing",
    "wire.group_id",
    Words("Un appel group n'a pas de groupId. Envoyez-le.", "A group call has no groupId. Send it."),
)
PREVIOUS_ID_MISSING = Reason(
    "previous_id_missing",
    "wire.previous_id",
    Words(
        "Un appel alias n'a pas de previousId. Envoyez l'identifiant d'avant.",
        "An alias call has no previousId. Send the earlier identifier.",
    ),
)
DATE_UNREADABLE = Reason(
    "date_unreadable",
    "clock.unreadable",
    Words(
        "La date de l'événement ne se lit pas. Envoyez-la en ISO 8601, par exemple 2026-01-31T10:00:00.000Z.",
        "The event's time cannot be read. Send it in ISO 8601, for instance 2026-01-31T10:00:00.000Z.",
    ),
)
DATE_IMPLAUSIBLE = Reason(
    "date_implausible",
    "clock.implausible",
    Words(
        "La date de l'événement est avant 1900, ou plus d'un jour après sa réception. Vérifiez l'horloge qui la donne.",
        "The event's time is before 1900, or more than a day after it was received. Check the clock that gives it.",
    ),
)
NO_MAPPING = Reason(
    "no_mapping",
    "rows.mapping",
    Words(
        "La source ne dit pas ce que ses lignes signifient. Ajoutez-lui time: et events:, puis rejouez.",
        "The source does not say what its rows mean. Give it time: and events:, then replay.",
    ),
)
KEY_MISSING = Reason(
    "key_missing",
    "rows.key_missing",
    Words("La clé de la ligne est vide.", "The row's key is empty."),
)


class UnusableError(Exception):
    """An event that cannot be read at all, with the reason."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.code)
        self.reason = reason


def not_a_member(member: str) -> Reason:
    """Return why an event is refused whose ``member`` (properties, traits, context) is no object."""
    return Reason(
        "member_not_an_object",
        "wire.member",
        Words(
            f"« {member} » n'est pas un objet JSON. Envoyez des noms et des valeurs.",
            f"“{member}” is not a JSON object. Send names and values.",
        ),
    )


def why_unreadable(fault: Exception, data: bytes) -> Reason:
    """Return why ``data`` gave ``fault`` when it was decoded."""
    if isinstance(fault, UnusableError):
        return fault.reason
    if isinstance(fault, RecursionError):
        return TOO_DEEP
    if isinstance(fault, UnicodeError):
        return NOT_UTF8
    if isinstance(fault, msgspec.ValidationError):
        return NUMBER_OUT_OF_RANGE if "out of range" in str(fault) else NOT_AN_OBJECT
    return LONE_SURROGATE if _LONE_SURROGATE.search(data) else JSON_UNREADABLE


def speakable(name: str) -> str:
    """Return an event's or property's name as it may stand in a sentence: short, printable, and nobody's address."""
    if "@" in name:
        return "…"
    shown = "".join(char for char in name if char.isprintable())
    return shown if len(shown) <= _LONGEST_NAME else f"{shown[: _LONGEST_NAME - 1]}…"
