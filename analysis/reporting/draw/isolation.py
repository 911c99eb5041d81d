"""The objective of a search against each axis alone, one small panel per axis."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from reid_search.records import Status

from ...answers.isolation import isolation
from ...answers.number_axes import NumberAxis
from ...answers.searches import SearchSummary
from ...reading.measures import rows_of
from ...statistics.effect import Floats
from ..naming import file_name
from .effects import SPREAD, name_levels, offsets, panels
from .levels import MANY, number_of, scale_of
from .parallel import axes_shown
from .style import ACCENT, INK, MUTED, SMALL, Drawing, finished, style
from .thinning import said, thinned

_DOT, _CROSS = 3.4, 3.6
_ROOM = 0.04  # beside a range, as a share of it


def draw_isolation(search: SearchSummary) -> Drawing | None:
    """Draw every trial against each axis, and the best of each level; None with fewer than two trials, or no axis."""
    rows = search.proposals.assign(_shown=search.proposals["value"].fillna(search.proposals["last_value"]))
    rows = rows[rows["_shown"].notna() & (rows["value"].notna() | (rows["status"] == Status.STOPPED))]
    paths = [path for path in axes_shown(search) if rows[path].notna().any()]
    if len(rows) < 2 or rows["value"].notna().sum() < 1 or not paths:
        return None
    best, stopped = isolation(search), bool(rows["value"].isna().any())
    drawn = pd.concat([thinned(rows[rows["value"].isna()]), thinned(rows[rows["value"].notna()])])
    with style():
        figure, grid = panels(paths, f"{search.objective} in %")
        for axes, path in zip(grid, paths, strict=True):
            _draw(axes, drawn[drawn[path].notna()], rows[path].dropna(), path, best[best["axis"] == path], search)
        marks = [
            Line2D([], [], color=ACCENT, marker="o", ls="", ms=_DOT, mew=0, label="ran to its end"),
            *([Line2D([], [], color=MUTED, marker="x", ls="", ms=_CROSS, label="stopped early")] if stopped else []),
            Line2D([], [], color=INK, linewidth=1.6, label="best of a level or group"),
        ]
        figure.legend(handles=marks, loc="outside upper left", ncols=3, handlelength=1.2, columnspacing=1.2)
        caption = [
            "Every trial against each axis alone; the ring is the search's best. A line is the best "
            f"{search.objective} that a level, or a sixth of the trials of a range, reached with all other axes free.",
            "A cross is a trial that was stopped early, at the value that it had then." if stopped else "",
            "The other axes vary too, so this is not the effect of one axis alone.",
            said(int(rows["value"].notna().sum()), "finished proposals", "the best and some of the others"),
        ]
        title = f"{search.objective} by each axis of {search.phase} alone"
        return finished(figure, file_name("isolation", search), title, *caption)


def _draw(
    axes: Axes, drawn: pd.DataFrame, labels: pd.Series, path: str, groups: pd.DataFrame, search: SearchSummary
) -> None:
    scale = scale_of(labels)
    on_range = scale.numbers is not None and len(scale.levels) > MANY
    described = search.described.get(path, {})
    if on_range:
        at = drawn[path].map(lambda level: number_of(str(level))).to_numpy(np.float64)
        _scale(axes, scale.logarithmic or bool(described.get("log_uniform")), at, NumberAxis.of(described))
    else:
        at = _strips(drawn[path].astype(str), scale.levels)
    values = 100 * drawn["_shown"].to_numpy(np.float64)
    ended = drawn["value"].notna().to_numpy()
    axes.plot(at[~ended], values[~ended], "x", color=MUTED, ms=_CROSS, mew=1.0)
    axes.plot(at[ended], values[ended], "o", color=ACCENT, ms=_DOT, alpha=0.75, mew=0)
    _draw_best(axes, groups, scale.levels, on_range=on_range)
    if search.best is not None and search.best["number"] in set(drawn["number"]):
        place = (drawn["number"] == search.best["number"]).to_numpy()
        axes.plot(at[place], values[place], "o", color=INK, ms=8, mfc="none", mew=1.2)
    if not on_range:
        name_levels(axes, scale.levels)


def _strips(labels: pd.Series, levels: tuple[str, ...]) -> Floats:
    """Return places side by side within the strip of each level."""
    at = np.empty(len(labels))
    for index, level in enumerate(levels):
        own = (labels == level).to_numpy()
        at[own] = index + offsets(int(own.sum()))
    return at


def _scale(axes: Axes, logarithmic: bool, at: Floats, searched: NumberAxis | None) -> None:
    """Show all of a range that was searched, so that what lies at its edge is seen there."""
    axes.tick_params(axis="x", labelsize=SMALL)
    low, high = searched.ends if searched is not None else (float(at.min()), float(at.max()))
    if not logarithmic or low <= 0:
        axes.set_xlim(low - _ROOM * (high - low), high + _ROOM * (high - low))
        return
    axes.set_xscale("log")
    axes.set_xlim(low / (high / low) ** _ROOM, high * (high / low) ** _ROOM)
    wide = high / low >= 30
    axes.xaxis.set_major_locator(LogLocator(numticks=4) if wide else LogLocator(subs=(1.0, 2.0, 5.0), numticks=5))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda number, _: f"{number:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())


def _draw_best(axes: Axes, groups: pd.DataFrame, levels: tuple[str, ...], *, on_range: bool) -> None:
    for row in rows_of(groups[groups["best"].notna()]):
        if on_range:
            ends = [number_of(str(row[end])) or 0.0 for end in ("low", "high")]
        else:
            place = levels.index(str(row["low"]))
            ends = [place - SPREAD, place + SPREAD]
        axes.plot(ends, [100 * row["best"]] * 2, color=INK, linewidth=1.6, solid_capstyle="butt")
