"""What is shown instead of a page: one sentence, and the remedy."""

from __future__ import annotations

import msgspec

from parcours.words import Language
from parcours.workspaces.frame import Frame, frame_page
from parcours.workspaces.readable import Readable
from parcours.workspaces.wording import Say


class FaultPage(msgspec.Struct, frozen=True, kw_only=True):
    """What the page of a fault shows."""

    frame: Frame
    status: int
    sentence: str
    remedy: str


def write_fault(company: Readable, language: Language, status: int, sentence: str, remedy: str) -> FaultPage:
    """Frame a fault in the reader's language."""
    frame = frame_page(company, language, "map", Say(language)("error.title"))
    return FaultPage(frame=frame, status=status, sentence=sentence, remedy=remedy)
