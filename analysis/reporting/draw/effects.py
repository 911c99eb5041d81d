"""What each axis of a search or an ablation does to a measurement, one small panel per axis."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator
from scipy import stats

from reid_search.study.metrics import MAIN

from ...answers.ablations import AblationSummary
from ...answers.searches import SearchSummary
from ...reading.measures import rows_of
from ...statistics.effect import LEVEL, Floats
from ..naming import centre_word, file_name, in_two_lines, shortened
from .levels import MANY, number_of, ordered, scale_of
from .parallel import AXES_DRAWN, axes_shown
from .style import ACCENT, INK, MUTED, SMALL, WIDTH, Drawing, finished, style
from .thinning import said, thinned

Level = tuple[str, float, float]  # label, mean, half the width of its interval

_GROUPS = 5  # of equal size, whose medians are drawn on a numeric scale
_LABELS = 10
_SPREAD = 0.28  # half the width of a strip; strips are 1 apart
_ROOM = {1: 270.0, 2: 122.0}  # points across a panel, by the number of columns
_LETTER = 4.8  # points across a letter of a level's name


def draw_search_effects(search: SearchSummary) -> Drawing | None:
    """Draw the objective of the finished proposals against each axis; None with fewer than two, or without an axis."""
    rows = search.proposals[search.proposals["value"].notna()]
    paths = [path for path in axes_shown(search) if rows[path].notna().any()]
    if len(rows) < 2 or not paths:
        return None
    with style():
        figure, panels = _panels(paths, f"{search.objective} in %")
        for axes, path in zip(panels, paths, strict=True):
            _draw_levels(axes, rows[rows[path].notna()], path)
        caption = [
            f"{search.objective} of the finished proposals against each axis; a bar is the median of a level, or of "
            "one of five groups of equal size. The other axes vary too, so this is not the effect of one axis alone.",
            said(len(rows), "proposals", "the best and some of the others; the medians are of all"),
        ]
        title = f"{search.objective} by level of each axis of {search.phase}"
        return finished(figure, file_name("effects", search), title, *caption)


def draw_ablation_effects(ablation: AblationSummary) -> Drawing | None:
    """Draw the mean of each level of each axis with its interval; None if an arm changes several axes or none."""
    changed = ablation.arms[ablation.arms["arm"] != ablation.centre_arm]
    if ablation.refusal or not set(changed["axis"]) <= set(ablation.centre):
        return None
    known = ablation.arms[ablation.arms[MAIN].notna()]
    paths = [path for path in dict.fromkeys(changed["axis"]) if (known["axis"] == path).any()]
    if not paths:
        return None
    drawn, word = paths[:AXES_DRAWN], centre_word(ablation)
    with style():
        figure, panels = _panels(drawn, f"{ablation.metric} in %")
        for axes, path in zip(panels, drawn, strict=True):
            _draw_means(axes, list(levels_of(ablation, path)), ablation.centre[path])
        caption = [
            f"Mean of each level over seeds, all else as in the {word}, with its 95 % t interval. Filled diamond: the "
            f"{word}'s level. Each interval is that of one mean; paired differences are more precise.",
            f"Of {len(paths)} axes, the first {AXES_DRAWN}." if len(paths) > AXES_DRAWN else "",
        ]
        title = f"{ablation.metric} by level of each axis of {ablation.phase}"
        return finished(figure, file_name("effects", ablation), title, *caption)


def levels_of(ablation: AblationSummary, path: str) -> Iterator[Level]:
    """Yield the measured levels of an axis in order, including the centre's, in per cent."""
    arms = ablation.arms[ablation.arms[MAIN].notna()]
    rows = {str(row["level"]): row for row in rows_of(arms[arms["axis"] == path])}
    base = ablation.centre_row
    if base is not None and base["n"]:
        rows = {ablation.centre[path]: base} | rows
    for level in ordered(rows):
        row = rows[level]
        yield level, 100 * float(row[MAIN]), 100 * half_interval(row[f"{MAIN}_sd"], int(row["n"]))


def half_interval(deviation: float, n: int) -> float:
    """Return half the width of the 95 % t interval of a mean: t(n - 1) · sd / √n; NaN with fewer than two values."""
    if n < 2:
        return math.nan
    return float(stats.t.ppf(1 - LEVEL / 2, n - 1)) * float(deviation) / math.sqrt(n)


def _panels(paths: Sequence[str], label: str) -> tuple[Figure, list[Axes]]:
    """Return a figure with one panel per axis, in two columns, which fit on a phone."""
    columns = min(2, len(paths))
    lines = math.ceil(len(paths) / columns)
    figure = Figure(figsize=(WIDTH, 0.3 + 1.75 * lines), layout="constrained")
    grid = list(figure.subplots(lines, columns, sharey=True, squeeze=False).flat)
    for spare in grid[len(paths) :]:
        spare.set_visible(False)
    for axes, path in zip(grid, paths, strict=False):
        axes.set_title(in_two_lines(path, 25), loc="left", fontsize=8, fontweight="bold")
        axes.grid(axis="y")
        axes.margins(y=0.1)
    figure.supylabel(label, fontsize=9)
    return figure, grid[: len(paths)]


def _draw_levels(axes: Axes, rows: pd.DataFrame, path: str) -> None:
    scale = scale_of(rows[path])
    drawn = thinned(rows)
    if scale.numbers is not None and len(scale.levels) > MANY:
        numbers = rows[path].map(lambda level: number_of(str(level))).astype("float64")
        axes.plot(numbers[drawn.index], 100 * drawn["value"], "o", color=ACCENT, ms=3.2, alpha=0.6, mew=0)
        measured = np.asarray(100 * rows["value"], np.float64)
        for low, high, median in group_medians(np.asarray(numbers, np.float64), measured):
            axes.plot([low, high], [median, median], color=INK, linewidth=1.8)
        if scale.logarithmic:
            axes.set_xscale("log")
            axes.xaxis.set_major_locator(LogLocator(numticks=4))
            axes.xaxis.set_major_formatter(FuncFormatter(lambda number, _: f"{number:g}"))
        axes.tick_params(axis="x", labelsize=SMALL)
        return
    for index, level in enumerate(scale.levels):
        values = 100 * drawn.loc[drawn[path].astype(str) == level, "value"].to_numpy()
        axes.plot(index + offsets(len(values)), values, "o", color=ACCENT, ms=3.2, alpha=0.6, mew=0)
        median = 100 * rows.loc[rows[path].astype(str) == level, "value"].median()
        axes.plot([index - _SPREAD, index + _SPREAD], [median, median], color=INK, linewidth=1.8)
    _name_levels(axes, scale.levels)


def offsets(count: int) -> Floats:
    """Return the sideways offsets of the points of a strip, always the same, so that equal values stay visible."""
    golden = (math.sqrt(5) - 1) / 2  # multiples of it modulo 1 fill an interval evenly, however many there are
    return np.asarray([((index * golden + 0.5) % 1 - 0.5) * 2 * _SPREAD for index in range(count)])


def group_medians(numbers: Floats, values: Floats) -> list[tuple[float, float, float]]:
    """Return the lowest number, highest number and median value of up to five groups of equal size, by number."""
    order = np.argsort(numbers, kind="stable")
    groups = np.array_split(order, min(_GROUPS, max(1, len(order) // 4)))
    return [(numbers[group[0]], numbers[group[-1]], float(np.median(values[group]))) for group in groups]


def _draw_means(axes: Axes, levels: Sequence[Level], centre: str) -> None:
    for index, (level, mean, half) in enumerate(levels):
        middle = level == centre
        colour = ACCENT if middle else MUTED
        if half == half:
            axes.plot([index, index], [mean - half, mean + half], color=colour, linewidth=1.5)
        axes.plot(
            index, mean, "D" if middle else "o", color=colour, markersize=5.5, markeredgewidth=1.3,
            markerfacecolor=colour if middle else "white",
        )  # fmt: skip
        if middle:
            axes.axhline(mean, color=ACCENT, linewidth=0.7, linestyle=":", zorder=1)
    _name_levels(axes, [level for level, *_ in levels])


def _name_levels(axes: Axes, levels: Sequence[str]) -> None:
    """Write the levels below a panel, slanted if they would touch; of very many, every nth."""
    step = math.ceil(len(levels) / _LABELS)
    names = [shortened(level, 14) for level in levels[::step]]
    columns = axes.get_subplotspec().get_gridspec().ncols  # type: ignore[union-attr]
    slanted = max(map(len, names)) + 1 > _ROOM[columns] / _LETTER / len(names)
    turn: dict[str, Any] = {"rotation": 35, "ha": "right", "rotation_mode": "anchor"} if slanted else {}
    axes.set_xticks(range(0, len(levels), step), names, fontsize=SMALL, **turn)
    axes.set_xlim(-0.6, len(levels) - 0.4)
