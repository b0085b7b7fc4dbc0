"""What customers write: two sentences of our own, chosen by touchpoint, score and language."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from parcours.simulate.design import MEETINGS
from parcours.simulate.people import LANGUAGES
from parcours.simulate.sentences import ABOUT, CLOSING, TONES

Ints = NDArray[np.int64]


def write_comments(touchpoint: str, score: Ints, language: Ints, random: np.random.Generator) -> pa.Array:
    """Return one comment a row: a sentence about ``touchpoint``, then one that closes.

    Args:
        touchpoint: The touchpoint that is spoken of, as in `MEETINGS`.
        score: The score that each customer gave, on the touchpoint's scale.
        language: An index of `LANGUAGES` a row.
        random: Where the choice of sentences comes from.
    """
    tone = _tones(touchpoint, score)
    first = _pick([ABOUT[touchpoint][t][tongue] for t in TONES for tongue in LANGUAGES], tone, language, random)
    last = _pick([CLOSING[t][tongue] for t in TONES for tongue in LANGUAGES], tone, language, random)
    return pc.binary_join_element_wise(first, last, " ")


def _tones(touchpoint: str, score: Ints) -> Ints:
    """Return 0 (bad), 1 (mixed) or 2 (good) by the place of each score on its scale."""
    low, high = next(meeting.scale for meeting in MEETINGS if meeting.id == touchpoint)
    return np.searchsorted([0.45, 0.7], (score - low) / (high - low), side="right").astype(np.int64)


def _pick(banks: list[tuple[str, ...]], tone: Ints, language: Ints, random: np.random.Generator) -> pa.Array:
    bank = tone * len(LANGUAGES) + language
    size = np.array([len(sentences) for sentences in banks])
    start = np.concatenate([[0], np.cumsum(size)[:-1]])
    place = start[bank] + (random.random(len(bank)) * size[bank]).astype(np.int64)
    return pa.array([sentence for sentences in banks for sentence in sentences], pa.string()).take(pa.array(place))
