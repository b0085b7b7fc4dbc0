"""An answer as one event: Segment's `track` with the names and fields that the blueprint expects of this touchpoint."""

from __future__ import annotations

import base64
import hmac
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import msgspec

from parcours import __version__
from parcours.collect.journal.delivery import Delivery
from parcours.collect.survey.forms import Given
from parcours.collect.survey.links import Link
from parcours.collect.survey.questions import Question
from parcours.words import Language

SOURCE = "survey_pages"
_TRAITS = {"mail": "email", "phone": "phone"}


def write_event(question: Question, link: Link, given: Given, answer: bytes, language: Language) -> dict[str, Any]:
    """Return the event of ``given``, without its time; ``answer`` names it and becomes its ``messageId``.

    The properties are what the blueprint looks for: the values that narrow the event (the first one where several
    would do), the score and the comment under their own names, ``<object>_id`` for each object, and ``language``.
    """
    experience = question.experience
    properties: dict[str, Any] = {field: values[0] for field, values in experience.event.where.items() if values}
    properties["language"] = language
    properties |= {f"{kind}_id": value for kind, value in link.objects.items()}
    properties[experience.field] = given.score
    if experience.text and given.comment:
        properties[experience.text] = given.comment
    context: dict[str, Any] = {"library": {"name": "parcours-survey", "version": __version__}}
    if traits := {name: link.who[kind] for kind, name in _TRAITS.items() if kind in link.who}:
        context["traits"] = traits
    if given.agreed:
        context["consent"] = {"categoryPreferences": dict.fromkeys(given.agreed, True)}
    event: dict[str, Any] = {
        "type": "track",
        "messageId": f"survey-{base64.urlsafe_b64encode(answer).rstrip(b'=').decode()}",
        "event": experience.event.name,
        "properties": properties,
        "context": context,
    }
    if "user" in link.who:
        event["userId"] = link.who["user"]
    if "device" in link.who:
        event["anonymousId"] = link.who["device"]
    return event


def digest_event(event: dict[str, Any], key: bytes) -> bytes:
    """Return what changes whenever the content of ``event`` does (HMAC-SHA256, 16 bytes), its time apart."""
    return hmac.digest(key, msgspec.json.encode(event, order="sorted"), sha256)[:16]


def deliver_event(event: dict[str, Any], moment_ms: int, received_ms: int, source: str) -> Delivery:
    """Return ``event`` as a delivery dated ``moment_ms``: the first time that this content was sent.

    Sent again it is the same bytes, so that it counts once. There is no ``sentAt``: the time is the server's own and
    needs no correction. The client's address is left out, for the page promises to keep nothing but the answer.
    """
    moment = datetime.fromtimestamp(moment_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    body = msgspec.json.encode({**event, "timestamp": moment}, order="sorted")
    return Delivery(source, "track", received_ms, "", body)
