"""Fill the templates; all text from a study is escaped for HTML or Markdown."""

import re
from collections.abc import Callable, Mapping
from importlib import resources

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup, escape

from reid_search.study.metrics import MAIN, METRICS
from reid_search.words import several

from . import describe, describe_tables, formats, naming
from .draw.cmc import FURTHER_COLOURS
from .draw.style import ACCENT, GRID, INK, MUTED, VERDICT_COLOURS
from .export import SUFFIXES
from .markup import escape_markdown

_FILTERS: Mapping[str, Callable[..., str]] = {
    "percent": formats.percent,
    "spread": formats.spread,
    "measured": formats.measured,
    "points": formats.points,
    "weight": formats.weight,
    "p_value": formats.p_value,
    "share": formats.share,
    "amount": formats.amount,
    "duration": formats.duration,
    "settings": formats.settings,
    "several": several,
    "counts": describe.describe_counts,
    "status_words": describe.status_words,
    "arm_name": describe.describe_marked,
    "centre_sentences": describe_tables.describe_centre,
    "centre_word": naming.centre_word,
}

COLOURS = {
    INK: "ink", MUTED: "soft", GRID: "line", ACCENT: "accent", "#ffffff": "page",
    **{colour: name for name, colour in VERDICT_COLOURS.items() if name in ("better", "worse")},
    **{colour: f"curve-{number}" for number, colour in enumerate(FURTHER_COLOURS)},
}  # fmt: skip
"""The name in `report.css` of each colour of the figures."""


def render_html(view: Mapping[str, object]) -> str:
    """Return the report as one self-contained HTML page."""
    return _environment(autoescape=True).get_template("report.html.j2").render(view)


def render_markdown(view: Mapping[str, object]) -> str:
    """Return the report as Markdown."""
    environment = _environment(autoescape=False)
    environment.finalize = lambda value: escape_markdown(value) if isinstance(value, str) else value
    return environment.get_template("report.md.j2").render(view)


def breakable(text: object) -> Markup:
    """Return text that a browser may break after each dot or equals sign of a path."""
    return Markup("<wbr>").join(escape(part) for part in re.split(r"(?<=[.=])(?=\S)", str(text)))


def in_colours_of_the_page(svg: str) -> Markup:
    """Return a figure whose colours are those of the page, so that it changes with them between light and dark.

    A figure with other colours, such as a scale, keeps all of its own, on a light ground.
    """
    used = set(re.findall(r"#[0-9a-f]{6}(?=[;\"])", svg))
    if not used <= set(COLOURS):
        return Markup(svg.replace("<svg ", '<svg class="light" ', 1))
    return Markup(re.sub(r"(?<=: )#[0-9a-f]{6}(?=[;\"])", lambda found: f"var(--{COLOURS[found[0]]})", svg))


def _environment(*, autoescape: bool) -> Environment:
    environment = Environment(
        loader=FunctionLoader(_template), undefined=StrictUndefined, autoescape=autoescape, trim_blocks=True,
        lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
    environment.filters |= _FILTERS
    environment.globals |= {
        "marks_of": describe.marks_of,
        "interval": formats.interval,
        "shares": formats.shares,
        "known": formats.known,
        "suffixes": SUFFIXES,
        "main": METRICS[MAIN],
    }
    environment.filters |= {"inline": in_colours_of_the_page, "breakable": breakable}
    return environment


def _template(name: str) -> str:
    """Return a template; their folder is a package, so it is found in a wheel and under both names of `analysis`."""
    return (resources.files(f"{__package__}.templates") / name).read_text(encoding="utf-8")
