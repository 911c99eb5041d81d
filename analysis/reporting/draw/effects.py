"""What each axis of an ablation does to a measurement, one small panel per axis."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy import stats

from reid_search.study.metrics import MAIN

from ...answers.ablations import AblationSummary
from ...reading.measures import rows_of
from ...statistics.effect import LEVEL, Floats
from ..naming import centre_word, file_name, in_two_lines, shortened
from .levels import ordered
from .parallel import AXES_DRAWN
from .style import ACCENT, MUTED, SMALL, WIDTH, Drawing, finished, style

Level = tuple[str, float, float]  # label, mean, half the width of its interval

_LABELS = 10
SPREAD = 0.28  # half the width of a strip; strips are 1 apart
_ROOM = {1: 270.0, 2: 122.0}  # points across a panel, by the number of columns
_LETTER = 4.8  # points across a letter of a level's name


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
        figure, grid = panels(drawn, f"{ablation.metric} in %")
        for axes, path in zip(grid, drawn, strict=True):
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


def panels(paths: Sequence[str], label: str) -> tuple[Figure, list[Axes]]:
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


def offsets(count: int) -> Floats:
    """Return the sideways offsets of the points of a strip, always the same, so that equal values stay visible."""
    golden = (math.sqrt(5) - 1) / 2  # multiples of it modulo 1 fill an interval evenly, however many there are
    return np.asarray([((index * golden + 0.5) % 1 - 0.5) * 2 * SPREAD for index in range(count)])


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
    name_levels(axes, [level for level, *_ in levels])


def name_levels(axes: Axes, levels: Sequence[str]) -> None:
    """Write the levels below a panel, slanted if they would touch; of very many, every nth."""
    step = math.ceil(len(levels) / _LABELS)
    names = [shortened(level, 14) for level in levels[::step]]
    columns = axes.get_subplotspec().get_gridspec().ncols  # type: ignore[union-attr]
    slanted = max(map(len, names)) + 1 > _ROOM[columns] / _LETTER / len(names)
    turn: dict[str, Any] = {"rotation": 35, "ha": "right", "rotation_mode": "anchor"} if slanted else {}
    axes.set_xticks(range(0, len(levels), step), names, fontsize=SMALL, **turn)
    axes.set_xlim(-0.6, len(levels) - 0.4)
