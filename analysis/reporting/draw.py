"""The figures of a report, as SVG text that is the same for the same numbers."""

import html
import io
import re
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

import matplotlib.style
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from reid_search.study import BASELINE

from ..answers.ablations import AblationSummary
from ..answers.searches import SearchSummary

INK, MUTED, GRID, ACCENT = "#1c2430", "#5b6675", "#e3e7ee", "#1f5fa8"
VERDICT_COLOURS = {"better": "#0b7a5b", "worse": "#b3431d", "equivalent": "#5b6675"}
_CURVE_STYLES = (("#1f5fa8", "-"), ("#0b7a5b", "--"), ("#b3431d", "-."), ("#8a5a9e", ":"), ("#a67c00", (0, (5, 1))))

ARMS_DRAWN = 60
CURVES_DRAWN = 4  # beside the baseline's

_WIDTH = 4.3  # inches; small enough that text stays readable on a phone, which scales the figure down
_RANKS_SHOWN = 20
_STYLE: dict[Any, Any] = {
    "svg.hashsalt": "reid-search",
    "svg.fonttype": "path",
    "font.family": "DejaVu Sans",
    "font.size": 9.0,
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


def draw_history(search: SearchSummary) -> str | None:
    """Draw the objective by proposal number with the best so far; None where nothing has a value."""
    rows = search.proposals
    if not rows[["value", "last_value"]].notna().any(axis=None):
        return None
    with _style():
        figure, axes = _blank(3.0)
        finished = rows[rows["value"].notna()]
        stopped = rows[(rows["status"] == "stopped") & rows["last_value"].notna()]
        axes.plot(finished["number"], 100 * finished["value"], "o", color=ACCENT, ms=5, label="finished", zorder=3)
        if len(stopped):
            last = 100 * stopped["last_value"]
            axes.plot(stopped["number"], last, "x", color=MUTED, ms=5, mew=1.4, label="stopped early")
        if len(finished):
            best = 100 * rows["best_so_far"]
            axes.step(rows["number"], best, where="post", color=INK, linewidth=1.2, label="best so far")
        axes.set_xlabel("proposal")
        axes.set_ylabel(f"{search.objective} in %")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        axes.grid(axis="y")
        _legend_above(axes)
        return _svg(figure, f"history-{search.phase}", f"{search.objective} by proposal of {search.phase}")


def draw_forest(ablation: AblationSummary) -> str | None:
    """Draw the differences of the arms with their intervals, grouped by axis; None where no arm has one."""
    rows = ablation.furthest(ARMS_DRAWN)
    if rows.empty:
        return None
    places, headers = _forest_places(list(rows["axis"]))
    bottom = max(places) + 0.8
    with _style():
        figure, axes = _blank(0.8 + 0.27 * (bottom + 0.6))
        band = 100 * ablation.smallest_effect
        axes.axvspan(-band, band, color=GRID, alpha=0.6, linewidth=0, zorder=0)
        axes.axvline(0, color=MUTED, linewidth=0.8, zorder=1)
        for place, (_, row) in zip(places, rows.iterrows(), strict=True):
            _draw_effect(axes, place, row)
        axes.set_yticks(places, [_shortened(str(level), 24) for level in rows["level"]])
        axes.tick_params(axis="y", length=0, labelcolor=INK)
        axes.spines["left"].set_visible(False)
        axes.set_ylim(bottom, -0.8)
        axes.margins(x=0.08)
        axes.set_xlabel(f"difference from the baseline in points of {ablation.metric}")
        axes.grid(axis="x")
        _draw_headers(figure, axes, headers)
        name = f"forest-{ablation.phase}-{ablation.readout}"
        return _svg(figure, name, f"Differences of the arms of {ablation.phase} from the baseline")


def draw_cmc(ablation: AblationSummary) -> str | None:
    """Draw the CMC curves of the baseline and the arms furthest from it, with the range over seeds."""
    shown = [arm for arm in curves_shown(ablation) if arm in ablation.curves]
    if not shown:
        return None
    with _style():
        figure, axes = _blank(3.3)
        for arm, (colour, line) in zip(shown, _CURVE_STYLES, strict=False):
            curves = 100 * ablation.curves[arm][:, :_RANKS_SHOWN]
            ranks, mean = np.arange(1, curves.shape[1] + 1), curves.mean(axis=0)
            axes.plot(ranks, mean, linestyle=line, color=colour, linewidth=1.6, label=_shortened(arm, 44))
            if len(curves) > 1:
                axes.fill_between(ranks, curves.min(axis=0), curves.max(axis=0), color=colour, alpha=0.14, linewidth=0)
        axes.set_xlabel("rank")
        axes.set_ylabel("matching rate in %")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        axes.grid()
        axes.legend(loc="upper left", bbox_to_anchor=(-0.02, -0.18))
        return _svg(figure, f"cmc-{ablation.phase}-{ablation.readout}", f"CMC curves of {ablation.phase}")


def curves_shown(ablation: AblationSummary) -> list[str]:
    """Return the arms whose curves are drawn: the baseline, and of many others the best and worst few."""
    rows = ablation.furthest(CURVES_DRAWN).sort_values("delta", ascending=False, kind="stable")
    return [BASELINE, *rows["arm"]]


def _style() -> AbstractContextManager[None]:
    """Draw with the style of this module whatever the user's own matplotlib settings are."""
    return matplotlib.style.context(["default", _STYLE])


def _blank(height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(_WIDTH, height), layout="constrained")
    return figure, figure.add_subplot()


def _legend_above(axes: Axes) -> None:
    axes.legend(loc="lower left", bbox_to_anchor=(-0.02, 1.0), ncols=3, handlelength=1.4, columnspacing=1.2)


def _forest_places(axes: Sequence[str]) -> tuple[list[float], list[tuple[float, str]]]:
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
    """Write the name of each axis above its arms, from where the longest level begins."""
    figure.draw_without_rendering()  # only the layout knows where the labels begin
    left = min(label.get_window_extent().x0 for label in axes.get_yticklabels())
    x = axes.transAxes.inverted().transform((left, 0))[0]
    behind = {"facecolor": "white", "edgecolor": "none", "pad": 1.0}
    for place, axis in headers:
        text = axes.text(x, place, _shortened(axis, 46), transform=axes.get_yaxis_transform(), bbox=behind)
        text.set(va="center", fontweight="bold", fontsize=8.5, in_layout=False)


def _draw_effect(axes: Axes, place: float, row: pd.Series) -> None:
    colour = VERDICT_COLOURS.get(row["verdict"], MUTED)
    if pd.notna(row["low"]):
        axes.plot([100 * row["low"], 100 * row["high"]], [place, place], color=colour, linewidth=1.6, zorder=2)
    filled = row["verdict"] in ("better", "worse")
    axes.plot(
        100 * row["delta"], place, "o", color=colour, markerfacecolor=colour if filled else "white", markersize=6,
        markeredgewidth=1.4, zorder=3,
    )  # fmt: skip


def _shortened(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"


def _svg(figure: Figure, name: str, title: str) -> str:
    """Return the figure as SVG whose ids begin with its name, so that several can stand in one page."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    text = buffer.getvalue()[buffer.getvalue().index("<svg") :]
    prefix = re.sub(r"[^A-Za-z0-9]+", "-", name)
    text = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{prefix}-", text)
    return text.replace("<svg ", f'<svg role="img" aria-label="{html.escape(title)}" ', 1)
