"""Colours of the page in both themes, by WCAG 2.2: 4.5 for text (1.4.3), 3 for what figures draw (1.4.11)."""

import re
from importlib import resources

import pytest

from analysis.reporting.render import COLOURS

CSS = (resources.files("analysis.reporting.templates") / "report.css").read_text()
LIGHT, DARK = (
    dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block)) for block in re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)
)
TEXTS = [
    *((text, ground) for text in ("ink", "soft", "accent") for ground in ("page", "tint")),
    ("ink", "alarm"), ("worse", "page"), ("worse", "tint"),
    *(("on", ground) for ground in ("better", "worse", "soft")),
]  # fmt: skip
DRAWN = ["ink", "soft", "accent", "better", "worse", "curve-0", "curve-1"]


def luminance(colour: str) -> float:
    """Return the relative luminance of a colour as WCAG defines it."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_the_contrast_is_that_of_the_standard():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)


def test_both_themes_name_the_same_colours_and_nothing_else_has_one():
    assert set(LIGHT) == set(DARK) >= {"page", *DRAWN}
    rest = re.sub(r":root \{.*?\}", "", CSS, flags=re.DOTALL)
    assert re.findall(r"#[0-9a-f]{3,6}\b", rest) == ["#fff"]  # the ground of figures that keep their colours
    assert set(re.findall(r"var\(--([\w-]+)\)", rest)) - {"least"} <= set(LIGHT)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), TEXTS)
def test_text_can_be_read(theme, text, ground):
    assert contrast(theme[text], theme[ground]) >= 4.5


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("mark", DRAWN)
def test_what_figures_draw_can_be_seen(theme, mark):
    assert contrast(theme[mark], theme["page"]) >= 3


def test_figures_have_in_the_light_theme_the_colours_of_their_files():
    assert {name: colour for colour, name in COLOURS.items()}.items() <= LIGHT.items()
