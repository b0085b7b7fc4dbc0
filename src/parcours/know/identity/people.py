"""People: who is who after a fold, every edge with its verdict, and the ids of profiles that stay what they are."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from parcours.know.pseudonyms import Numbers

Codes = npt.NDArray[np.int32]
Marks = npt.NDArray[np.int8]

NO_WEIGHT = np.iinfo(np.int32).min
"""Where an edge has no match weight: it was seen or approved, not scored."""

_ABOUT = "about.json"
_COLUMNS = ("pseudonyms", "first_seen", "person", "component", "profile_ids")
_EDGES = ("event_nos", "ends", "verdicts", "origins", "weights_milli")


class People(msgspec.Struct, frozen=True, kw_only=True):
    """Who is who: ``person[i]`` is the profile of ``pseudonyms[i]`` (ascending), numbered by earliest identifier.

    Attributes:
        pseudonyms, first_seen: Every identifier, and the number of the event that first showed it.
        person: The profile of each, dense from 0.
        component: For each, what all edges that may join accounts hold together, accepted or not: a limit or a
            never-link inside one changes nobody outside it. Devices have -1.
        profile_ids: By profile, its id: a keyed 63-bit hash of the earliest identifier, whatever else joins later.
        event_nos, ends: The distinct edges in the order of their first sight: the event that showed it, and the places
            of both identifiers, the strongest first.
        verdicts, origins: What became of each and where it came from (see `parcours.know.identity.verdicts`).
        weights_milli: The match weight of those that were scored, in thousandths of a bit; `NO_WEIGHT` elsewhere.
        rules: The version of the rules: of normalisation, limits and this fold.
        as_of: The edges of every event before this number have been looked at.
        blocks: Up to which block of edges, and how many of them.
    """

    pseudonyms: Numbers
    first_seen: Numbers
    person: Codes
    component: Codes
    profile_ids: Numbers
    event_nos: Numbers
    ends: Codes
    verdicts: Marks
    origins: Marks
    weights_milli: Codes
    rules: str = ""
    as_of: int = 0
    blocks: tuple[int, int] = (0, 0)

    @property
    def edges(self) -> Numbers:
        """The edges with their identifiers (n × 3: event number, strongest, weaker)."""
        return np.column_stack((self.event_nos, self.pseudonyms[self.ends]))

    @property
    def count(self) -> int:
        """How many people there are."""
        return len(self.profile_ids)

    def places(self, pseudonyms: Numbers) -> npt.NDArray[np.intp]:
        """Return where each of ``pseudonyms`` stands, -1 where it is not known."""
        if not len(self.pseudonyms):
            return np.full(len(pseudonyms), -1, np.intp)
        found = np.minimum(np.searchsorted(self.pseudonyms, pseudonyms), len(self.pseudonyms) - 1)
        return np.where(self.pseudonyms[found] == pseudonyms, found, -1)

    def profiles(self, pseudonyms: Numbers) -> Numbers:
        """Return the profile id of each of ``pseudonyms``, -1 where it is not known."""
        places = self.places(pseudonyms)
        if not self.count:
            return np.full(len(pseudonyms), -1, np.int64)
        return np.where(places < 0, np.int64(-1), self.profile_ids[self.person[places]])

    def digest(self) -> str:
        """Return the canonical digest: equal after a rebuild from the same truth, in whatever steps that was folded."""
        told = hashlib.sha256(self.rules.encode())
        columns = (
            self.pseudonyms,
            self.profile_ids[self.person],
            self.event_nos,
            self.ends,
            self.verdicts,
            self.origins,
        )
        for column in (*columns, self.weights_milli):
            told.update(np.ascontiguousarray(column, column.dtype.newbyteorder("<")).tobytes())
        return told.hexdigest()


def without(people: People, gone: npt.NDArray[np.bool_]) -> People:
    """Return ``people`` without some of their identifiers; who the others are stays as it is."""
    if not gone.any():
        return people
    stays = ~gone[people.ends].any(axis=1)
    kept = {name: getattr(people, name)[~gone] for name in ("pseudonyms", "first_seen", "person", "component")}
    edges = {name: getattr(people, name)[stays] for name in _EDGES}
    edges["ends"] = (np.cumsum(~gone) - 1).astype(np.int32)[edges["ends"]]
    return msgspec.structs.replace(people, **kept, **edges)


class ProfileIds:
    """Profile ids: 63 bits of AES-128 (FIPS 197) over the pseudonym of the earliest identifier, keyed."""

    def __init__(self, key: bytes) -> None:
        # One block each and none twice: the mode without chaining is the pseudorandom function itself.
        self._cipher = Cipher(algorithms.AES(key[:16]), modes.ECB()).encryptor()  # noqa: S305

    def all(self, pseudonyms: Numbers) -> Numbers:
        """Return the profile id of each earliest identifier."""
        blocks = np.zeros((len(pseudonyms), 2), "<i8")
        blocks[:, 0] = pseudonyms
        sealed = self._cipher.update(blocks.tobytes())
        hashed: Numbers = np.frombuffer(sealed, "<i8").reshape(-1, 2)[:, 0].astype(np.int64) & np.int64(2**63 - 1)
        return hashed

    def one(self, pseudonym: int) -> int:
        """Return the profile id of one."""
        sealed = self._cipher.update(pseudonym.to_bytes(16, "little"))
        return int.from_bytes(sealed[:8], "little") & (2**63 - 1)


def write_profile_id(profile_id: int) -> str:
    """Return a profile id as pages and commands show it: 16 hexadecimal digits."""
    return f"{profile_id:016x}"


def write_people(people: People, draft: Path) -> None:
    """Keep who is who and the verdict on every edge, for whoever asks why."""
    for name in (*_COLUMNS, *_EDGES):
        np.save(draft / f"{name}.npy", getattr(people, name))
    (draft / _ABOUT).write_bytes(msgspec.json.encode((people.rules, people.as_of, people.blocks)))


def read_people(place: Path) -> People:
    """Return what `write_people` kept; columns are mapped from disk, so that a look-up reads a few pages alone."""
    columns = {name: np.load(place / f"{name}.npy", mmap_mode="r") for name in (*_COLUMNS, *_EDGES)}
    rules, as_of, blocks = msgspec.json.decode((place / _ABOUT).read_bytes(), type=tuple[str, int, tuple[int, int]])
    return People(
        **{name: column.view(np.ndarray) for name, column in columns.items()}, rules=rules, as_of=as_of, blocks=blocks
    )
