"""The one error type: a code, a sentence, a remedy, and where (file and line)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import msgspec

from parcours.words import Words


class Fault(msgspec.Struct, frozen=True):
    """One thing that is wrong: what, where, and how to mend it."""

    code: str
    sentence: Words
    remedy: Words
    file: str | None = None
    line: int | None = None
    level: Literal["error", "warning"] = "error"

    @property
    def place(self) -> str:
        """``file:line`` as editors understand it, or an empty string."""
        if self.file is None:
            return ""
        return self.file if self.line is None else f"{self.file}:{self.line}"

    def __str__(self) -> str:
        place = f"{self.place}: " if self.file else ""
        return f"{place}{self.sentence} {self.remedy} [{self.code}]"


class ParcoursError(Exception):
    """What a user can meet and mend; carries every fault found at once, the first one leading."""

    def __init__(
        self,
        code: str,
        sentence: Words,
        remedy: Words,
        where: Path | str | None = None,
        line: int | None = None,
    ) -> None:
        self.faults: tuple[Fault, ...] = (Fault(code, sentence, remedy, None if where is None else str(where), line),)
        super().__init__(code)

    @classmethod
    def of(cls, faults: Sequence[Fault]) -> ParcoursError:
        """Return one error that carries all of ``faults`` (at least one)."""
        first = faults[0]
        error = cls(first.code, first.sentence, first.remedy, first.file, first.line)
        error.faults = tuple(faults)
        return error

    @property
    def code(self) -> str:
        """The code of the leading fault."""
        return self.faults[0].code

    def __str__(self) -> str:
        return "\n".join(str(fault) for fault in self.faults)
