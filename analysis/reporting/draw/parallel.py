"""Parallel coordinates: one line per proposal of a search, coloured by its objective."""

from collections.abc import Sequence

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from ...answers.searches import SearchSummary
from ...statistics.effect import Floats
from ..naming import file_name, shortened, tail
from .levels import Scale, scale_of
from .style import INK, MUTED, SMALL, WIDTH, Drawing, blank, finished, style
from .thinning import PROPOSALS_DRAWN, said, thinned

AXES_DRAWN = 12
_COLOURS = matplotlib.colormaps["viridis_r"].resampled(32)  # few enough that SVG and PDF keep the colour bar as shapes
_LEAST_GAP = 0.055  # between tick labels, as a share of an axis


def axes_shown(search: SearchSummary) -> list[str]:
    """Return the axes that are drawn, in order; if there are too many, those that vary have priority."""
    known = [path for path in search.axes if path in search.proposals and search.proposals[path].notna().any()]
    if len(known) <= AXES_DRAWN:
        return known
    by_variety = sorted(known, key=lambda path: search.proposals[path].nunique() < 2)[:AXES_DRAWN]
    return [path for path in known if path in by_variety]


def draw_parallel(search: SearchSummary) -> Drawing | None:
    """Draw every proposal as a line over the searched axes; None with fewer than two finished proposals or axes.

    Words are equally spaced; numbers are to scale, logarithmic if they span two decades. A line has a gap at an axis
    that its proposal does not have.
    """
    paths, rows = axes_shown(search), search.proposals
    if len(paths) < 2 or rows["value"].notna().sum() < 2:
        return None
    measured, others = thinned(rows[rows["value"].notna()]), thinned(rows[rows["value"].isna()])
    best = rows[rows["number"] == search.best["number"]] if search.best is not None else rows.head(0)
    scales = {path: scale_of(rows[path]) for path in paths}
    values = 100 * rows["value"]
    around = 0.0 if values.nunique() > 1 else 1.0  # per cent; a bar needs two ends
    norm = Normalize(values.min() - around, values.max() + around)
    with style():
        width = min(9.0, max(WIDTH, 0.9 + 0.72 * len(paths)))
        figure, axes = blank(3.7, width)
        _draw_axes(axes, scales, room=0.8 * width / len(paths))
        grey, colours = [MUTED] * len(others), _COLOURS(norm(100 * measured["value"].to_numpy()))
        _add_lines(axes, _places(others, scales), grey, width=0.5, alpha=0.45, zorder=1)
        _add_lines(axes, _places(measured, scales), colours, width=1.0, alpha=0.7, zorder=2)
        _add_lines(axes, _places(best, scales), _COLOURS(norm(100 * best["value"].to_numpy())), width=3.2, zorder=3)
        _add_colour_bar(figure, axes, norm, f"{search.objective} in %")
        title = f"Settings and {search.objective} of the proposals of {search.phase}"
        return finished(figure, file_name("parallel", search), title, *_caption(search, scales, len(paths)))


def _places(rows: pd.DataFrame, scales: dict[str, Scale]) -> Floats:
    """Return the points of the lines, `(rows, axes, 2)`; NaN if a proposal does not have the axis."""
    heights = np.column_stack([scale.place(rows[path]) for path, scale in scales.items()])
    across = np.broadcast_to(np.arange(len(scales), dtype=np.float64), heights.shape)
    return np.stack([across, heights], axis=-1)


def _add_lines(
    axes: Axes, places: Floats, colours: Sequence[str] | Floats, *, width: float, zorder: int, alpha: float = 1.0
) -> None:
    """Add one line per proposal in its colour, and a dot for each point without a neighbour to join."""
    lines = LineCollection(list(places), colors=list(colours), linewidths=width, alpha=alpha, zorder=zorder)
    axes.add_collection(lines, autolim=False)
    there = np.pad(np.isfinite(places[..., 1]), ((0, 0), (1, 1)))
    alone = there[:, 1:-1] & ~there[:, :-2] & ~there[:, 2:]
    for row, column in np.argwhere(alone):
        axes.plot(*places[row, column], "o", color=colours[row], ms=2 + width, mew=0, alpha=alpha, zorder=zorder)


def _draw_axes(axes: Axes, scales: dict[str, Scale], room: float) -> None:
    """Draw a vertical line per axis with its name above and its levels at its side; `room` is inches between two."""
    letters = int(np.clip(room * 72 / (0.6 * SMALL) - 1, 5, 16))
    behind = {"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 0.6}
    for index, scale in enumerate(scales.values()):
        axes.axvline(index, color=MUTED, linewidth=0.9, zorder=4)
        for place, level in scale.ticks(_LEAST_GAP):
            axes.annotate(
                shortened(level, letters), (index, place), xytext=(3.5, 0), textcoords="offset points", va="center",
                fontsize=SMALL, color=INK, bbox=behind, zorder=5,
            )  # fmt: skip
    axes.set_ylim(-0.04, 1.04)
    axes.set_xlim(-0.1, len(scales) - 1 + 0.15)
    axes.xaxis.tick_top()
    names = [tail(path, 34) for path in scales]
    axes.set_xticks(range(len(scales)), names, rotation=32, ha="left", fontsize=8, color=INK)
    axes.tick_params(axis="x", length=0, pad=2)
    axes.set_yticks([])
    axes.spines[:].set_visible(False)


def _add_colour_bar(figure: Figure, axes: Axes, norm: Normalize, label: str) -> None:
    mappable = ScalarMappable(norm, _COLOURS)
    bar = figure.colorbar(mappable, ax=axes, orientation="horizontal", aspect=45, pad=0.03, label=label)
    for shape in bar.ax.collections:
        shape.set_edgecolor("face")  # otherwise viewers show hairlines between the colours
    bar.outline.set_visible(False)


def _caption(search: SearchSummary, scales: dict[str, Scale], drawn: int) -> list[str]:
    logarithmic = [path for path, scale in scales.items() if scale.logarithmic]
    known = sum(search.proposals[path].notna().any() for path in search.axes if path in search.proposals)
    counts = search.proposals["value"].notna().value_counts()
    return [
        "A line is a proposal, from its level on one axis to that on the next; the thick one is the best.",
        "Grey: stopped early, failed or not finished." if counts.get(False, 0) else "",
        "A gap: the proposal does not have the axis." * bool(search.proposals[list(scales)].isna().any(axis=None)),
        f"Logarithmic: {', '.join(logarithmic)}." if logarithmic else "",
        f"Of {known} axes, {drawn}." if known > drawn else "",
        said(int(counts.get(True, 0)), "finished proposals", "the best and some of the others"),
        said(int(counts.get(False, 0)), "others", f"{PROPOSALS_DRAWN}"),
    ]
