"""Every pair of tokens that meets on a page, in both schemes: 4.5 for text, 3 for marks (WCAG 2.2)."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

CSS = (files("parcours.charts") / "tokens.css").read_text("utf-8")
LEVELS = [f"x{level}" for level in range(1, 6)]
TEXT = [
    *((ink, ground) for ink in ("ink", "soft", "brand", "hurts", "helps") for ground in ("paper", "surface", "sunk")),
    *((f"{level}-ink", level) for level in LEVELS),
    ("ink", "hatch"),
    ("soft", "hatch"),
    ("ink", "brand-soft"),
    ("brand", "brand-soft"),
    ("on-brand", "brand"),
    ("on-notice", "notice"),
    ("surface", "hurts"),
    ("surface", "helps"),
]
MARKS = [
    *((mark, ground) for mark in ("mark", "ink", "hurts", "helps", "brand") for ground in ("paper", "surface", "sunk")),
    *((f"{level}-ink", level) for level in LEVELS),
]
DECORATION = {"rule", "hatch"}


def read_scheme(dark: bool) -> dict[str, str]:
    """Return the colours of a scheme: the dark one overrides the light one."""
    light, _, night = CSS.partition("@media (prefers-color-scheme: dark)")
    found = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", light))
    return found | dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", night)) if dark else found


def contrast(first: str, second: str) -> float:
    """Return the contrast ratio of two colours (WCAG 2.2)."""

    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_black_on_white_is_twenty_one() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize(("ink", "ground"), TEXT)
def test_text_can_be_read(ink: str, ground: str, dark: bool) -> None:
    scheme = read_scheme(dark)
    assert contrast(scheme[ink], scheme[ground]) >= 4.5


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize(("mark", "ground"), MARKS)
def test_marks_can_be_seen(mark: str, ground: str, dark: bool) -> None:
    scheme = read_scheme(dark)
    assert contrast(scheme[mark], scheme[ground]) >= 3


def test_every_colour_is_tested_and_named_in_both_schemes() -> None:
    paired = {name for pair in (*TEXT, *MARKS) for name in pair}
    assert set(read_scheme(False)) - DECORATION <= paired
    night = CSS.partition("@media (prefers-color-scheme: dark)")[2]
    assert set(re.findall(r"--([\w-]+): #", night)) == set(read_scheme(False))
