"""The best of a search by the images trained: in the order as it was, and on average over all orders."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from ...answers.searches import SearchSummary
from ...answers.spending import spending
from ..formats import amount
from ..naming import file_name, shortened
from .style import ACCENT, GRID, INK, MUTED, SMALL, Drawing, blank, finished, legend_above, style

_NAMED = 8  # of the levels that are tuned separately


def draw_spending(search: SearchSummary) -> Drawing | None:
    """Draw the best objective by images trained; None with fewer than two finished trials of anything tuned."""
    curves = {str(arm): rows for arm, rows in spending(search).groupby("arm", sort=False) if len(rows) > 1}
    if not curves or search.proposals["value"].notna().sum() < 2:
        return None
    with style():
        figure, axes = blank(3.0)
        if search.tuned_by is None:
            caption = _draw_one(axes, curves[""], search.objective)
        else:
            caption = _draw_several(axes, curves, search.objective)
        axes.set_xlabel("images trained")
        axes.set_ylabel(f"best {search.objective} in %")
        axes.set_xlim(left=0)
        axes.xaxis.set_major_locator(MaxNLocator(5))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda number, _: amount(number)))
        axes.grid(axis="y")
        title = f"Best {search.objective} of {search.phase} by images trained"
        return finished(figure, file_name("spending", search), title, *caption)


def _draw_one(axes: Axes, rows: pd.DataFrame, objective: str) -> list[str]:
    """Draw the order as it was over the average and the band of all orders."""
    axes.fill_between(rows["images"], 100 * rows["low"], 100 * rows["high"], color=GRID, linewidth=0,
                      label="eight of ten orders")  # fmt: skip
    axes.plot(rows["images"], 100 * rows["expected"], color=ACCENT, linewidth=1.6, label="mean over orders")
    axes.step(rows["images_so_far"], 100 * rows["best_so_far"], where="post", color=INK, linewidth=1.1,
              label="as it was")  # fmt: skip
    legend_above(axes)
    half, whole = rows.iloc[(len(rows) - 1) // 2], rows.iloc[-1]
    return [
        f"The best {objective} by images trained; what was stopped early or failed costs what it trained. The mean "
        "over orders is that of the best of as many trials drawn at random without replacement, where any of them "
        "finishes (after Dodge et al. 2019).",
        f"The best of {half['trials']} of the {whole['trials']} trials is {100 * half['expected']:.1f} % on average, "
        f"that of all {100 * whole['expected']:.1f} %." if len(rows) > 2 else "",
    ]  # fmt: skip


def _draw_several(axes: Axes, curves: dict[str, pd.DataFrame], objective: str) -> list[str]:
    """Draw the average of what was tuned separately, the best named at its end."""
    by_best = sorted(curves, key=lambda arm: -curves[arm]["expected"].iloc[-1])
    for place, arm in enumerate(by_best):
        rows, named = curves[arm], place < _NAMED
        colour = ACCENT if place == 0 else MUTED
        axes.plot(rows["images"], 100 * rows["expected"], color=colour, linewidth=1.6 if place == 0 else 1.0)
        if named:
            axes.annotate(
                shortened(arm, 16),
                (rows["images"].iloc[-1], 100 * rows["expected"].iloc[-1]),
                (4, 0),
                textcoords="offset points",
                va="center",
                fontsize=SMALL,
                color=colour,
                annotation_clip=False,
            )
    return [
        f"The best {objective} of each level or arm by images trained, on average over all orders of its own trials "
        "(after Dodge et al. 2019); what was stopped early or failed costs what it trained.",
        f"Of {len(by_best)}, the best {_NAMED} are named." if len(by_best) > _NAMED else "",
    ]
