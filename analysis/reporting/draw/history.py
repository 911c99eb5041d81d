"""The objective of a search by proposal."""

from matplotlib.ticker import MaxNLocator

from reid_search.records import Status

from ...answers.searches import SearchSummary
from ..naming import file_name
from .style import ACCENT, INK, MUTED, Drawing, blank, finished, legend_above, style


def draw_history(search: SearchSummary) -> Drawing | None:
    """Draw the objective by proposal number with the best so far; None if nothing has a value."""
    rows = search.proposals
    if not rows[["value", "last_value"]].notna().any(axis=None):
        return None
    with style():
        figure, axes = blank(3.0)
        measured = rows[rows["value"].notna()]
        stopped = rows[(rows["status"] == Status.STOPPED) & rows["last_value"].notna()]
        axes.plot(measured["number"], 100 * measured["value"], "o", color=ACCENT, ms=5, label="finished", zorder=3)
        if len(stopped):
            last = 100 * stopped["last_value"]
            axes.plot(stopped["number"], last, "x", color=MUTED, ms=5, mew=1.4, label="stopped early")
        if len(measured):
            best = 100 * rows["best_so_far"]
            axes.step(rows["number"], best, where="post", color=INK, linewidth=1.2, label="best so far")
        axes.set_xlabel("proposal")
        axes.set_ylabel(f"{search.objective} in %")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        axes.grid(axis="y")
        legend_above(axes)
        title = f"{search.objective} by proposal of {search.phase}"
        cross = "A cross is a trial that was stopped early, at its last value." if len(stopped) else ""
        return finished(figure, file_name("history", search), title, "The objective by proposal.", cross)
