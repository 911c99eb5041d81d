"""What each arm costs against what it reaches, with the Pareto front."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Annotation
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter
from matplotlib.transforms import Bbox

from reid_search.study.metrics import MAIN

from ...answers.ablations import AblationSummary
from ...statistics.effect import Floats
from ..formats import amount
from ..naming import centre_word, file_name, tail
from .levels import spans
from .style import ACCENT, INK, MUTED, SMALL, Drawing, blank, finished, style

LABELS = 12
_COSTS = {"macs": "multiply-adds of one image", "parameters": "parameters of the model"}
_DECADE = 10.0
_GROUND = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.3}
# Where a number may go, in points from its mark; there are no marks above the front and to its left.
_OFFSETS = [
    (reach * right, reach * up)
    for reach in (1.0, 1.8, 2.8)
    for right, up in ((-7, 7), (0, 9), (-9, 0), (7, 7), (9, 0), (0, -9), (-7, -7), (7, -7))
]


def draw_cost(ablation: AblationSummary) -> Drawing | None:
    """Draw mean mAP against multiply-adds, or parameters if only these differ; None if all arms cost the same.

    Transductive arms are shown but excluded from the front, since their distances use other images of the gallery at a
    cost that no forward pass counts. None if all are transductive.
    """
    column = cost_column(ablation)
    if column is None:
        return None
    rows = _measured(ablation, column)
    plain = rows[~rows["transductive"]]
    if plain.empty:
        return None
    front = plain[pareto_front(plain[column].to_numpy(), plain[MAIN].to_numpy())].sort_values([column, MAIN])
    centre = ablation.centre_arm
    named = _named(front, centre)
    with style():
        figure, axes = blank(3.5 + 0.155 * len(named))
        _draw_points(axes, rows[rows["arm"] != centre], column)
        axes.step(front[column], 100 * front[MAIN], where="post", color=INK, linewidth=1.2, label="front", zorder=2)
        base = rows[rows["arm"] == centre]
        axes.plot(base[column], 100 * base[MAIN], "D", color=ACCENT, ms=6, label=centre_word(ablation), zorder=4)
        _scale_cost(axes, rows[column].tolist())
        axes.set_xlabel(_COSTS[column])
        axes.set_ylabel(f"{ablation.metric} in %")
        axes.margins(x=0.08, y=0.12)
        axes.grid()
        axes.legend(loc="lower left", bbox_to_anchor=(-0.02, 1.0), ncols=4, handlelength=1.4, columnspacing=0.9)
        _write_key(axes, list(named["arm"]))
        _write_numbers(figure, axes, _points(named, column), _points(rows, column))
        title = f"{ablation.metric} against {_COSTS[column]} of the arms of {ablation.phase}"
        caption = _caption(rows, int((front["arm"] != centre).sum()), len(named))
        return finished(figure, file_name("cost", ablation), title, *caption)


def cost_column(ablation: AblationSummary) -> str | None:
    """Return the cost that differs between measured arms: `macs`, else `parameters`; None if neither does."""
    if ablation.refusal:
        return None
    return next((column for column in _COSTS if _measured(ablation, column)[column].nunique() > 1), None)


def pareto_front(costs: Floats, values: Floats) -> npt.NDArray[np.bool_]:
    """Return a mask `(n,)` of the points that no other point beats in cost or value without losing in the other.

    Costs (less is better) and values (more is better) are finite `(n,)`. Equal points are all on the front or none.
    """
    front = np.zeros(len(costs), dtype=np.bool_)
    reached, at = -np.inf, np.nan
    for index in np.lexsort((-values, costs)):  # by cost, the highest value of a cost first
        if values[index] > reached:
            reached, at = values[index], costs[index]
        front[index] = values[index] == reached and costs[index] == at
    return front


def _measured(ablation: AblationSummary, column: str) -> pd.DataFrame:
    """Return the arms with a known cost and main metric, as plain numbers."""
    rows = ablation.arms[ablation.arms[column].notna() & ablation.arms[MAIN].notna()]
    numbers = rows[[column, MAIN]].astype("float64")
    return numbers.assign(arm=rows["arm"], transductive=rows["transductive"].eq(True).fillna(False).astype(bool))


def _draw_points(axes: Axes, rows: pd.DataFrame, column: str) -> None:
    for transductive, marker, label in ((False, "o", "arm"), (True, "^", "transductive")):
        shown = rows[rows["transductive"] == transductive]
        if len(shown):
            axes.plot(
                shown[column], 100 * shown[MAIN], marker, color=MUTED, markerfacecolor="white", markersize=4.5,
                markeredgewidth=1.1, alpha=0.85, label=label, zorder=3,
            )  # fmt: skip


def _scale_cost(axes: Axes, costs: Sequence[float]) -> None:
    if spans(costs, _DECADE):
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 3.0), numticks=6))
        axes.xaxis.set_minor_formatter(NullFormatter())
    else:
        axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda cost, _: amount(cost)))


def _named(front: pd.DataFrame, centre: str) -> pd.DataFrame:
    """Return the arms on the front by cost, evenly thinned; the centre is left out, since it has its own mark."""
    others = front[front["arm"] != centre]
    if len(others) < LABELS:
        return others
    return others.iloc[np.linspace(0, len(others) - 1, LABELS - 1).round().astype(int)]


def _points(rows: pd.DataFrame, column: str) -> Floats:
    """Return cost and main metric in per cent `(n, 2)`."""
    return np.column_stack([rows[column], 100 * rows[MAIN]])


def _write_key(axes: Axes, arms: Sequence[str]) -> None:
    """Write below the axes which arm has which number, since the marks have no room for names."""
    key = "\n".join(f"{number}  {tail(arm, 50)}" for number, arm in enumerate(arms, start=1))
    axes.annotate(
        key, (0, 0), xycoords="axes fraction", xytext=(-2, -38), textcoords="offset points", va="top", fontsize=8,
        linespacing=1.35,
    )  # fmt: skip


def _write_numbers(figure: Figure, axes: Axes, points: Floats, others: Floats) -> None:
    """Write 1, 2, ... next to the points `(n, 2)`, if possible clear of the marks of `others` and of each other."""
    figure.draw_without_rendering()
    marks = axes.transData.transform(others)
    taken: list[Bbox] = []
    for number, point in enumerate(points, start=1):
        note = axes.annotate(
            str(number), tuple(point), xytext=(0, 0), textcoords="offset points", ha="center", va="center",
            fontsize=SMALL, fontweight="bold", zorder=5, in_layout=False, bbox=_GROUND,
        )  # fmt: skip
        boxes = [(_box(note, offset), offset) for offset in _OFFSETS]
        free = [found for found in boxes if not any(found[0].overlaps(other) for other in taken)] or boxes
        clear = [found for found in free if not found[0].padded(2.0).count_contains(marks)] or free
        taken.append(_box(note, clear[0][1]))


def _box(note: Annotation, offset: tuple[float, float]) -> Bbox:
    """Move a note to an offset and return its new box."""
    note.xyann = offset
    return Bbox(note.get_window_extent().get_points())


def _caption(rows: pd.DataFrame, others: int, named: int) -> list[str]:
    transductive = "Transductive arms are excluded: no forward pass counts what they use of the gallery."
    return [
        "Means over finished seeds. No arm on the line is matched at the same or a lower cost; seeds move the means, "
        "so do not rely on a small step.",
        transductive if rows["transductive"].any() else "",
        f"Of {others} arms on the line, {named} are named." if named < others else "",
    ]
