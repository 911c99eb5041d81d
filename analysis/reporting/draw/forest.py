"""Differences with their intervals: of the arms of an ablation from its centre, and the effects of a design."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ...answers.ablations import AblationSummary
from ...answers.over_people import ARMS_READ
from ..formats import interval, percent, points
from ..naming import centre_word, file_name, shortened
from .style import GRID, INK, MUTED, VERDICT_COLOURS, Drawing, blank, finished, style

ARMS_DRAWN = ARMS_READ


def draw_forest(ablation: AblationSummary) -> Drawing | None:
    """Draw the differences of the arms with their intervals, grouped by axis; None if no arm has one."""
    rows, word = ablation.furthest(ARMS_DRAWN), centre_word(ablation)
    if rows.empty:
        return None
    with style():
        label = f"difference from the {word}, points of {ablation.metric}"
        figure = _differences(rows, ablation.smallest_effect, label)
        compared = len(ablation.compared)
        caption = (
            f"Differences from the {word} with 95 % paired t intervals over seeds. {_legend(ablation)}",
            f"Of {compared} arms, the {ARMS_DRAWN} furthest from the {word}." if compared > ARMS_DRAWN else "",
        )
        title = f"Differences of the arms of {ablation.phase} from the {word}"
        return finished(figure, file_name("forest", ablation), title, *caption, marks=_marks(rows))


def draw_design(ablation: AblationSummary) -> Drawing | None:
    """Draw the main effects and interactions of a design with their intervals; None if there are none."""
    if ablation.effects is None or ablation.effects.table.empty:
        return None
    table = ablation.effects.table
    rows = table.head(ARMS_DRAWN).rename(columns={"effect": "axis"})
    against = (" against " + rows["reference"]).where(~rows["axis"].str.contains(" × "), "")
    rows["level"] = rows["level"] + against
    with style():
        figure = _differences(rows, ablation.smallest_effect, f"effect in points of {ablation.metric}")
        caption = (
            f"Main effects and interactions of the design with 95 % t intervals over seeds. {_legend(ablation)}",
            f"Of {len(table)} effects, the first {ARMS_DRAWN}." if len(table) > ARMS_DRAWN else "",
        )
        title = f"Main effects and interactions of {ablation.phase}"
        return finished(figure, file_name("design", ablation), title, *caption, marks=_marks(rows))


def _differences(rows: pd.DataFrame, smallest_effect: float, label: str) -> Figure:
    """Return a figure of rows with `axis`, `level`, `delta`, `low`, `high` and `verdict`, grouped by axis."""
    places, headers = _places(list(rows["axis"]))
    bottom = max(places) + 0.8
    figure, axes = blank(0.8 + 0.27 * (bottom + 0.6))
    band = 100 * smallest_effect
    axes.axvspan(-band, band, color=GRID, alpha=0.6, linewidth=0, zorder=0)
    axes.axvline(0, color=MUTED, linewidth=0.8, zorder=1)
    for number, (place, (_, row)) in enumerate(zip(places, rows.iterrows(), strict=True)):
        _draw_effect(axes, place, row, _gid(number))
    axes.set_yticks(places, [shortened(str(level), 28) for level in rows["level"]])
    axes.tick_params(axis="y", length=0, labelcolor=INK)
    axes.spines["left"].set_visible(False)
    axes.set_ylim(bottom, -0.8)
    axes.margins(x=0.08)
    axes.set_xlabel(label)
    axes.grid(axis="x")
    _draw_headers(figure, axes, headers)
    return figure


def _legend(ablation: AblationSummary) -> str:
    band = percent(ablation.smallest_effect)
    return f"Filled: better or worse. The grey band is ±{band} points, the smallest difference of interest."


def _places(axes: Sequence[str]) -> tuple[list[float], list[tuple[float, str]]]:
    """Return the height of each row, and of a header above each group of rows of one axis."""
    places: list[float] = []
    headers: list[tuple[float, str]] = []
    at = 0.0
    for index, axis in enumerate(axes):
        if index == 0 or axis != axes[index - 1]:
            at += 0.35 if headers else 0.0
            headers.append((at, axis))
            at += 1.0
        places.append(at)
        at += 1.0
    return places, headers


def _draw_headers(figure: Figure, axes: Axes, headers: Sequence[tuple[float, str]]) -> None:
    """Write the name of each axis above its arms, aligned with the longest level."""
    figure.draw_without_rendering()  # only the layout knows where the labels begin
    left = min(label.get_window_extent().x0 for label in axes.get_yticklabels())
    x = axes.transAxes.inverted().transform((left, 0))[0]
    behind = {"facecolor": "white", "edgecolor": "none", "pad": 1.0}
    for place, axis in headers:
        text = axes.text(x, place, shortened(axis, 46), transform=axes.get_yaxis_transform(), bbox=behind)
        text.set(va="center", fontweight="bold", fontsize=8.5, in_layout=False)


def _gid(number: int) -> str:
    return f"effect-{number}"


def _marks(rows: pd.DataFrame) -> dict[str, tuple[str, str]]:
    """Return what a reader sees who points at an effect, by its place."""
    said = (
        f"{row['axis']} {row['level']}: {points(row['delta'])} points ({interval(row['low'], row['high'])})".strip()
        for _, row in rows.iterrows()
    )
    return {_gid(number): (text, "") for number, text in enumerate(said)}


def _draw_effect(axes: Axes, place: float, row: pd.Series, gid: str) -> None:
    colour = VERDICT_COLOURS.get(row["verdict"], MUTED)
    if pd.notna(row["low"]):
        axes.plot([100 * row["low"], 100 * row["high"]], [place, place], color=colour, linewidth=1.6, zorder=2)
    filled = row["verdict"] in ("better", "worse")
    axes.plot(
        100 * row["delta"], place, "o", color=colour, markerfacecolor=colour if filled else "white", markersize=6,
        markeredgewidth=1.4, zorder=3, gid=gid,
    )  # fmt: skip
