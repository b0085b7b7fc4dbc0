"""The names that writing and reading BPMN share: namespaces, lanes, and the ids of elements."""

from __future__ import annotations

import msgspec

from parcours.words import Words

MODEL = "http://www.omg.org/spec/BPMN/20100524/MODEL"
DIAGRAM = "http://www.omg.org/spec/BPMN/20100524/DI"
BOUNDS = "http://www.omg.org/spec/DD/20100524/DC"
EDGES = "http://www.omg.org/spec/DD/20100524/DI"
OURS = "urn:parcours:blueprint:1"


class Lane(msgspec.Struct, frozen=True):
    """One band of the service blueprint; ``visible`` says on which side of the line of visibility it lies."""

    role: str
    label: Words
    visible: bool


CUSTOMER = Lane("customer", Words("Client", "Customer"), True)
FRONT = Lane("front", Words("Devant la ligne de visibilité", "In front of the line of visibility"), True)
BACK = Lane("back", Words("Derrière la ligne de visibilité", "Behind the line of visibility"), False)
SUPPORT = Lane("support", Words("Soutien", "Support"), False)

LINES = {"backstage": BACK, "support": SUPPORT}
"""Which lane an operation's line is."""


def model(tag: str) -> str:
    """Return a BPMN element's qualified name."""
    return f"{{{MODEL}}}{tag}"


def ours(tag: str) -> str:
    """Return the qualified name of one of our own extension elements."""
    return f"{{{OURS}}}{tag}"
