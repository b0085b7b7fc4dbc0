"""The options of an HTTP source: whose SDKs send to it, what calls are named, and what it takes."""

from __future__ import annotations

import re
from typing import Any, Final, Literal
from urllib.parse import urlsplit

import msgspec

from parcours.blueprint.shape import read_record
from parcours.blueprint.yaml_lines import Node
from parcours.collect.source import Source
from parcours.errors import Fault
from parcours.words import Words

HTTP: Final = "http"
"""The name of the connector that the collection itself serves."""

NAMED_CALLS: Final = ("page", "screen", "identify", "group", "alias")
"""The calls whose events have a name by default; a track names itself."""

DEFAULT_NAMES: Final = {
    "page": "Page Viewed",
    "screen": "Screen Viewed",
    "identify": "Identified",
    "group": "Group Joined",
    "alias": "Aliased",
}

_BODY_KB: Final = {"segment": 500, "rudderstack": 4_096, "jitsu": 500}
_MOST_BODY_KB: Final = 16_384
_HOST = re.compile(r"^[A-Za-z0-9*.-]+(:[0-9]+)?$|^\[[0-9A-Fa-f:]+\](:[0-9]+)?$")


class HttpOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What an HTTP source takes.

    Attributes:
        sdk: Whose SDKs send to it, which sets how large a request may be.
        names: What the events of calls other than track are called, instead of `DEFAULT_NAMES`.
        same_id: What becomes of an event whose message id is known with other content: ``quarantine``, or ``content``
            when clients are known to reuse ids, so that the content counts as part of the id.
        unplanned: What becomes of an event that the blueprint does not name: ``quarantine``, or ``keep`` where it is
            taken in and counted.
        max_body_kb: How large a request may be, inflated; by default what the SDK sends.
        origins: The origins whose pages may send (CORS); any when empty.
    """

    sdk: Literal["segment", "rudderstack", "jitsu"] = "segment"
    names: dict[str, str] = {}
    same_id: Literal["quarantine", "content"] = "quarantine"
    unplanned: Literal["quarantine", "keep"] = "quarantine"
    max_body_kb: int | None = None
    origins: tuple[str, ...] = ()

    @property
    def body_bytes(self) -> int:
        """How many bytes a request may hold, inflated."""
        return (self.max_body_kb or _BODY_KB[self.sdk]) * 1024

    def event_name(self, call: str) -> str:
        """Return what the event of a call other than track is named."""
        return self.names.get(call) or DEFAULT_NAMES[call]


def http_options(source: Source) -> HttpOptions:
    """Return the options of an HTTP source that has been checked."""
    return msgspec.convert(source.options, HttpOptions)


def check_http(options: dict[str, Any], node: Node) -> list[Fault]:
    """Return every fault of an HTTP source's options; ``node`` is their own piece of YAML."""
    read, faults = read_record(msgspec.structs.replace(node, data=options), HttpOptions)
    faults += [_not_a_call(node, call) for call in read.names if call not in NAMED_CALLS]
    faults += [_name_empty(node, call) for call, name in read.names.items() if not name.strip()]
    if read.max_body_kb is not None and (read.max_body_kb < 1 or read.max_body_kb > _MOST_BODY_KB):
        faults.append(_body_out_of_range(node))
    faults += [_not_an_origin(node, index, one) for index, one in enumerate(read.origins) if not is_origin(one)]
    return faults


def is_origin(text: str) -> bool:
    """Return whether a text is an origin as browsers send it: a scheme, a host, perhaps a port, and no path."""
    parts = urlsplit(text)
    return parts.scheme in ("http", "https") and bool(_HOST.match(parts.netloc)) and not (parts.path or parts.query)


def _not_a_call(node: Node, call: str) -> Fault:
    return node.fault(
        "unknown_key",
        ("names", call),
        Words(f"« {call} » n'est pas un appel que l'on peut nommer.", f"“{call}” is no call that can be named."),
        Words(f"Choisissez parmi : {', '.join(NAMED_CALLS)}.", f"Choose one of: {', '.join(NAMED_CALLS)}."),
    )


def _name_empty(node: Node, call: str) -> Fault:
    return node.fault(
        "bad_event_name",
        ("names", call),
        Words("Le nom de l'événement est vide.", "The event's name is empty."),
        Words(f'Par exemple names: {{{call}: "Page Viewed"}}.', f'For instance names: {{{call}: "Page Viewed"}}.'),
    )


def _body_out_of_range(node: Node) -> Fault:
    return node.fault(
        "out_of_range",
        ("max_body_kb",),
        Words(
            f"max_body_kb doit être entre 1 et {_MOST_BODY_KB}.", f"max_body_kb must be between 1 and {_MOST_BODY_KB}."
        ),
        Words("Sans max_body_kb, la taille des SDK vaut.", "Without max_body_kb, the size of the SDKs holds."),
    )


def _not_an_origin(node: Node, index: int, origin: str) -> Fault:
    return node.fault(
        "bad_origin",
        ("origins", index),
        Words(f"« {origin} » n'est pas une origine.", f"“{origin}” is no origin."),
        Words(
            "Écrivez le protocole et l'hôte, sans chemin : https://www.example.com.",
            "Write the scheme and the host, without a path: https://www.example.com.",
        ),
    )
