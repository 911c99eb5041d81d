"""What all figures share: their look, and how they become SVG and PDF, the same bytes for the same numbers."""

import html
import io
import re
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import matplotlib.style
from matplotlib.axes import Axes
from matplotlib.figure import Figure

INK, MUTED, GRID, ACCENT = "#1c2430", "#5b6675", "#e3e7ee", "#1f5fa8"
VERDICT_COLOURS = {"better": "#0b7a5b", "worse": "#b3431d", "equivalent": "#5b6675"}

WIDTH = 4.3  # inches; small enough that text stays readable on a phone, which scales the figure down
SMALL = 7.5  # points, of text inside a figure
_STYLE: dict[Any, Any] = {
    "svg.hashsalt": "reid-search",
    # Text stays text, so it can be searched, copied and read aloud. If a viewer has neither of the first two fonts, its
    # own is narrower, so nothing overlaps.
    "svg.fonttype": "none",
    "pdf.fonttype": 42,
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Verdana", "sans-serif"],
    "font.size": 9.0,
    "figure.dpi": 72.0,  # as in SVG and PDF, so that sizes measured while drawing hold in the file
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "text.color": INK,
    "text.parse_math": False,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "legend.frameon": False,
    "legend.fontsize": 8.0,
}


@dataclass(frozen=True)
class Drawing:
    """A figure that is laid out and can be written.

    Attributes:
        name: Name of its files, without the suffix.
        title: What it shows, for readers who cannot see it.
        caption: Sentences below it; they say what was left out.
        figure: The figure itself.
        marks: What parts of it say when a reader points at them, by their `gid` in the figure, each with the id of what
            it leads to on the page; empty for one that leads nowhere.
    """

    name: str
    title: str
    caption: str
    figure: Figure = field(repr=False)
    marks: Mapping[str, tuple[str, str]] = field(default_factory=dict, repr=False)

    @property
    def least_width(self) -> int:
        """Width in CSS pixels below which its text is too small to read; 0 if a phone is wide enough."""
        width = self.figure.get_figwidth()
        return round(96 * width) if width > WIDTH else 0

    @cached_property
    def svg(self) -> str:
        """The figure as SVG whose ids begin with its name, so that one page can show several."""
        buffer = io.StringIO()
        with style():
            self.figure.savefig(buffer, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
        text = buffer.getvalue()[buffer.getvalue().index("<svg") :]
        prefix = re.sub(r"[^A-Za-z0-9]+", "-", self.name)
        text = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{prefix}-", text)
        for gid, (said, target) in self.marks.items():
            text = _with_title(text, f'<g id="{prefix}-{gid}">', said, target)
        role = "group" if any(target for _, target in self.marks.values()) else "img"
        return text.replace("<svg ", f'<svg role="{role}" aria-label="{html.escape(self.title)}" ', 1)

    @cached_property
    def pdf(self) -> bytes:
        """The figure as PDF, with its fonts and without a date."""
        buffer = io.BytesIO()
        with style():
            self.figure.savefig(buffer, format="pdf", metadata=dict.fromkeys(("CreationDate", "Creator", "Producer")))
        return buffer.getvalue()


def style() -> AbstractContextManager[None]:
    """Draw with the style of this module, whatever the user's matplotlib settings are."""
    return matplotlib.style.context(["default", _STYLE])


def blank(height: float, width: float = WIDTH) -> tuple[Figure, Axes]:
    """Return a figure of this size in inches with one pair of axes."""
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.add_subplot()


def finished(
    figure: Figure, name: str, title: str, *caption: str, marks: Mapping[str, tuple[str, str]] | None = None
) -> Drawing:
    """Fix the layout of a figure, so that all its files agree to the point; drop empty sentences of `caption`."""
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    return Drawing(name, title, " ".join(sentence for sentence in caption if sentence), figure, marks or {})


def legend_above(axes: Axes) -> None:
    """Put the legend above the axes, in one line."""
    axes.legend(loc="lower left", bbox_to_anchor=(-0.02, 1.0), ncols=3, handlelength=1.4, columnspacing=1.2)


def _with_title(svg: str, begin: str, said: str, target: str) -> str:
    """Return SVG in which the group that begins so has a title, and is a link if it leads anywhere."""
    start = svg.index(begin)
    depth, end = 0, start
    for tag in re.finditer(r"<(/?)g\b", svg[start:]):
        depth += -1 if tag[1] else 1
        if depth == 0:
            end = start + tag.end() + 1
            break
    group = f"{begin}<title>{html.escape(said)}</title>{svg[start + len(begin) : end]}"
    linked = f'<a href="#{target}" aria-label="{html.escape(said)}">{group}</a>' if target else group
    return svg[:start] + linked + svg[end:]
